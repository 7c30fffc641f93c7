extension Linter {
    mutating func checkVariables() {
        checkLostDollars()
        checkShadowed()
        checkUnread()
    }

    /// `pa$word`: what was meant as text reads as a variable that nothing sets.
    private mutating func checkLostDollars() {
        for use in record.reporter.unsetUses {
            guard let text = record.reporter.sources.line(use.mark.line, of: use.mark.file) else { continue }
            let scalars = Array(text.unicodeScalars)
            let dollar = Int(use.mark.column) - 1
            guard scalars.indices.contains(dollar), scalars[dollar] == "$", dollar + 1 < scalars.count,
                scalars[dollar + 1] != "{"
            else { continue }
            let isInside = dollar > 0 && Self.isWord(scalars[dollar - 1])
            guard isInside || Self.isSecret(scalars[..<dollar]) else { continue }
            let isEnvFile = record.reporter.sources.source(use.mark.file)?.kind == .variables
            tell(
                .lostDollar,
                "`$\(use.name)` was read as a variable, which is not set: nothing of it is left in the value",
                at: use.mark,
                hint: isEnvFile
                    ? "put the value in single quotes if the `$` belongs to it"
                    : "write `$$\(use.name)` if the `$` belongs to the value")
        }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            || "!#%^&*()_+@.$".unicodeScalars.contains(scalar)
    }

    /// The line sets something that is not to be known.
    private static func isSecret(_ before: ArraySlice<Unicode.Scalar>) -> Bool {
        let text = String(String.UnicodeScalarView(before)).lowercased()
        return ["pass", "pwd", "secret", "token", "key", "credential", "auth"].contains { text.contains($0) }
    }

    /// Variables that the files use and of which the environment has another value than an env file.
    private mutating func checkShadowed() {
        let used = Set(loaded.variables.map(\.name))
        for variable in record.reporter.shadowed
        where used.contains(variable.name) || variable.name.hasPrefix("COMPOSE_") {
            let isProcess = options.environment[variable.name] != nil
            tell(
                .shadowedVariable,
                "`\(variable.name)` is set here, but \(isProcess ? "the environment" : "the project's env file") has another "
                    + "value for it, which wins",
                at: variable.mark,
                hint: isProcess
                    ? "unset it in the shell, or pass the value you want with the command"
                    : "set it in one of the two files only")
        }
    }

    /// `.env` files beside what was read, which look as if they counted.
    private mutating func checkUnread() {
        guard let surroundings = record.surroundings, let loader = record.loader, options.envFiles.isEmpty,
            (options.environment["COMPOSE_ENV_FILES"] ?? "").isEmpty
        else { return }
        let sources = record.reporter.sources
        let read = Set(record.reporter.envFiles.map(Paths.clean))
        var told = read
        let directories =
            [(options.workingDirectory, Mark.none)] + loader.places.map { (Paths.directory(of: $0.path), $0.mark) }
        for (directory, mark) in directories {
            let path = Paths.join(directory, ".env")
            guard options.reader.isFile(path), told.insert(path).inserted else { continue }
            let counted =
                read.isEmpty
                ? "none is read" : "read: \(read.sorted().map(sources.displayName).joined(separator: ", "))"
            tell(
                .unreadEnvFile,
                "\(sources.displayName(path)) is not read: variables come from `.env` of the project directory "
                    + "\(surroundings.projectDirectory)",
                at: mark, hint: "\(counted); name it with --env-file, or set --project-directory")
        }
    }
}
