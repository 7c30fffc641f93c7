internal import CLinux
internal import ComposeFile
internal import LinuxSystem
internal import LocalEngine
internal import Orchestration
internal import Rendering

/// What every command needs to know: the global flags and the environment, put together.
struct Session: Sendable {
    let paths: HostPaths
    /// The process's environment, with the `COMPOSE_…` variables of `.env` files where it has none of that name.
    let environment: [String: String]
    let progress: ProgressMode
    /// Colours on stdout.
    let colour: Bool
    private let flags: LoadOptions

    /// - Throws: ``Failure``, ``InvalidProgress``, ``ComposeFileError``.
    init(_ root: GlobalFlags) throws {
        paths = .standard()
        var options = LoadOptions(
            environment: try HostEnvironment.variables(), workingDirectory: try HostEnvironment.workingDirectory())
        options.files = root.files
        options.projectName = root.projectName
        options.projectDirectory = root.projectDirectory ?? root.workdir
        options.profiles = root.profiles
        options.allResources = root.allResources
        options.envFiles = root.envFiles
        DiagnosticOutput.setANSI(root.ansi ?? (root.noAnsi ? "never" : options.environment["COMPOSE_ANSI"] ?? "auto"))
        if root.noAnsi { Report.note("option '--no-ansi' is DEPRECATED ! Please use '--ansi' instead.") }
        if root.workdir != nil {
            Report.note(
                "option '--workdir' is DEPRECATED at root level! Please use '--project-directory' instead.")
        }
        // Of what env files say, variables of Compose's own count for the commands too.
        environment = try ProjectLoader.environment(options).filter {
            $0.key.hasPrefix("COMPOSE_") || options.environment[$0.key] != nil
        }
        options.compatibility = root.compatibility || Self.truth(environment["COMPOSE_COMPATIBILITY"])
        flags = options

        let ansi = root.ansi ?? (root.noAnsi ? "never" : environment["COMPOSE_ANSI"] ?? "auto")
        let noColour = !(environment["NO_COLOR"] ?? "").isEmpty
        colour = ansi != "never" && !noColour && (ansi == "always" || Terminal.isTerminal(1))
        progress = try ProgressMode.resolve(
            progress: root.progress ?? environment["COMPOSE_PROGRESS"], ansi: ansi, isTerminal: Terminal.isTerminal(2))
        if progress == .json { Report.useJSON() }
        progressColour = ansi != "never" && !noColour
        try Self.checkParallel(root.parallel, environment["COMPOSE_PARALLEL_LIMIT"])
    }

    /// Colours in the live view.
    let progressColour: Bool

    /// The limit itself has nothing to limit here: there is no engine at the other end of a connection to be spared.
    private static func checkParallel(_ flag: Int?, _ variable: String?) throws {
        guard flag == nil, let variable, Int(variable) == nil else { return }
        throw Failure("COMPOSE_PARALLEL_LIMIT must be an integer (found: \"\(variable)\")")
    }

    /// What Go takes for true.
    static func truth(_ text: String?) -> Bool {
        ["1", "t", "true", "y", "yes"].contains((text ?? "").lowercased())
    }

    func flag(_ variable: String) -> Bool { Self.truth(environment[variable]) }

    func loadOptions(services: [String] = []) -> LoadOptions {
        var options = flags
        options.services = services.filter { !Glob.isPattern($0) }
        return options
    }

    func logPath(containerNamed name: String, of project: String) -> String {
        "\(paths.container(name, of: project))/log"
    }

    var store: ContainerStore { ContainerStore(paths: paths) }

    func display(_ title: String = "Running") -> ProgressDisplay {
        ProgressDisplay(
            mode: progress, title: title, descriptor: flag("COMPOSE_STATUS_STDOUT") ? 1 : 2, colour: progressColour)
    }
}

/// The process's own surroundings, read without Foundation.
enum HostEnvironment {
    static func variables() throws -> [String: String] {
        var result: [String: String] = [:]
        for entry in try Files.read("/proc/self/environ").split(separator: 0) {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")), equals != entry.startIndex else { continue }
            result[String(decoding: entry[..<equals], as: UTF8.self)] =
                String(decoding: entry[(equals + 1)...], as: UTF8.self)
        }
        return result
    }

    /// - Throws: ``SystemError`` where the directory is gone.
    static func workingDirectory() throws -> String {
        guard let path = getcwd(nil, 0) else { throw SystemError.last("getcwd") }
        defer { free(path) }
        return String(cString: path)
    }
}
