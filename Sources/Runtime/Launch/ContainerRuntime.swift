internal import CLinux
internal import LaunchPlan
public import LinuxSystem
internal import Synchronization

/// Starts containers and processes in them. All calls block; make them off the cooperative pool.
public enum ContainerRuntime {
    /// Starts a container; returns when its program runs.
    ///
    /// - Parameter whileMounting: called on this thread with the pid of the new process while that mounts its file
    ///   systems: the network is set up here. When it throws, the container is gone again.
    /// - Throws: ``LaunchError``; nothing of the container is left but its directories.
    public static func launch(
        _ request: LaunchRequest, whileMounting: (Int32) throws -> Void = { _ in }
    ) throws(LaunchError) -> LaunchedContainer {
        do {
            let binary = try ShimBinary.standard()
            let plan = try LaunchPlanCompiler.plan(for: request, shimPath: binary.path)
            let shim = try ShimProcess.start("run", binary, plan: try plan.encoded(), stdio: nil)
            // What was spawned forks the monitor and ends.
            defer { _ = shim.wait() }
            return try follow(shim, plan, whileMounting: whileMounting)
        } catch {
            throw LaunchError(error)
        }
    }

    private static func follow(
        _ shim: ShimProcess, _ plan: LaunchPlan, whileMounting: (Int32) throws -> Void
    ) throws -> LaunchedContainer {
        var container = LaunchedContainer(pid: 0, pidStartTime: 0, shimPid: 0, shimStartTime: 0, warnings: [])
        while true {
            switch try shim.receive() {
            case .created(let pid, let startTime, let shimPid, let shimStartTime):
                container.pid = pid
                container.pidStartTime = startTime
                container.shimPid = shimPid
                container.shimStartTime = shimStartTime
                do {
                    try whileMounting(pid)
                } catch {
                    // The shim kills what it has made when this side hangs up, and hangs up itself when that is done.
                    shutdown(shim.channel.raw, Int32(SHUT_WR))
                    waitForEnd(of: shim)
                    throw LaunchError.caller(error)
                }
                shim.send(LaunchMessage.go)
            case .warning(let text): container.warnings.append(text)
            case .started: return container
            case .failed(let record, let errno, let step):
                throw LaunchError(plan, record: record, errno: errno, step: step)
            case .closed, .terminal: throw LaunchError.setup(step: "swcompose-shim ended during launch", errno: ECHILD)
            }
        }
    }

    private static func waitForEnd(of shim: ShimProcess) {
        while let message = try? shim.receive() {
            if case .closed = message { return }
        }
    }

    /// Runs a process in a container; returns when its program runs.
    /// - Throws: ``LaunchError``; ``LaunchError/invalid(_:)`` where the container does not run.
    public static func exec(_ request: ExecLaunch) throws(LaunchError) -> ExecHandle {
        do {
            guard let container = try ContainerProcesses.processes(runDirectory: request.runDirectory)?.container,
                container.isAlive
            else { throw LaunchError.invalid("the container is not running") }
            let binary = try ShimBinary.standard()
            let plan = try LaunchPlanCompiler.plan(for: request, joining: container.pid, startTime: container.startTime)
            var stdio: [Int32]?
            if case .descriptors(let input, let output, let error) = request.stdio { stdio = [input, output, error] }
            let shim = try ShimProcess.start("exec", binary, plan: try plan.encoded(), stdio: stdio)
            do {
                return try follow(shim, plan)
            } catch {
                _ = shim.wait()
                throw error
            }
        } catch {
            throw LaunchError(error)
        }
    }

    private static func follow(_ shim: ShimProcess, _ plan: LaunchPlan) throws -> ExecHandle {
        var child: Int32 = 0
        var terminal: OwnedDescriptor?
        var warnings: [String] = []
        while true {
            switch try shim.receive() {
            case .created(let pid, _, _, _): child = pid
            case .warning(let text): warnings.append(text)
            case .terminal(let descriptor): terminal = descriptor
            case .started: return ExecHandle(shim: shim, pid: child, terminal: terminal, warnings: warnings)
            case .failed(let record, let errno, let step):
                throw LaunchError(plan, record: record, errno: errno, step: step)
            case .closed: throw LaunchError.setup(step: "swcompose-shim ended during exec", errno: ECHILD)
            }
        }
    }
}

/// A process that was started in a running container. When this goes, the process is killed: its terminal or pipes
/// would have nobody at the other end.
public final class ExecHandle: Sendable {
    private let shim: ShimProcess
    private let code = Mutex<Int32?>(nil)
    /// As the host sees it.
    public let pid: Int32
    /// The master of the process's terminal, where it has one.
    public let terminal: OwnedDescriptor?
    public let warnings: [String]

    init(shim: ShimProcess, pid: Int32, terminal: OwnedDescriptor?, warnings: [String]) {
        self.shim = shim
        self.pid = pid
        self.terminal = terminal
        self.warnings = warnings
    }

    deinit {
        // The shim kills the process when this side hangs up. It is waited for, as it would stay a zombie.
        shutdown(shim.channel.raw, Int32(SHUT_RDWR))
        _ = wait()
    }

    /// Blocks until the process has ended, and gives its exit code, 128 and the signal for one that was killed.
    public func wait() -> Int32 {
        code.withLock { code in
            if let code { return code }
            let result = shim.wait()
            code = result
            return result
        }
    }

    /// Lets the process outlive this object and the program that started it.
    public func detach() { shim.send(LaunchMessage.detach) }

    /// Ends the process and its process group.
    public func kill() { shim.send(LaunchMessage.kill) }

    /// Readable when `wait()` would not block.
    /// - Throws: ``SystemError``.
    public func exitDescriptor() throws -> OwnedDescriptor {
        OwnedDescriptor(try check("pidfd_open") { swc_pidfd_open(shim.pid, 0) })
    }

    /// Tells the terminal its size. Without a terminal nothing happens.
    public func resize(_ size: TerminalSize) {
        guard let terminal else { return }
        var window = winsize(ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = swc_ioctl_ptr(terminal.raw, UInt(TIOCSWINSZ), &window)
    }
}
