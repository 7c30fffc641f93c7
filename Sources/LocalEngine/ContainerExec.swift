internal import CLinux
public import LinuxSystem
internal import OCI
internal import Orchestration
internal import Runtime
internal import SystemPackage

/// What a command in a running container is to have.
public struct ExecOptions: Sendable, Equatable {
    public var argv: [String] = []
    /// A terminal of its own; else it has the caller's descriptors 0, 1 and 2.
    public var tty = false
    /// Whether it reads the caller's input.
    public var stdin = true
    public var user: String?
    public var workingDir: String?
    /// nil removes.
    public var env: [String: String?] = [:]
    public var privileged = false
    /// It outlives the caller, and says nothing to it.
    public var detach = false
    public init() {}
}

/// Running further commands in a running container: `exec`, health checks, hooks.
struct ContainerExec: Sendable {
    let paths: HostPaths
    let container: StoredContainer

    /// For a command of the user's.
    func start(_ options: ExecOptions) throws -> ExecSession {
        if options.tty, !options.detach { return try start(options, .terminal(nil)) }
        let null = try OwnedDescriptor.open("/dev/null", O_RDWR)
        let (input, output, error) = options.detach ? (null.raw, null.raw, null.raw) : (0, 1, 2)
        let session = try start(
            options, .descriptors(input: options.stdin ? input : null.raw, output: output, error: error))
        if options.detach { session.detach() }
        return session
    }

    /// - Throws: ``EngineError/startFailed(container:reason:code:)`` with the code to exit with.
    private func start(_ options: ExecOptions, _ stdio: ExecStdio) throws -> ExecSession {
        let run = paths.containerRun(container.id.value)
        do {
            let record = try RunRecord(runDirectory: run)
            let cgroup = try CgroupManager.detect().handle(container.id.value, parent: container.spec.cgroupParent)
            let handle = try ContainerRuntime.exec(
                ExecLaunch(
                    runDirectory: run, process: try process(options, record),
                    seccomp: record.seccomp, cgroup: cgroup.placement, stdio: stdio))
            return ExecSession(handle: handle)
        } catch let error as LaunchError {
            throw EngineError.startFailed(
                container: container.spec.name, reason: error.description, code: error.exitCode)
        } catch let error as SystemError where error.errno == .noSuchFileOrDirectory {
            throw EngineError.notRunning(container.spec.name)
        }
    }

    private func process(_ options: ExecOptions, _ record: RunRecord) throws -> RuntimeSpec.Process {
        var process = record.spec.process ?? .init()
        process.args = options.argv
        process.terminal = options.tty
        var variables = ProcessResolution.OrderedVariables(pairs: process.env)
        if options.tty { variables.setDefault("TERM", "xterm") }
        if let text = options.user {
            guard
                case .running(let pid) = try ContainerProcesses.status(
                    runDirectory: paths.containerRun(container.id.value))
            else { throw EngineError.notRunning(container.spec.name) }
            let root = try OwnedDescriptor.open("/proc/\(pid)/root", O_PATH | O_DIRECTORY)
            let users = try UserDatabase(root: root)
            let user = try users.resolve(text, additionalGroups: container.spec.groupAdd)
            // One that service or image set stays.
            let isDefault = variables["HOME"] == (try? users.resolve("\(process.user.uid)"))?.home
            process.user = user.processUser
            if isDefault || variables["HOME"] == nil { variables.set("HOME", user.home) }
        }
        variables.apply(options.env)
        process.env = variables.pairs
        if let directory = options.workingDir { process.cwd = directory }
        let privileged = options.privileged || container.spec.privileged
        process.capabilities = try SpecBuilder.capabilities(
            add: container.spec.capAdd, drop: container.spec.capDrop, privileged: privileged, uid: process.user.uid)
        return process
    }

    /// Runs a command to its end and gives what it said.
    func capture(_ request: ExecRequest) throws -> ExecResult {
        var options = ExecOptions()
        options.argv = request.argv
        options.user = request.user
        options.workingDir = request.workingDir
        options.env = request.environment
        options.privileged = request.privileged
        let null = try OwnedDescriptor.open("/dev/null", O_RDWR)
        let pipe = try OwnedDescriptor.pipe()
        let session: ExecSession
        do {
            session = try start(options, .descriptors(input: null.raw, output: pipe.write.raw, error: pipe.write.raw))
        } catch EngineError.startFailed(_, let reason, let code) {
            return ExecResult(exitCode: code, output: reason)
        }
        return try withExtendedLifetime(pipe.write) { try session.collect(from: pipe.read, request) }
    }
}

/// A command that runs in a container. When this goes, so does the command.
public final class ExecSession: Sendable {
    private let handle: ExecHandle
    init(handle: ExecHandle) { self.handle = handle }

    /// The master of its terminal, where it has one.
    public var ptyMaster: OwnedDescriptor? { handle.terminal }

    /// Blocks until it has ended; its exit code. To be called once.
    public func wait() -> Int32 { handle.wait() }

    public func resize(rows: UInt16, cols: UInt16) {
        handle.resize(TerminalSize(rows: rows, columns: cols))
    }

    /// Nothing of the command's is waited for: the handle would when it goes, so it stays as long as this program.
    func detach() {
        handle.detach()
        _ = Unmanaged.passRetained(handle)
    }

    /// Reads what it says until it has ended or its time is over. The pipe's other end must stay open, or the
    /// end of what it says would wake this up again and again.
    fileprivate func collect(
        from pipe: OwnedDescriptor, _ request: ExecRequest
    ) throws -> ExecResult {
        try check("fcntl") { swc_fcntl_int(pipe.raw, F_SETFL, O_NONBLOCK) }
        let exit = try handle.exitDescriptor()
        let clock = ContinuousClock()
        let deadline = request.timeout.map { clock.now + $0 }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        var timedOut = false
        func drain() throws {
            while true {
                let count = read(pipe.raw, &chunk, chunk.count)
                if count <= 0 { return }
                // What is over the limit is read and dropped: the command must not block on a full pipe.
                output.append(contentsOf: chunk[0..<min(count, max(0, request.outputLimit - output.count))])
            }
        }
        while true {
            var descriptors = [
                pollfd(fd: pipe.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: exit.raw, events: Int16(POLLIN), revents: 0),
            ]
            let left = deadline.map { max(0, ($0 - clock.now).milliseconds) }
            let ready = try check("poll") { poll(&descriptors, 2, left.map { CInt(clamping: $0 + 1) } ?? -1) }
            try drain()
            if descriptors[1].revents != 0 { break }
            if ready == 0, let deadline, clock.now >= deadline {
                timedOut = true
                handle.kill()
                break
            }
        }
        let code = handle.wait()
        try drain()
        return ExecResult(exitCode: code, output: String(decoding: output, as: UTF8.self), timedOut: timedOut)
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
