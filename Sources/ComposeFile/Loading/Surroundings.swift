/// Where a project is and what its variables are: files, directory and environment, found by the documented rules.
struct Surroundings {
    /// Absolute paths; `-` is standard input.
    var files: [String] = []
    /// Absolute.
    var projectDirectory: String
    var environment: [String: String]
    let reporter: Reporter
    private let options: LoadOptions

    static let baseNames = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"]
    static let overrideNames = [
        "compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml",
    ]

    init(_ options: LoadOptions, reporter: Reporter) throws(ComposeFileError) {
        self.options = options
        self.reporter = reporter
        environment = options.environment
        if environment["PWD"] == nil { environment["PWD"] = options.workingDirectory }
        let current = options.workingDirectory
        files = options.files.map { Self.absolute($0, current) }
        let given = options.projectDirectory.map { Paths.join(current, $0) }
        projectDirectory = given ?? Self.directory(of: files) ?? current
        try loadEnvFiles(explicit: true)
        if files.isEmpty, let list = environment["COMPOSE_FILE"], !list.isEmpty {
            let separator = environment["COMPOSE_PATH_SEPARATOR"].flatMap { $0.isEmpty ? nil : $0 } ?? ":"
            files = Self.split(list, by: separator).map { Self.absolute($0, current) }
        }
        if files.isEmpty { files = discover(from: given ?? current) }
        if given == nil, let found = Self.directory(of: files), found != projectDirectory {
            projectDirectory = found
            try loadEnvFiles(explicit: false)
        }
    }

    private static func absolute(_ path: String, _ base: String) -> String {
        path == "-" || isRemote(path) ? path : Paths.join(base, path)
    }

    /// Files that would have to be fetched.
    static func isRemote(_ path: String) -> Bool {
        path.contains("://") || path.hasPrefix("git@") || path.hasPrefix("github.com/")
    }

    private static func directory(of files: [String]) -> String? {
        files.first { $0 != "-" && !isRemote($0) }.map(Paths.directory)
    }

    static func split(_ text: String, by separator: String) -> [String] {
        var result: [String] = []
        var rest = text[...]
        while let found = Self.range(of: separator, in: rest) {
            result.append(String(rest[..<found.lowerBound]))
            rest = rest[found.upperBound...]
        }
        result.append(String(rest))
        return result.filter { !$0.isEmpty }
    }

    private static func range(of needle: String, in text: Substring) -> Range<Substring.Index>? {
        var start = text.startIndex
        while start < text.endIndex {
            if text[start...].hasPrefix(needle) { return start..<text.index(start, offsetBy: needle.count) }
            start = text.index(after: start)
        }
        return nil
    }

    private func discover(from directory: String) -> [String] {
        var directory = directory
        while true {
            let found = Self.baseNames.map { Paths.join(directory, $0) }.filter(options.reader.isFile)
            if let base = found.first {
                if found.count > 1 {
                    reporter.warn(
                        "Found multiple config files with supported names: \(found.joined(separator: ", "))",
                        code: .ambiguousFile)
                    reporter.warn("Using \(base)", code: .ambiguousFile)
                }
                let overrides = Self.overrideNames.map { Paths.join(directory, $0) }.filter(options.reader.isFile)
                if overrides.count > 1 {
                    reporter.warn(
                        "Found multiple override files with supported names: \(overrides.joined(separator: ", "))",
                        code: .ambiguousFile)
                    reporter.warn("Using \(overrides[0])", code: .ambiguousFile)
                }
                return [base] + overrides.prefix(1)
            }
            let parent = Paths.directory(of: directory)
            if parent == directory || parent == "." { return [] }
            directory = parent
        }
    }

    /// Adds what env files set and the environment does not.
    private mutating func loadEnvFiles(explicit: Bool) throws(ComposeFileError) {
        var paths = options.envFiles
        if paths.isEmpty, let list = options.environment["COMPOSE_ENV_FILES"], !list.isEmpty {
            paths = Self.split(list, by: ",")
        }
        if paths.isEmpty {
            if let flag = environment["COMPOSE_DISABLE_ENV_FILE"], Self.isTrue(flag) { return }
            let standard = Paths.join(projectDirectory, ".env")
            guard options.reader.isFile(standard) else { return }
            paths = [standard]
        } else if !explicit {
            return
        }
        let found = try EnvFiles.read(
            paths.map { Paths.join(options.workingDirectory, $0) }, reader: options.reader, environment: environment,
            reporter: reporter)
        environment.merge(found) { ours, _ in ours }
    }

    static func isTrue(_ text: String) -> Bool { ["1", "t", "T", "TRUE", "true", "True"].contains(text) }
}
