internal import CLinux
import FoundationEssentials
internal import LocalEngine
public import LinuxSystem
internal import NIOCore
internal import NIOPosix
internal import ComposeFile
internal import Orchestration

/// The supervisor process of one project: takes the project's lock, adopts what runs, listens, and leaves when there
/// is nothing left to look after.
public enum SupervisorMain {
    /// Exit status that says: another supervisor has this project.
    static let anotherRuns: CInt = 75
    /// How long a supervisor without running containers and without clients waits for the next command.
    private static let linger = Duration.seconds(20)

    /// - Throws: ``SystemError`` and the engine's errors at start; nothing afterwards.
    public static func run(project: String, paths: HostPaths, version: String) async throws {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGHUP, SIG_IGN)
        umask(0o022)
        guard let lock = try FileLock(trying: "\(paths.projectRun(project))/lock") else { exit(anotherRuns) }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let engine = try await LocalEngine(project: project, paths: paths, group: group)
        let state = DesiredState(path: "\(paths.project(project))/project.json")
        let dependencies = ProjectReconciler.Dependencies(
            engine: engine,
            time: TimeSource(ContinuousClock(), wallClock: { Date().timeIntervalSince1970 }),
            version: version, saveDesired: { state.save($0) })
        let reconciler = ProjectReconciler(name: project, desired: state.load(), dependencies: dependencies)
        try await engine.adopt()
        try await reconciler.adopt()

        let server = try await ControlServer.listen(on: paths.supervisorSocket(project), group: group)
        try Files.writeAll(SupervisorProcess.readyDescriptor, [1])
        close(SupervisorProcess.readyDescriptor)

        let presence = Presence(engine: engine, linger: linger)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try? await server.run(connectionsChanged: { await presence.connections($0) }) { request in
                    await reconciler.handle(request)
                }
            }
            tasks.addTask { await presence.waitUntilUnneeded() }
            await tasks.next()
            tasks.cancelAll()
        }
        await engine.shutDown()
        leave(project: project, paths: paths, lock: lock)
    }

    /// Ends the process; of a project without containers nothing stays in /run.
    private static func leave(project: String, paths: HostPaths, lock: FileLock) -> Never {
        let directory = paths.projectRun(project)
        unlink(paths.supervisorSocket(project))
        unlink(SupervisorProcess.logPath(project, paths))
        withExtendedLifetime(lock) {
            unlink("\(directory)/lock")
            rmdir(directory)
            rmdir("\(paths.run)/projects")
            rmdir(paths.run)
        }
        exit(0)
    }
}

/// `project.json`: the project as last accepted.
private struct DesiredState: Sendable {
    let path: String

    func load() -> Project? {
        guard let bytes = try? Files.read(path) else { return nil }
        return try? JSONDecoder().decode(Project.self, from: Data(bytes))
    }

    func save(_ project: Project?) {
        guard let project else {
            unlink(path)
            return
        }
        // Losing it costs nothing that the next `up` does not bring.
        guard let bytes = try? JSONEncoder().encode(project) else { return }
        try? Files.makeDirectories(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
        try? Files.replace(path, with: [UInt8](bytes), mode: 0o600)
    }
}

/// Knows when a supervisor is no longer needed: at once when the project has no containers left, after a while when
/// none runs; never while somebody is connected.
private actor Presence {
    private let engine: LocalEngine
    private let linger: Duration
    private var open = 0
    private var waiting: CheckedContinuation<Void, Never>?
    private var unneeded = false
    private var pause: Task<Void, Never>?

    init(engine: LocalEngine, linger: Duration) {
        self.engine = engine
        self.linger = linger
    }

    func connections(_ count: Int) async {
        open = count
        pause?.cancel()
        pause = nil
        guard count == 0 else { return }
        await consider()
    }

    private func consider() async {
        let state = await engine.occupancy
        guard open == 0 else { return }
        switch state {
        case .empty: finish()
        case .stopped:
            pause = Task { [linger] in
                try? await Task.sleep(for: linger)
                if !Task.isCancelled { await self.considerLeaving() }
            }
        case .running: break
        }
    }

    private func considerLeaving() async {
        let state = await engine.occupancy
        if open == 0, state != .running { finish() }
    }

    private func finish() {
        unneeded = true
        waiting?.resume()
        waiting = nil
    }

    func waitUntilUnneeded() async {
        if unneeded { return }
        await withCheckedContinuation { waiting = $0 }
    }
}
