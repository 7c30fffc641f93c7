public import ComposeFile

/// Keeps one project as it is wished to be: takes requests, plans from what is desired and what is there, executes,
/// and between requests looks after health and restarts. It remembers nothing that it could not find again: after
/// a crash, a new one that ``adopt()``s goes on where the old one was.
public actor ProjectReconciler {
    /// Everything a reconciler needs from outside.
    public struct Dependencies: Sendable {
        public var engine: any Engine
        public var time: TimeSource
        /// Of this program, for labels.
        public var version: String
        /// What of a project cannot be done, in words.
        public var refusals: @Sendable (Project) -> [String]
        /// Stores the project as last accepted; nil after `down`.
        public var saveDesired: @Sendable (Project?) async throws -> Void

        public init(
            engine: any Engine, time: TimeSource, version: String,
            refusals: @escaping @Sendable (Project) -> [String] = { _ in [] },
            saveDesired: @escaping @Sendable (Project?) async throws -> Void
        ) {
            self.engine = engine
            self.time = time
            self.version = version
            self.refusals = refusals
            self.saveDesired = saveDesired
        }
    }

    public let name: String
    let dependencies: Dependencies
    let live: LiveContainers
    /// The project as last accepted; nil where none was, and after `down`.
    public internal(set) var desired: Project?
    var engine: any Engine { dependencies.engine }

    private var pump: Task<Void, Never>?
    private var active: [Int: Active] = [:]
    private var lastMutation: Task<Void, Never>?
    private var lastSubscription: Task<AsyncStream<ContainerEvent>, Never>?
    private var nextID = 0

    /// A request that has not ended.
    private struct Active {
        var task: Task<Void, Never>
        /// Makes or starts things, so that a command that takes them away may end it.
        var isInterruptible: Bool
        var onlyListens: Bool
        var isRunning = false
        var interruptedBy: String?
    }

    public init(name: String, desired: Project? = nil, dependencies: Dependencies) {
        self.name = name
        self.desired = desired
        self.dependencies = dependencies
        live = LiveContainers(engine: dependencies.engine, time: dependencies.time)
    }

    /// To be called once before the first request: follows the engine's events from now on and takes over what exists.
    public func adopt() async throws {
        let events = await engine.events()
        pump = Task { [live] in
            for await event in events { await live.handle(event) }
        }
        await live.adopt(try await engine.observe(project: name).containers)
    }

    /// Ends following events; containers stay as they are.
    public func shutDown() {
        pump?.cancel()
        for request in active.values { request.task.cancel() }
    }

    /// No containers are left and nothing is being done: the process that hosts this may exit.
    public func isIdle() async throws -> Bool {
        guard !isBusy else { return false }
        let observed = try await engine.observe(project: name)
        return observed.containers.isEmpty && !isBusy
    }

    /// Those who only listen do not count.
    private var isBusy: Bool { active.values.contains { !$0.onlyListens } }

    /// What happens to the containers from now on.
    public func events() async -> AsyncStream<ContainerEvent> { await live.subscribe() }

    // MARK: Requests

    /// Does what is asked. The stream ends with `done` or `failed`; dropping it cancels the request, which leaves
    /// every operation that was begun complete. Requests that change something are done one after the other;
    /// `stop`, `down` and `kill` end a `up`, `create`, `start` or `restart` that is under way or waits its turn,
    /// and `kill` waits for nobody else. What is handled after `events` is seen by it from its beginning.
    public func handle(_ request: Request) -> AsyncStream<Message> {
        let (stream, continuation) = AsyncStream<Message>.makeStream()
        nextID += 1
        let id = nextID
        let send: @Sendable (Message) -> Void = { continuation.yield($0) }
        let cancelled = request.interrupts.map { interrupt(by: $0) } ?? []
        var subscription: Task<AsyncStream<ContainerEvent>, Never>?
        if case .events = request {
            subscription = Task { [live] in await live.subscribe() }
            lastSubscription = subscription
        }
        let before: [Task<Void, Never>]
        switch request.order {
        case .any: before = []
        case .afterInterrupted: before = cancelled
        case .inTurn: before = lastMutation.map { [$0] } ?? []
        }
        let earlier = lastSubscription
        let task = Task {
            _ = await earlier?.value
            for other in before { await other.value }
            if let subscription {
                for await event in await subscription.value { send(.event(event)) }
            }
            await self.run(request, id: id, send: send)
            continuation.finish()
        }
        active[id] = Active(
            task: task, isInterruptible: request.isInterruptible, onlyListens: request.order == .any)
        if request.order == .inTurn { lastMutation = task }
        continuation.onTermination = { if case .cancelled = $0 { task.cancel() } }
        return stream
    }

    /// Returns the requests that had begun and are now ending.
    private func interrupt(by command: String) -> [Task<Void, Never>] {
        var running: [Task<Void, Never>] = []
        for (id, request) in active where request.isInterruptible {
            active[id]?.interruptedBy = command
            request.task.cancel()
            if request.isRunning { running.append(request.task) }
        }
        return running
    }

    private func run(_ request: Request, id: Int, send: @escaping @Sendable (Message) -> Void) async {
        active[id]?.isRunning = true
        defer { active[id] = nil }
        do {
            try Task.checkCancellation()
            let services = try await perform(request, send: send)
            send(.done(containers: await live.summaries(of: services)))
        } catch let failure as Failure {
            send(.failed(failure))
        } catch is CancellationError {
            let reason = active[id]?.interruptedBy.map { "interrupted by \($0)" } ?? "canceled"
            send(.failed(Failure(reason)))
        } catch {
            send(.failed(Failure("\(error)")))
        }
    }
}

extension Request {
    enum Order { case any, afterInterrupted, inTurn }

    fileprivate var order: Order {
        switch self {
        case .events, .ping: .any
        case .kill: .afterInterrupted
        case .up, .create, .down, .start, .stop, .restart, .remove: .inTurn
        }
    }

    fileprivate var isInterruptible: Bool {
        switch self {
        case .up, .create, .start, .restart: true
        case .down, .stop, .kill, .remove, .events, .ping: false
        }
    }

    /// The command's name where it ends what makes or starts things.
    fileprivate var interrupts: String? {
        switch self {
        case .down: "down"
        case .stop: "stop"
        case .kill: "kill"
        case .up, .create, .start, .restart, .remove, .events, .ping: nil
        }
    }
}
