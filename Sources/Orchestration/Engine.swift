/// What Orchestration asks of whatever runs containers. The reconciler decides; an engine only does what one call
/// says. Every call is idempotent where it can be: creating what exists as asked and removing what is gone are
/// not errors. Calls for different objects may run at once.
public protocol Engine: Sendable {
    /// Everything of the project that exists now: containers, networks and volumes that carry its label.
    func observe(project: String) async throws -> ObservedProject

    /// The image as it is in the local store; nil where it is not there.
    func image(_ reference: String) async throws -> ImageSummary?
    func removeImage(_ reference: String) async throws

    /// A network of any project by its name on the host.
    func network(named name: String) async throws -> ObservedNetwork?
    func createNetwork(_ spec: NetworkSpec) async throws
    /// Throws ``EngineError/inUse(_:)`` while containers are attached.
    func removeNetwork(named name: String) async throws

    func volume(named name: String) async throws -> ObservedVolume?
    func createVolume(_ spec: VolumeSpec) async throws
    /// Throws ``EngineError/inUse(_:)`` while a container refers to it.
    func removeVolume(named name: String) async throws

    /// Creates a container without starting it; checks that its name is free on the whole host.
    func createContainer(_ spec: ContainerSpec) async throws -> ContainerID
    /// Starts a created or exited container; returns once its process has been executed. Published ports are
    /// bound and its names resolvable by then.
    func startContainer(_ id: ContainerID) async throws
    /// Sends `signal` (default: the container's own stop signal), waits `timeout` (default: its grace period),
    /// then kills. Returns when the container has exited. Marks it as stopped on purpose.
    func stopContainer(_ id: ContainerID, signal: String?, timeout: Duration?) async throws
    /// Sends a signal to PID 1. Throws ``EngineError/notRunning(_:)``.
    func killContainer(_ id: ContainerID, signal: String) async throws
    /// Removes a container that does not run; with `volumes` also its anonymous volumes.
    func removeContainer(_ id: ContainerID, volumes: Bool) async throws
    func renameContainer(_ id: ContainerID, to name: String) async throws
    /// Runs a command in a running container to its end; output (both streams, in order) is cut at
    /// `outputLimit` bytes. On time-out the process is killed and ``ExecResult/timedOut`` set.
    func exec(_ id: ContainerID, _ request: ExecRequest) async throws -> ExecResult
    /// Stores what the reconciler wants remembered beside the container (health, restart count).
    func recordHealth(_ id: ContainerID, _ health: HealthRecord) async throws
    func recordRestart(_ id: ContainerID, count: Int, restarting: Bool) async throws

    /// Exits and other changes from now on. Each call makes an independent stream. For every run of a container it
    /// has `started`, yielded before `startContainer` returns, and then one `exited`; so an exit can be told from
    /// that of the run before.
    func events() async -> AsyncStream<EngineEvent>
}

/// 64 hexadecimal digits.
public struct ContainerID: Hashable, Sendable, Codable, CustomStringConvertible {
    public let value: String
    public init(_ value: String) { self.value = value }
    /// The first twelve digits, as Docker prints them.
    public var short: String { String(value.prefix(12)) }
    public var description: String { value }
    public init(from decoder: any Decoder) throws { value = try decoder.singleValueContainer().decode(String.self) }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

public enum EngineError: Error, Sendable, Equatable, CustomStringConvertible {
    case noSuchContainer(String)
    case noSuchImage(String)
    case noSuchNetwork(String)
    case noSuchVolume(String)
    case nameTaken(name: String, by: ContainerID)
    case notRunning(String)
    case inUse(String)
    /// `port` is held by `holder` (a process name and pid, or a container), where that could be found out.
    case portTaken(port: String, holder: String?)
    /// The container's process could not be started: `code` is 126, 127 or 128.
    case startFailed(container: String, reason: String, code: Int32)
    case unsupported(String)
    case failed(String)

    public var description: String {
        switch self {
        case .noSuchContainer(let name): "No such container: \(name)"
        case .noSuchImage(let name): "No such image: \(name)"
        case .noSuchNetwork(let name): "network \(name) not found"
        case .noSuchVolume(let name): "no such volume: \(name)"
        case .nameTaken(let name, let id):
            "the container name \"\(name)\" is already in use by container \(id.short); remove or rename that container"
        case .notRunning(let name): "container \(name) is not running"
        case .inUse(let what): "\(what) is still in use"
        case .portTaken(let port, let holder):
            "port \(port) is already allocated" + (holder.map { " (held by \($0))" } ?? "")
        case .startFailed(let container, let reason, _): "cannot start container \(container): \(reason)"
        case .unsupported(let what), .failed(let what): what
        }
    }
}

public struct ExecRequest: Sendable, Equatable {
    public var argv: [String] = []
    public var user: String?
    public var workingDir: String?
    /// Added to the container's environment; nil removes.
    public var environment: [String: String?] = [:]
    public var privileged = false
    public var timeout: Duration?
    /// Bytes of output kept.
    public var outputLimit = 4096
    public init() {}
}

public struct ExecResult: Sendable, Equatable {
    /// 0–255; 126/127 where the command could not be executed.
    public var exitCode: Int32
    public var output: String
    public var timedOut: Bool
    public init(exitCode: Int32, output: String, timedOut: Bool = false) {
        self.exitCode = exitCode
        self.output = output
        self.timedOut = timedOut
    }
}

public enum EngineEvent: Sendable, Equatable {
    case started(ContainerID)
    case exited(ContainerID, ExitRecord)
    case created(ContainerID)
    case removed(ContainerID)
    /// A health verdict was recorded.
    case health(ContainerID, HealthRecord.Status)
}
