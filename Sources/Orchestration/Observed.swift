/// What exists of a project on the host, read from the kernel and the disk, never from memory.
public struct ObservedProject: Codable, Sendable, Equatable {
    public var containers: [ObservedContainer] = []
    public var networks: [ObservedNetwork] = []
    public var volumes: [ObservedVolume] = []
    public init() {}
}

public struct ObservedNetwork: Codable, Sendable, Equatable {
    public var name: String
    public var labels: [String: String]
    public init(name: String, labels: [String: String]) {
        self.name = name
        self.labels = labels
    }
}

public struct ObservedVolume: Codable, Sendable, Equatable {
    public var name: String
    public var labels: [String: String]
    public init(name: String, labels: [String: String]) {
        self.name = name
        self.labels = labels
    }
}

public struct ObservedContainer: Codable, Sendable, Equatable, Identifiable {
    public enum State: String, Codable, Sendable { case created, running, restarting, paused, exited, dead }
    public var id: ContainerID
    public var spec: ContainerSpec
    public var state: State
    /// Of the last run; nil before the first exit and while it runs.
    public var exit: ExitRecord?
    /// Host pid of PID 1 while it runs.
    public var pid: Int32?
    /// Seconds since the epoch, with fraction.
    public var createdAt: Double
    public var startedAt: Double?
    public var health: HealthRecord?
    public var restartCount: Int
    /// Stopped by a command: restart policies leave it alone.
    public var stoppedOnPurpose: Bool
    /// Anonymous volumes by their target.
    public var anonymousVolumes: [String: String]
    /// Addresses by network name, while it runs.
    public var addresses: [String: [String]]
    /// Published ports as bound (an ephemeral port has its number here).
    public var publishers: [Publisher]
    /// Command line of PID 1 as last started, entry point included; empty before the first start.
    public var command: [String]

    public init(id: ContainerID, spec: ContainerSpec, state: State, createdAt: Double = 0) {
        self.id = id
        self.spec = spec
        self.state = state
        self.createdAt = createdAt
        restartCount = 0
        stoppedOnPurpose = false
        anonymousVolumes = [:]
        addresses = [:]
        publishers = []
        command = []
    }

    /// Of the labels that Compose puts on its containers.
    public var service: String? { spec.labels[Label.service] }
    public var number: Int? { spec.labels[Label.containerNumber].flatMap { Int($0) } }
    public var isOneOff: Bool { spec.labels[Label.oneOff] == "True" }
}

public struct Publisher: Codable, Sendable, Equatable {
    public var hostIP: String
    public var published: UInt16
    public var target: UInt16
    public var `protocol`: String
    public init(hostIP: String, published: UInt16, target: UInt16, protocol: String) {
        self.hostIP = hostIP
        self.published = published
        self.target = target
        self.protocol = `protocol`
    }
}

public struct ExitRecord: Codable, Sendable, Equatable {
    /// As a shell has it: 128+n for a signal.
    public var code: Int32
    public var oomKilled: Bool
    /// Seconds since the epoch.
    public var finishedAt: Double
    /// Why it could not be started, where that is what happened.
    public var error: String?
    public init(code: Int32, oomKilled: Bool = false, finishedAt: Double = 0, error: String? = nil) {
        self.code = code
        self.oomKilled = oomKilled
        self.finishedAt = finishedAt
        self.error = error
    }
}

public struct HealthRecord: Codable, Sendable, Equatable {
    public enum Status: String, Codable, Sendable { case starting, healthy, unhealthy }
    public struct Probe: Codable, Sendable, Equatable {
        /// Seconds since the epoch.
        public var start: Double
        public var end: Double
        public var exitCode: Int32
        public var output: String
        public init(start: Double, end: Double, exitCode: Int32, output: String) {
            self.start = start
            self.end = end
            self.exitCode = exitCode
            self.output = output
        }

        /// In one line, for an error: what it exited with and how its output begins.
        var told: String {
            let first = output.split(separator: "\n").first.map { ": \($0.prefix(200))" } ?? ""
            return "its last health check \(exitCode < 0 ? "did not finish" : "exited with \(exitCode)")\(first)"
        }
    }
    public var status: Status = .starting
    public var failingStreak: Int = 0
    /// The last five, oldest first.
    public var log: [Probe] = []
    public init() {}
}

/// The labels that Docker Compose puts on what it makes; ours are the same.
public enum Label {
    public static let prefix = "com.docker.compose."
    public static let project = prefix + "project"
    public static let service = prefix + "service"
    public static let containerNumber = prefix + "container-number"
    public static let oneOff = prefix + "oneoff"
    public static let configHash = prefix + "config-hash"
    public static let image = prefix + "image"
    public static let dependsOn = prefix + "depends_on"
    public static let version = prefix + "version"
    public static let configFiles = prefix + "project.config_files"
    public static let workingDir = prefix + "project.working_dir"
    public static let environmentFile = prefix + "project.environment_file"
    public static let slug = prefix + "slug"
    public static let replace = prefix + "replace"
    public static let network = prefix + "network"
    public static let volume = prefix + "volume"
}
