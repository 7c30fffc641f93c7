public import ComposeFile

/// What is to be done, and why: a graph of operations without cycles. It is made without touching anything, prints as
/// one line per operation, and is run by ``Executor``.
public struct Plan: Sendable, Equatable {
    /// Indexed by ``Operation/id``.
    public private(set) var operations: [Operation] = []
    /// Said to the user before anything is done.
    public var warnings: [String] = []

    public init() {}

    /// Adds an operation and returns its id.
    @discardableResult
    mutating func add(
        _ kind: Operation.Kind, cause: Cause, after prerequisites: [Operation.Prerequisite] = []
    ) -> Operation.ID {
        let id = operations.count
        operations.append(Operation(id: id, kind: kind, prerequisites: prerequisites.merged(), cause: cause))
        return id
    }

    /// Makes an operation wait for others that were added after it. The caller sees to it that no cycle arises.
    mutating func require(_ prerequisites: [Operation.Prerequisite], before id: Operation.ID) {
        guard !prerequisites.isEmpty else { return }
        operations[id].prerequisites = (operations[id].prerequisites + prerequisites).merged()
    }
}

/// One step of a plan.
public struct Operation: Sendable, Equatable, Identifiable {
    public typealias ID = Int
    public let id: ID
    public let kind: Kind
    public internal(set) var prerequisites: [Prerequisite]
    public let cause: Cause

    /// Another operation that has to end before this one begins.
    public struct Prerequisite: Sendable, Hashable {
        public var id: Operation.ID
        /// False: this operation is run although that one failed.
        public var isRequired: Bool
        public init(_ id: Operation.ID, isRequired: Bool = true) {
            self.id = id
            self.isRequired = isRequired
        }
    }

    public enum Kind: Sendable, Equatable {
        case createNetwork(NetworkSpec)
        case removeNetwork(name: String)
        case createVolume(VolumeSpec)
        case removeVolume(name: String)
        case removeImage(String)
        indirect case create(ContainerBlueprint)
        /// Makes the new one under a temporary name, stops and removes the old one, and gives the new one its name.
        indirect case recreate(ContainerBlueprint, old: ObservedContainer, options: RecreateOptions)
        case rename(ContainerTarget, to: String)
        case start(ContainerTarget, hooks: [Hook])
        case stop(ContainerTarget, options: StopOptions)
        case restart(ContainerTarget, options: StopOptions, hooks: [Hook])
        case kill(ContainerTarget, signal: String)
        case remove(ContainerTarget, volumes: Bool)
        /// Waits until all of these containers of `service` are in the state that `condition` asks for.
        case wait(service: String, containers: [ContainerTarget], condition: WaitCondition)
        /// Nothing to do: only tells the user how things are.
        case report(ProgressEvent)
    }
}

/// What an operation waits for.
public enum WaitCondition: Sendable, Equatable {
    case healthy
    case completedSuccessfully
    /// `--wait`: healthy where there is a health check, running for a moment otherwise.
    case runningOrHealthy

    var description: String {
        switch self {
        case .healthy: "healthy"
        case .completedSuccessfully: "completed successfully"
        case .runningOrHealthy: "running or healthy"
        }
    }
}

/// How a container that a plan stops is to be stopped.
public struct StopOptions: Sendable, Equatable {
    /// nil: the container's own grace period.
    public var timeout: Duration?
    /// `pre_stop`, run before the signal.
    public var hooks: [Hook]
    public init(timeout: Duration? = nil, hooks: [Hook] = []) {
        self.timeout = timeout
        self.hooks = hooks
    }
}

public struct RecreateOptions: Sendable, Equatable {
    public var stop: StopOptions
    /// The old container's anonymous volumes go with it.
    public var dropAnonymousVolumes: Bool
    public init(stop: StopOptions = StopOptions(), dropAnonymousVolumes: Bool = false) {
        self.stop = stop
        self.dropAnonymousVolumes = dropAnonymousVolumes
    }
}

/// A container that an operation works on: one that exists, or one that an earlier operation of the plan makes.
public struct ContainerTarget: Sendable, Hashable {
    public enum Identity: Sendable, Hashable {
        case existing(ContainerID)
        case madeBy(Operation.ID)
    }
    public var identity: Identity
    /// Its name when the plan is done.
    public var name: String
    public var service: String
    public var number: Int

    public init(_ identity: Identity, name: String, service: String, number: Int) {
        self.identity = identity
        self.name = name
        self.service = service
        self.number = number
    }

    init(_ container: ObservedContainer) {
        self.init(
            .existing(container.id), name: container.spec.name, service: container.service ?? "",
            number: container.number ?? 0)
    }
}

extension [Operation.Prerequisite] {
    /// One entry per operation; required wins.
    func merged() -> [Operation.Prerequisite] {
        guard count > 1 else { return self }
        var required: [Operation.ID: Bool] = [:]
        required.reserveCapacity(count)
        for entry in self { required[entry.id] = entry.isRequired || (required[entry.id] ?? false) }
        return required.sorted { $0.key < $1.key }.map { Operation.Prerequisite($0.key, isRequired: $0.value) }
    }

    init(required ids: some Sequence<Operation.ID>) { self = ids.map { Operation.Prerequisite($0) } }
}
