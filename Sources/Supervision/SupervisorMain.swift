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
    /// See ``Presence``.
    private static let linger = Duration.seconds(20)

    /// - Throws: ``SystemError`` and the engine's errors at start; nothing afterwards.
    public static func run(project: String, paths: HostPaths, version: String) async throws {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGHUP, SIG_IGN)
        umask(0o022)
        guard let lock = try takeLock(paths.supervisorLock(project)) else { exit(anotherRuns) }
        let watcher = Watcher()
        raiseDescriptorLimit()
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
        // Who started it may not have waited.
        try? Files.writeAll(SupervisorProcess.readyDescriptor, [1])
        close(SupervisorProcess.readyDescriptor)

        let presence = Presence(engine: engine, reconciler: reconciler, linger: linger)
        let events = await engine.events()
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                do {
                    try await server.run(arrived: { await presence.arrived() }, left: { await presence.left() }) {
                        await reconciler.handle($0)
                    }
                } catch {
                    // The next command starts another supervisor, which can listen again.
                    try? Files.writeAll(2, Array("control socket: \(error)\n".utf8))
                }
            }
            tasks.addTask { await presence.waitUntilUnneeded() }
            tasks.addTask {
                for await event in events {
                    switch event {
                    case .exited, .removed: await presence.containersChanged()
                    case .created, .started, .health: break
                    }
                }
            }
            await tasks.next()
            await presence.leave()
            tasks.cancelAll()
        }
        await engine.shutDown()
        watcher?.dismiss()
        leave(project: project, paths: paths, lock: lock)
    }

    /// nil where another has it.
    private static func takeLock(_ path: String) throws -> FileLock? {
        for _ in 0..<100 {
            // One that leaves may remove the directory between its making and the lock's.
            do { return try FileLock(trying: path) } catch let error as SystemError
                where error.errno == .noSuchFileOrDirectory
            {}
        }
        return try FileLock(trying: path)
    }

    /// A container takes a handful of descriptors here, and the usual limit of 1024 is soon reached.
    private static func raiseDescriptorLimit() {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 1 << 20))
        _ = setrlimit(resource, &limit)
    }

    /// Ends the process; of a project without containers nothing stays in /run.
    private static func leave(project: String, paths: HostPaths, lock: FileLock) -> Never {
        let directory = paths.projectRun(project)
        unlink(paths.supervisorSocket(project))
        unlink(SupervisorProcess.logPath(project, paths))
        withExtendedLifetime(lock) {
            unlink(paths.supervisorLock(project))
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
