internal import CLinux
public import LinuxSystem
internal import OCI
public import Orchestration
internal import Runtime
internal import SystemPackage

/// Running further commands in a running container: `exec`, health checks, hooks.
public struct ContainerExec: Sendable {
    let paths: HostPaths
    let container: StoredContainer

    /// What a command wants other than the container has.
    public struct Options: Sendable, Equatable {
        public var argv: [String]
        public var tty = false
        public var user: String?
        public var workingDir: String?
        /// nil removes.
        public var environment: [String: String?] = [:]
        public var privileged = false
        public init(argv: [String]) { self.argv = argv }
    }

    /// Where its input and output go.
    public enum Streams: Sendable {
        case descriptors(input: Int32, output: Int32, error: Int32)
        /// A terminal of so many rows and columns; ``Session/terminal`` is its master.
        case terminal(rows: UInt16, columns: UInt16)
    }

    /// - Throws: ``EngineError/startFailed(container:reason:code:)`` with the code to exit with.
    public func start(_ options: Options, _ streams: Streams) throws -> Session {
        let run = paths.containerRun(container.id.value)
        do {
            let record = try RunRecord(runDirectory: run)
            let process = try process(options, record)
            let cgroup = try CgroupManager.detect().handle(container.id.value, parent: container.spec.cgroupParent)
            let stdio: ExecStdio =
                switch streams {
                case .descriptors(let input, let output, let error):
                    .descriptors(input: input, output: output, error: error)
                case .terminal(let rows, let columns): .terminal(TerminalSize(rows: rows, columns: columns))
                }
            let handle = try ContainerRuntime.exec(
                ExecLaunch(
                    runDirectory: run, process: process, seccomp: options.privileged ? [] : record.seccomp,
                    cgroup: cgroup.placement, stdio: stdio))
            return Session(handle: handle)
        } catch let error as LaunchError {
            throw EngineError.startFailed(
                container: container.spec.name, reason: error.description, code: error.exitCode)
        } catch let error as SystemError where error.errno == .noSuchFileOrDirectory {
            throw EngineError.notRunning(container.spec.name)
        }
    }

    private func process(_ options: Options, _ record: RunRecord) throws -> RuntimeSpec.Process {
        var process = record.spec.process ?? .init()
        process.args = options.argv
        process.terminal = options.tty
        var variables = ProcessResolution.OrderedVariables(pairs: process.env)
        if options.tty { variables.setDefault("TERM", "xterm") }
        if let text = options.user {
            guard case .running(let pid) = try ContainerProcesses.status(runDirectory: paths.containerRun(container.id.value))
            else { throw EngineError.notRunning(container.spec.name) }
            let root = try OwnedDescriptor.open("/proc/\(pid)/root", O_PATH | O_DIRECTORY)
            let user = try UserDatabase(root: root).resolve(text, additionalGroups: container.spec.groupAdd)
            process.user = user.processUser
            variables.set("HOME", user.home)
        }
        variables.apply(options.environment)
        process.env = variables.pairs
        if let directory = options.workingDir { process.cwd = directory }
        let privileged = options.privileged || container.spec.privileged
        process.capabilities = try SpecBuilder.capabilities(
            add: container.spec.capAdd, drop: container.spec.capDrop, privileged: privileged, uid: process.user.uid)
        return process
    }

    /// Runs a command to its end and gives what it said.
    func capture(_ request: ExecRequest) throws -> ExecResult {
        var options = Options(argv: request.argv)
        options.user = request.user
        options.workingDir = request.workingDir
        options.environment = request.environment
        options.privileged = request.privileged
        let null = try OwnedDescriptor.open("/dev/null", O_RDWR)
        let pipe = try OwnedDescriptor.pipe()
        let session: Session
        do {
            session = try start(options, .descriptors(input: null.raw, output: pipe.write.raw, error: pipe.write.raw))
        } catch EngineError.startFailed(_, let reason, let code) {
            return ExecResult(exitCode: code, output: reason)
        }
        return try session.collect(from: pipe.read, closing: pipe.write, request)
    }

    /// A command that runs in a container. When it goes, so does the command.
    public final class Session: Sendable {
        private let handle: ExecHandle
        init(handle: ExecHandle) { self.handle = handle }

        /// The master of its terminal, where it has one.
        public var terminal: OwnedDescriptor? { handle.terminal }

        /// Blocks until it has ended.
        public func wait() -> Int32 { handle.wait() }

        public func resize(rows: UInt16, columns: UInt16) {
            handle.resize(TerminalSize(rows: rows, columns: columns))
        }

        /// Reads what it says until it has ended or its time is over.
        fileprivate func collect(
            from pipe: OwnedDescriptor, closing write: OwnedDescriptor, _ request: ExecRequest
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
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}

extension CgroupHandle {
    /// For the shim, in its own words.
    var placement: CgroupPlacement {
        if layout.mode == .unified, let directory = unifiedDirectory { return .v2(directory: directory) }
        var hierarchies = layout.legacy.map {
            CgroupHierarchy(name: $0.name, directory: $0.mountPoint + path)
        }
        if let directory = unifiedDirectory { hierarchies.append(CgroupHierarchy(name: "unified", directory: directory)) }
        return .v1(hierarchies)
    }
}
