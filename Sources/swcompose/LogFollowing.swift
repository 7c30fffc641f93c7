internal import ComposeFile
internal import LocalEngine
internal import Orchestration
internal import Rendering

/// `logs -f`: goes on until none of the containers has run for a moment, and takes up new and restarted ones.
struct LogFollowing {
    let session: Session
    let target: ProjectTarget
    /// Empty: all.
    let services: Set<String>
    let index: Int?
    let selection: LogSelection

    private enum Input: Sendable {
        case event(ContainerEvent)
        case look
        case settled
        case interrupt
    }
    /// What `restart` stops is started again within this time.
    private static let moment = Duration.milliseconds(300)

    /// - Throws: ``ExitStatus/interrupted`` on a signal; errors of reading.
    func run(_ containers: [ObservedContainer], printer: sending LogPrinter) async throws {
        let signals = try HostSignals.interrupts()
        let follower = try LogFollower(printer: printer)
        for container in containers { add(container, follower, selection) }
        let printing = Task { try await follower.run() }
        var alive = Set(containers.filter(Self.lives).map(\.id))
        var interrupted = false
        if !alive.isEmpty {
            let (inputs, feed) = AsyncStream.makeStream(of: Input.self)
            let events = EventFeed(session: session, project: target.name)
            let tasks = [
                Task { for await _ in signals { feed.yield(.interrupt) } },
                Task {
                    await events.run(deliver: { feed.yield(.event($0)) }, connected: { feed.yield(.look) })
                    feed.finish()
                },
            ]
            loop: for await input in inputs {
                switch input {
                case .interrupt:
                    interrupted = true
                    break loop
                case .event(let event): handle(event, &alive, follower)
                case .look: alive = try look(alive, follower)
                case .settled where alive.isEmpty: break loop
                case .settled: continue
                }
                if alive.isEmpty {
                    Task {
                        try? await Task.sleep(for: Self.moment)
                        feed.yield(.settled)
                    }
                }
            }
            for task in tasks { task.cancel() }
        }
        follower.stop()
        try await printing.value
        if interrupted { throw ExitStatus.interrupted }
    }

    private static func lives(_ container: ObservedContainer) -> Bool {
        [.running, .paused, .restarting].contains(container.state)
    }

    private func concerns(_ container: ContainerSummary) -> Bool {
        (services.isEmpty || services.contains(container.service)) && index.map { $0 == container.number } ?? true
    }

    private func handle(_ event: ContainerEvent, _ alive: inout Set<ContainerID>, _ follower: LogFollower) {
        let container = event.container
        guard concerns(container) else { return }
        switch event.action {
        case .start, .restart:
            alive.insert(container.id)
            follower.add(
                id: container.id.value,
                name: ContainerTexts.shortName(
                    container.name, project: target.name, service: container.service, number: container.number),
                path: session.logPath(containerNamed: container.name, of: target.name),
                selection: LogSelection(since: Timestamp(seconds: event.time - 1)))
        case .die:
            guard alive.contains(container.id) else { return }
            let again = event.willRestart ? " (restarting)" : ""
            follower.finished(id: container.id.value, status: "exited with code \(event.exitCode ?? 0)\(again)")
            if !event.willRestart { alive.remove(container.id) }
        case .destroy: alive.remove(container.id)
        case .create, .stop, .healthStatus, .kill, .oom: break
        }
    }

    /// After nobody told for a while: what has ended meanwhile, and what is new.
    private func look(_ alive: Set<ContainerID>, _ follower: LogFollower) throws -> Set<ContainerID> {
        let found = try session.store.containers(of: target.name).filter { container in
            !container.isOneOff && (services.isEmpty || container.service.map(services.contains) ?? false)
                && index.map { $0 == container.number } ?? true
        }
        for container in found where alive.contains(container.id) && !Self.lives(container) {
            follower.finished(
                id: container.id.value, status: container.exit.map { "exited with code \($0.code)" })
        }
        for container in found where Self.lives(container) { add(container, follower, LogSelection()) }
        return Set(found.filter(Self.lives).map(\.id))
    }

    private func add(_ container: ObservedContainer, _ follower: LogFollower, _ selection: LogSelection) {
        follower.add(
            id: container.id.value, name: ContainerTexts.shortName(of: container),
            path: session.store.directory(of: container).log, selection: selection)
    }
}
