internal import ArgumentParser
internal import LocalEngine
internal import Orchestration
internal import Rendering

struct ExecCommand: Command {
    static let about = CommandConfiguration(
        commandName: "exec", abstract: "Execute a command in a running container",
        usage: "swcompose exec [OPTIONS] SERVICE COMMAND [ARGS...]")

    @Flag(name: .shortAndLong, help: "Detached mode: Run command in the background")
    var detach = false
    @Option(
        name: [.customShort("e", allowingJoined: true), .customLong("env")], parsing: .unconditionalSingleValue,
        help: "Set environment variables")
    var env: [String] = []
    @Option(parsing: .unconditional, help: "Index of the container if service has multiple replicas")
    var index: Int?
    @Flag(
        name: [.customShort("T"), .customLong("no-tty"), .customLong("no-TTY")],
        help: "Disable pseudo-TTY allocation. By default a TTY is allocated where stdout is one.")
    var noTty = false
    @Flag(help: "Give extended privileges to the process")
    var privileged = false
    @Option(
        name: [.customShort("u", allowingJoined: true), .customLong("user")], parsing: .unconditional,
        help: "Run the command as this user")
    var user: String?
    @Option(
        name: [.customShort("w", allowingJoined: true), .customLong("workdir")], parsing: .unconditional,
        help: "Path to workdir directory for this command")
    var workdir: String?
    @Flag(
        name: [.customShort("i"), .customLong("interactive")], inversion: .prefixedNo,
        help: ArgumentHelp("Keep STDIN open even if not attached", visibility: .hidden))
    var interactive = true
    @Flag(
        name: [.customShort("t"), .customLong("tty")], help: ArgumentHelp("Allocate a pseudo-TTY", visibility: .hidden))
    var tty = false
    @Argument(parsing: .captureForPassthrough)
    var words: [String] = []

    /// Service and command, without the `--` that may stand in front.
    private var target: [String] { words.first == "--" ? Array(words.dropFirst()) : words }

    func validate() throws {
        // What is captured begins with the service, unless it is a flag that nobody knows.
        if let first = words.first, first != "--", first.hasPrefix("-"), first != "-" {
            throw ValidationError("Unknown option '\(first)'")
        }
        guard target.count >= 2 else {
            throw ValidationError("requires at least 2 arg(s), only received \(target.count)")
        }
    }

    func run(_ flags: GlobalFlags) throws {
        let session = try Session(flags)
        let project = try ProjectTarget.find(session)
        let service = target[0]
        let container = try running(service, in: project, session)
        var options = ExecOptions()
        options.argv = Array(target.dropFirst())
        options.tty = !noTty && !detach && Terminal.isTerminal(1)
        options.stdin = interactive && !detach
        options.user = user
        options.workingDir = workdir
        options.env = environment(session)
        options.privileged = privileged
        options.detach = detach
        if options.tty, options.stdin, !Terminal.isTerminal(0) { throw Failure("the input device is not a TTY") }

        let exec: ExecSession
        do { exec = try session.store.exec(in: container, options) } catch EngineError.startFailed(
            _, let reason, let code)
        {
            // As a shell has it: 127 where there is no such command, 126 where it cannot be executed.
            throw Failure(reason, exitCode: code)
        }
        if detach { return }
        let code = options.tty ? try TerminalRelay(exec).run(forwardInput: options.stdin) : exec.wait()
        if code != 0 { throw ExitStatus(code: code) }
    }

    /// The replica with the lowest number; a one-off container only where there is none.
    private func running(
        _ service: String, in project: ProjectTarget, _ session: Session
    ) throws -> ObservedContainer {
        let all = try session.store.containers(of: project.name)
        ProjectTarget.lookAfter(all, of: project.name, session)
        let containers = all.filter { container in
            container.service == service && container.state == .running
                && (index.map { !container.isOneOff && container.number == $0 } ?? true)
        }
        let ordered = ProjectTarget.ordered(containers)
        if let container = ordered.first(where: { !$0.isOneOff }) ?? ordered.first { return container }
        throw Failure(
            index.map { "service \"\(service)\" is not running container #\($0)" }
                ?? "service \"\(service)\" is not running")
    }

    /// `KEY=VALUE`, or `KEY` with the value that it has here.
    private func environment(_ session: Session) -> [String: String?] {
        var result: [String: String?] = [:]
        for entry in env {
            if let equals = entry.firstIndex(of: "=") {
                result[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
            } else {
                result.updateValue(session.environment[entry], forKey: entry)
            }
        }
        return result
    }
}
