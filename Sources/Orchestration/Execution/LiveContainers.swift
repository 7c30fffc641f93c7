/// The containers of one project as they are now: follows their exits, probes their health, applies restart policies,
/// lets others wait for a state, and tells what happens. It learns of changes from the engine's events and from
/// whoever starts and stops containers, who says so beforehand.
public actor LiveContainers {
    let engine: any Engine
    let time: TimeSource
    var entries: [ContainerID: Entry] = [:]
    /// Of containers that were not adopted yet; nil from the first adoption on.
    var earlyExits: [ContainerID: ExitRecord]? = [:]
    private var waiters: [ContainerID: [Int: Waiter]] = [:]
    private var subscribers: [Int: AsyncStream<ContainerEvent>.Continuation] = [:]
    private var nextToken = 0

    struct Entry {
        var spec: ContainerSpec
        var name: String
        var phase: Phase
        var health: HealthMachine?
        var restart: RestartMachine
        /// Stopped by a command, or about to be.
        var onPurpose = false
        /// Starts asked for whose `started` event has not come yet: until then an exit is that of the run before.
        var pendingStarts = 0
        /// Counts the runs, so that what belongs to one is not mistaken for another's.
        var run = 0
        /// On the time source's scale.
        var startedAt: Duration = .zero
        /// What a command did and is told only after the exit, or the start, that belongs to it: the engine's events
        /// may come later than its answers.
        var afterExit: [ContainerEvent.Action] = []
        var afterStart: [ContainerEvent.Action] = []
        /// Removed; known until its exit has been told.
        var isGone: Bool { afterExit.contains(.destroy) }
        var probing: Task<Void, Never>?
        var restarting: Task<Void, Never>?
    }

    /// Where a container is in its life.
    public enum Phase: Sendable, Equatable {
        case created, running
        /// Exited, and going to be started again by its policy.
        case restarting
        case exited(ExitRecord)
    }

    /// What a waiter looks at.
    public struct Snapshot: Sendable, Equatable {
        public var name: String
        public var phase: Phase
        public var isStarting: Bool
        /// nil: no health check.
        public var health: HealthRecord.Status?
        /// What the newest probe of an unhealthy container had to say.
        public var lastProbe: String?
        public var run: Int
    }

    private struct Waiter {
        var test: @Sendable (Snapshot) -> Result<Void, Failure>?
        var continuation: CheckedContinuation<Void, any Error>
    }

    public init(engine: any Engine, time: TimeSource) {
        self.engine = engine
        self.time = time
    }

    // MARK: Knowing containers

    func created(_ id: ContainerID, spec: ContainerSpec) {
        entries[id] = Entry(spec: spec, name: spec.name, phase: .created, restart: RestartMachine(spec.restart))
        publish(.create, id)
    }

    func renamed(_ id: ContainerID, to name: String) { entries[id]?.name = name }

    func removed(_ id: ContainerID) {
        guard let entry = entries[id], !entry.isGone else { return }
        entry.probing?.cancel()
        entry.restarting?.cancel()
        for waiter in (waiters.removeValue(forKey: id) ?? [:]).values {
            waiter.continuation.resume(throwing: Failure("No such container: \(entry.name)"))
        }
        if entry.phase == .running {
            entries[id]?.afterExit.append(.destroy)
        } else {
            publish(.destroy, id)
            entries[id] = nil
        }
    }

    public func snapshot(of id: ContainerID) -> Snapshot? { known(id).map(Self.snapshot) }

    private func known(_ id: ContainerID) -> Entry? { entries[id].flatMap { $0.isGone ? nil : $0 } }

    private static func snapshot(_ entry: Entry) -> Snapshot {
        let hasCheck = HealthSchedule(entry.spec.healthcheck) != nil
        return Snapshot(
            name: entry.name, phase: entry.phase, isStarting: entry.pendingStarts > 0,
            health: hasCheck ? entry.health?.record.status ?? .starting : nil,
            lastProbe: entry.health.flatMap { $0.record.status == .unhealthy ? $0.record.log.last?.told : nil },
            run: entry.run)
    }

    /// Containers of these services (empty: all), without one-offs, by name.
    func summaries(of services: Set<String>) -> [ContainerSummary] {
        entries.compactMap { id, entry in
            guard !entry.isGone, entry.spec.labels[Label.oneOff] != "True" else { return nil }
            let summary = Self.summary(id, entry)
            return services.isEmpty || services.contains(summary.service) ? summary : nil
        }.sorted { $0.name < $1.name }
    }

    private static func summary(_ id: ContainerID, _ entry: Entry) -> ContainerSummary {
        ContainerSummary(
            id: id, name: entry.name, service: entry.spec.labels[Label.service] ?? "",
            number: entry.spec.labels[Label.containerNumber].flatMap { Int($0) } ?? 0)
    }

    // MARK: Waiting

    /// Suspends until `test` has an answer for the container's state.
    /// - Throws: that answer's failure; ``Failure`` when the container is removed; `CancellationError`.
    public func wait(
        for id: ContainerID, until test: @escaping @Sendable (Snapshot) -> Result<Void, Failure>?
    ) async throws {
        guard let entry = known(id) else { throw Failure("No such container: \(id.short)") }
        if let answer = test(Self.snapshot(entry)) { return try answer.get() }
        let token = makeToken()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else {
                    waiters[id, default: [:]][token] = Waiter(test: test, continuation: continuation)
                }
            }
        } onCancel: {
            Task { await self.cancelWaiter(id, token) }
        }
    }

    private func cancelWaiter(_ id: ContainerID, _ token: Int) {
        waiters[id]?.removeValue(forKey: token)?.continuation.resume(throwing: CancellationError())
    }

    /// To be called after every change of an entry that somebody may wait for.
    func changed(_ id: ContainerID) {
        guard let entry = entries[id], let waiting = waiters[id] else { return }
        let snapshot = Self.snapshot(entry)
        for (token, waiter) in waiting {
            guard let answer = waiter.test(snapshot) else { continue }
            waiters[id]?[token] = nil
            waiter.continuation.resume(with: answer.mapError { $0 as any Error })
        }
    }

    // MARK: Telling

    /// What happens from now on, until the stream is dropped.
    public func subscribe() -> AsyncStream<ContainerEvent> {
        let token = makeToken()
        return AsyncStream { continuation in
            subscribers[token] = continuation
            continuation.onTermination = { _ in Task { await self.unsubscribe(token) } }
        }
    }

    private func unsubscribe(_ token: Int) { subscribers[token] = nil }

    func publish(
        _ action: ContainerEvent.Action, _ id: ContainerID, change: (inout ContainerEvent) -> Void = { _ in }
    ) {
        guard !subscribers.isEmpty, let entry = entries[id] else { return }
        var event = ContainerEvent(action: action, container: Self.summary(id, entry), time: time.wallClock())
        change(&event)
        for subscriber in subscribers.values { subscriber.yield(event) }
    }

    private func makeToken() -> Int {
        nextToken += 1
        return nextToken
    }
}
