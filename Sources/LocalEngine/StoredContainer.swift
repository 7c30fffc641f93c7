internal import Networking
public import Orchestration

/// `config.json`: a container as it was created. Never changes but for its name.
public struct StoredContainer: Codable, Sendable, Equatable {
    public var id: ContainerID
    /// Project whose directory it is in.
    public var project: String
    public var spec: ContainerSpec
    /// Seconds since the epoch.
    public var createdAt: Double
    /// Names of its anonymous volumes by target.
    public var anonymousVolumes: [String: String]
}

/// `state.json`: what changes over a container's life. Written whole at each change, by the project's supervisor only.
public struct StoredState: Codable, Sendable, Equatable {
    /// Seconds since the epoch; nil: never started.
    public var startedAt: Double?
    /// Of the last run; nil while it runs.
    public var exit: ExitRecord?
    public var health: HealthRecord?
    public var restartCount = 0
    public var restarting = false
    public var stoppedOnPurpose = false
    /// Of the current or last run.
    var interfaces: [AttachedInterface] = []
    public var publishers: [Publisher] = []
    /// The service's or the image's.
    public var stopSignal: String?
    /// Command of PID 1, for `ps`.
    public var command: [String] = []

    public init() {}
}
