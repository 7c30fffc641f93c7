/// Reads env files that give values to interpolation.
enum EnvFiles {
    /// Later files win over earlier ones; the environment wins when a value refers to a variable.
    static func read(
        _ paths: [String], reader: any FileReader, environment: [String: String], reporter: Reporter
    ) throws(ComposeFileError) -> [String: String] {
        var values: [String: String] = [:]
        for path in paths {
            let bytes: [UInt8]
            do throws(FileFailure) {
                bytes = try reader.read(path, limit: reporter.budget.limits.fileBytes)
            } catch {
                let reason =
                    error.isMissing ? "couldn't find env file: \(path)" : "cannot read env file \(path): \(error.text)"
                throw reporter.fatal(reason)
            }
            let entries = try parse(bytes, path: path, earlier: values, environment: environment, reporter: reporter)
            for (name, value) in entries { values[name] = value }
        }
        return values
    }

    static func parse(
        _ bytes: [UInt8], path: String, format: String? = nil, earlier: [String: String],
        environment: [String: String], reporter: Reporter
    ) throws(ComposeFileError) -> [(name: String, value: String)] {
        var source: Int32?
        func place(_ line: Int) -> Mark {
            let file = source ?? reporter.sources.add(name: path, bytes: bytes)
            source = file
            return Mark(file: file, line: Int32(line), column: 1)
        }
        do throws(DotEnvParser.Failure) {
            if let problem = reporter.budget.take(bytes.count, of: .bytes) {
                throw DotEnvParser.Failure(message: problem, line: 1)
            }
            if format == "raw" {
                return try RawEnvParser.parse(bytes, limits: reporter.budget.limits) { environment[$0] }
            }
            return try DotEnvParser.parse(
                bytes, earlier: earlier, budget: reporter.budget, lookup: { environment[$0] },
                unset: { name, line in
                    reporter.warn(
                        "The \"\(name)\" variable is not set. Defaulting to a blank string.",
                        at: place(line), key: "unset \(name)")
                })
        } catch {
            throw reporter.fatal(
                "failed to read \(path): line \(error.line): \(error.message)", at: place(error.line))
        }
    }
}
