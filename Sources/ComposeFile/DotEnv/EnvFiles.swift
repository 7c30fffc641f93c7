/// Reads env files: those that give values to interpolation, and those of services.
enum EnvFiles {
    /// A variable of an env file, and the place that sets it.
    struct Variable {
        var name: String
        var value: String
        var mark: Mark
    }

    /// Values for interpolation. Later files win over earlier ones; the environment wins when a value refers to a
    /// variable.
    static func read(
        _ paths: [String], reader: any FileReader, environment: [String: String], reporter: Reporter
    ) throws(ComposeFileError) -> [String: String] {
        var values: [String: String] = [:]
        for path in paths {
            let bytes: [UInt8]
            do throws(FileFailure) {
                bytes = try reader.read(path, limit: reporter.budget.limits.fileBytes)
            } catch {
                throw error.isMissing
                    ? reporter.fatal(
                        "couldn't find env file: \(path)", hint: Advice.file(path, reader), code: .fileNotFound)
                    : reporter.fatal("cannot read env file \(path): \(error.text)", code: .fileUnreadable)
            }
            let entries = try parse(bytes, path: path, earlier: values, environment: environment, reporter: reporter)
            for entry in entries {
                values[entry.name] = entry.value
                reporter.noteVariable(entry.name, at: entry.mark)
                if let winner = environment[entry.name], winner != entry.value { reporter.noteShadowed(entry) }
            }
            reporter.noteEnvFile(path)
        }
        return values
    }

    /// - Parameter reason: what asks for the file, where that is a Compose file.
    static func parse(
        _ bytes: [UInt8], path: String, format: String? = nil, earlier: [String: String],
        environment: [String: String], reporter: Reporter, reason: Reporter.Note? = nil
    ) throws(ComposeFileError) -> [Variable] {
        let sources = reporter.sources
        let file = sources.add(name: sources.displayName(path), bytes: bytes, kind: .variables, reason: reason)
        do throws(DotEnvParser.Failure) {
            if let problem = reporter.budget.take(bytes.count, of: .bytes) {
                throw DotEnvParser.Failure(message: problem, line: 1)
            }
            let entries =
                format == "raw"
                ? try RawEnvParser.parse(bytes, limits: reporter.budget.limits) { environment[$0] }
                : try DotEnvParser.parse(
                    bytes, earlier: earlier, budget: reporter.budget, lookup: { environment[$0] },
                    unset: { name, line in
                        let mark = sources.variable(
                            name, after: Mark(file: file, line: Int32(clamping: line), column: 1))
                        reporter.warnUnset(name, at: mark, environment)
                    })
            return entries.map { entry in
                let mark = Mark(file: file, line: Int32(clamping: entry.line), column: 1)
                return Variable(name: entry.name, value: entry.value, mark: mark)
            }
        } catch {
            throw reporter.fatal(
                "failed to read \(path): line \(error.line): \(error.message)",
                at: Mark(file: file, line: Int32(clamping: error.line), column: Int32(clamping: error.column)),
                hint: error.hint, code: reporter.budget.isExceeded ? .tooLarge : .envFileSyntax)
        }
    }
}
