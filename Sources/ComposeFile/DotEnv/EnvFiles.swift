/// Reads env files that give values to interpolation.
enum EnvFiles {
    /// Later files win over earlier ones; the environment wins when a value refers to a variable.
    static func read(
        _ paths: [String], environment: [String: String], reporter: Reporter
    ) throws(ComposeFileError) -> [String: String] {
        var values: [String: String] = [:]
        for path in paths {
            let bytes: [UInt8]
            do throws(FileReader.Failure) {
                bytes = try FileReader.read(path)
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
        do throws(DotEnvParser.Failure) {
            if format == "raw" { return try RawEnvParser.parse(bytes) { environment[$0] } }
            return try DotEnvParser.parse(
                bytes, earlier: earlier, lookup: { environment[$0] },
                unset: { name, line in
                    let file = reporter.sources.add(name: path, bytes: bytes)
                    reporter.warn(
                        "The \"\(name)\" variable is not set. Defaulting to a blank string.",
                        at: Mark(file: file, line: Int32(line), column: 1), key: "unset \(name)")
                })
        } catch {
            let file = reporter.sources.add(name: path, bytes: bytes)
            throw reporter.fatal(
                "failed to read \(path): line \(error.line): \(error.message)",
                at: Mark(file: file, line: Int32(error.line), column: 1))
        }
    }
}

extension FileReader.Failure {
    /// Nothing is there under the name.
    var isMissing: Bool { code == 2 || code == 20 }
}
