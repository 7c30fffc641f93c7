public import ComposeFile

/// What a command asks the reconciler to do. Services are names already checked and expanded by the caller; an
/// empty list means all.
public enum Request: Codable, Sendable, Equatable {
    case up(Project, UpOptions)
    case create(Project, UpOptions)
    case down(Project?, DownOptions)
    case start(Project?, services: [String], wait: Bool = false)
    case stop(Project?, services: [String], timeout: Duration?)
    case restart(Project?, services: [String], timeout: Duration?, noDeps: Bool)
    case kill(Project?, services: [String], signal: String, removeOrphans: Bool)
    /// `stop`: stop running ones first; `volumes`: anonymous volumes too. Interactive confirmation is the caller's.
    case remove(Project?, services: [String], stop: Bool, volumes: Bool)
    /// Streams ``Message/event(_:)`` until the connection closes.
    case events
    case ping
}

public struct UpOptions: Codable, Sendable, Equatable {
    public enum Recreate: String, Codable, Sendable { case diverged, force, never }
    /// Empty: all. Dependencies are added by the planner unless `noDeps`.
    public var services: [String] = []
    public var noDeps = false
    public var noStart = false
    public var recreate: Recreate = .diverged
    /// For dependencies that were not named.
    public var recreateDependencies: Recreate = .diverged
    public var renewAnonymousVolumes = false
    public var removeOrphans = false
    public var ignoreOrphans = false
    /// Overrides replicas by service.
    public var scale: [String: Int] = [:]
    /// Stop time-out for what is recreated or scaled down; nil: each container's own.
    public var timeout: Duration?
    /// Return only when every service is running or healthy.
    public var wait = false
    public var waitTimeout: Duration?
    /// `_` instead of `-` between the parts of container names.
    public var compatibilityNames = false
    public init() {}
}

public struct DownOptions: Codable, Sendable, Equatable {
    public enum RemoveImages: String, Codable, Sendable { case none, local, all }
    public var services: [String] = []
    public var volumes = false
    public var removeImages: RemoveImages = .none
    public var removeOrphans = false
    public var ignoreOrphans = false
    public var timeout: Duration?
    public init() {}
}

/// What comes back, in order; the last is `done` or `failed`.
public enum Message: Codable, Sendable, Equatable {
    case progress(ProgressEvent)
    case warning(String)
    case event(ContainerEvent)
    /// Containers that the request left in place, for whoever attaches to them.
    case done(containers: [ContainerSummary])
    case failed(Failure)
}

public struct Failure: Error, Codable, Sendable, Equatable, CustomStringConvertible {
    public var message: String
    public var exitCode: Int32
    public init(_ message: String, exitCode: Int32 = 1) {
        self.message = message
        self.exitCode = exitCode
    }
    public var description: String { message }
}

public struct ContainerSummary: Codable, Sendable, Equatable {
    public var id: ContainerID
    public var name: String
    public var service: String
    public var number: Int
    public init(id: ContainerID, name: String, service: String, number: Int) {
        self.id = id
        self.name = name
        self.service = service
        self.number = number
    }
}

/// One change of one object, as Docker Compose shows it: ` Container web-1  Started`.
public struct ProgressEvent: Codable, Sendable, Equatable {
    public enum Object: String, Codable, Sendable {
        case container = "Container", network = "Network", volume = "Volume", image = "Image"
        /// Part of an image; it is called by its digest alone.
        case layer = "Layer"
    }
    public enum Status: String, Codable, Sendable {
        case creating = "Creating", created = "Created", recreate = "Recreate", recreated = "Recreated"
        case starting = "Starting", started = "Started", running = "Running", restarting = "Restarting"
        case restarted = "Restarted", waiting = "Waiting", healthy = "Healthy", exited = "Exited"
        case stopping = "Stopping", stopped = "Stopped", killing = "Killing", killed = "Killed"
        case removing = "Removing", removed = "Removed", error = "Error", skipped = "Skipped"
        case resourceInUse = "Resource is still in use"
        case pulling = "Pulling", pulled = "Pulled", pushing = "Pushing", pushed = "Pushed"
        case warning = "Warning", downloading = "Downloading", extracting = "Extracting"
        case pullComplete = "Pull complete", alreadyExists = "Already exists"
        case layerAlreadyExists = "Layer already exists", mounted = "Mounted"
        /// More is to come for this object.
        public var isWorking: Bool {
            switch self {
            case .creating, .recreate, .starting, .restarting, .waiting, .stopping, .killing, .removing, .pulling,
                .pushing, .downloading, .extracting:
                true
            default: false
            }
        }
    }
    public var object: Object
    public var name: String
    public var status: Status
    /// Why, in a few words, where there is something to say: `no such image`, `image changed`.
    public var detail: String?
    /// The name of the image that a layer is of.
    public var parent: String?
    public var amount: Amount?

    /// How far something of known length is, in bytes.
    public struct Amount: Codable, Sendable, Equatable {
        public var done: Int64
        public var total: Int64
        public init(done: Int64, total: Int64) {
            self.done = done
            self.total = total
        }
    }

    /// `Container web-1`; a layer is called by its name alone.
    public var label: String { object == .layer ? name : "\(object.rawValue) \(name)" }

    public init(_ object: Object, _ name: String, _ status: Status, detail: String? = nil) {
        self.object = object
        self.name = name
        self.status = status
        self.detail = detail
    }
}

/// Something that happened to a container, for `up` in the foreground, `logs -f` and `events`.
public struct ContainerEvent: Codable, Sendable, Equatable {
    public enum Action: String, Codable, Sendable {
        case create, start, die, stop, restart, destroy, healthStatus = "health_status", kill, oom
    }
    public var action: Action
    public var container: ContainerSummary
    /// Seconds since the epoch.
    public var time: Double
    /// With `die`.
    public var exitCode: Int32?
    /// With `die`: the supervisor is going to start it again.
    public var willRestart: Bool = false
    public var health: HealthRecord.Status?
    public init(action: Action, container: ContainerSummary, time: Double) {
        self.action = action
        self.container = container
        self.time = time
    }
}
