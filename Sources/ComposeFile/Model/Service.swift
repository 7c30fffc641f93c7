/// One service of a project in canonical form.
public struct Service: Codable, Sendable, Equatable {
    public var name: String = ""
    public var image: String?
    /// True where the file has a `build` block (building is refused by name until the builder exists).
    public var hasBuild: Bool = false
    /// nil: the image's CMD; empty: none.
    public var command: [String]?
    /// nil: the image's ENTRYPOINT; empty: none.
    public var entrypoint: [String]?
    /// Fully resolved environment: `env_file`s folded in below `environment`. A nil value removes the variable
    /// that the image sets.
    public var environment: [String: String?] = [:]
    public var labels: [String: String] = [:]
    public var annotations: [String: String] = [:]
    public var containerName: String?
    public var hostname: String?
    public var domainname: String?
    public var user: String?
    public var groupAdd: [String] = []
    public var workingDir: String?
    public var platform: String?
    /// `always`, `never`, `missing`, `build`, `daily`, `weekly`, `every_<duration>`; nil: not given.
    public var pullPolicy: String?
    public var `init`: Bool?
    public var tty: Bool = false
    public var stdinOpen: Bool = false
    public var privileged: Bool = false
    public var readOnly: Bool = false
    public var stopSignal: String?
    public var stopGracePeriod: Duration?
    public var restart: RestartPolicy?
    /// False hides the service from the attached output of `up` and `logs` unless it is named.
    public var attach: Bool = true
    public var profiles: [String] = []
    /// Number of replicas (`scale`, `deploy.replicas`); nil: not given, which means 1.
    public var replicas: Int?
    /// By name of the dependency. Implicit ones (links, network_mode, volumes_from …) are in here too.
    public var dependsOn: [String: Dependency] = [:]
    public var healthcheck: Healthcheck?
    public var postStart: [Hook] = []
    public var preStop: [Hook] = []

    // Networking.
    /// By network key. Empty when `networkMode` is given.
    public var networks: [String: NetworkAttachment] = [:]
    /// `none`, `host`, `bridge`, `service:X`, `container:X`; nil: the attachments in `networks`.
    public var networkMode: String?
    public var ports: [Port] = []
    /// `80`, `80/udp`: metadata only.
    public var expose: [String] = []
    /// `SERVICE[:ALIAS]`
    public var links: [String] = []
    /// `host=address` in the order of the file; the address may be `host-gateway`.
    public var extraHosts: [String] = []
    public var dns: [String] = []
    public var dnsOptions: [String] = []
    public var dnsSearch: [String] = []
    public var macAddress: String?

    // Data.
    public var volumes: [Mount] = []
    /// `path[:options]`
    public var tmpfs: [String] = []
    /// `SERVICE[:ro]` or `container:NAME[:ro]`
    public var volumesFrom: [String] = []
    public var configs: [FileReference] = []
    public var secrets: [FileReference] = []

    // Security and namespaces.
    public var capAdd: [String] = []
    public var capDrop: [String] = []
    public var securityOpt: [String] = []
    public var sysctls: [String: String] = [:]
    public var ulimits: [String: Ulimit] = [:]
    public var ipc: String?
    public var pid: String?
    public var uts: String?
    public var cgroup: String?
    public var cgroupParent: String?
    public var usernsMode: String?
    public var deviceCgroupRules: [String] = []
    public var devices: [Device] = []

    // Resources. The `deploy.resources` form and the older form are already merged into one.
    public var cpus: Double?
    public var cpuset: String?
    public var cpuShares: Int64?
    /// Microseconds.
    public var cpuQuota: Int64?
    /// Microseconds.
    public var cpuPeriod: Int64?
    /// Bytes.
    public var memLimit: Int64?
    public var memReservation: Int64?
    /// Bytes of memory and swap together; -1: unlimited swap.
    public var memswapLimit: Int64?
    public var oomScoreAdj: Int?
    /// -1 and 0: no limit.
    public var pidsLimit: Int64?
    /// Bytes; nil: 64 MiB.
    public var shmSize: Int64?
    public var blkioWeight: Int?
    public var loggingDriver: String?
    public var loggingOptions: [String: String] = [:]

    /// Stable hash of everything that makes a container what it is: not build, pull policy, replicas,
    /// dependencies and profiles. A container whose label differs is recreated.
    public var configHash: String = ""

    public init() {}
}

public enum RestartPolicy: Codable, Sendable, Equatable {
    case no
    case always
    /// nil: without limit.
    case onFailure(maximumRetries: Int?)
    case unlessStopped
}

/// Coded as in a file: `no`, `always`, `on-failure`, `on-failure:5`, `unless-stopped`.
extension RestartPolicy {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        switch text {
        case "no": self = .no
        case "always": self = .always
        case "unless-stopped": self = .unlessStopped
        case "on-failure": self = .onFailure(maximumRetries: nil)
        default:
            guard text.hasPrefix("on-failure:"), let retries = Int(text.dropFirst("on-failure:".count)) else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "no restart policy: \(text)"))
            }
            self = .onFailure(maximumRetries: retries)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .no: try container.encode("no")
        case .always: try container.encode("always")
        case .unlessStopped: try container.encode("unless-stopped")
        case .onFailure(let retries): try container.encode("on-failure" + (retries.map { ":\($0)" } ?? ""))
        }
    }
}

public struct Dependency: Codable, Sendable, Equatable {
    public enum Condition: String, Codable, Sendable {
        case started = "service_started"
        case healthy = "service_healthy"
        case completedSuccessfully = "service_completed_successfully"
    }
    public var condition: Condition = .started
    /// Restart this service when the dependency is restarted or recreated by a command.
    public var restart: Bool = false
    /// False: a dependency that is missing or fails is a warning only.
    public var required: Bool = true
    public init() {}
}

/// A health check as the file has it; nil fields are inherited from the image's HEALTHCHECK.
public struct Healthcheck: Codable, Sendable, Equatable {
    /// First element `CMD`, `CMD-SHELL` or `NONE`.
    public var test: [String]?
    public var interval: Duration?
    public var timeout: Duration?
    public var retries: Int?
    public var startPeriod: Duration?
    public var startInterval: Duration?
    public var disable: Bool = false
    public init() {}
}

public struct Hook: Codable, Sendable, Equatable {
    public var command: [String] = []
    public var user: String?
    public var privileged: Bool = false
    public var workingDir: String?
    public var environment: [String: String?] = [:]
    public init() {}
}

public struct NetworkAttachment: Codable, Sendable, Equatable {
    public var aliases: [String] = []
    public var ipv4Address: String?
    public var ipv6Address: String?
    public var linkLocalIPs: [String] = []
    public var macAddress: String?
    public var interfaceName: String?
    public var driverOptions: [String: String] = [:]
    /// Higher is connected first.
    public var priority: Double = 0
    /// Highest provides the default gateway.
    public var gatewayPriority: Double = 0
    public init() {}
}

public struct Port: Codable, Sendable, Equatable {
    /// Port inside the container.
    public var target: UInt16 = 0
    /// Host port, a range `a-b` to pick from, or empty for an ephemeral one.
    public var published: String = ""
    /// nil: all addresses of both families.
    public var hostIP: String?
    /// `tcp`, `udp` or `sctp`.
    public var `protocol`: String = "tcp"
    public var mode: String = "ingress"
    public var name: String?
    public var appProtocol: String?
    public init() {}
}

/// One entry of `volumes` in long form.
public struct Mount: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable { case bind, volume, tmpfs, image, npipe, cluster }
    public var kind: Kind = .volume
    /// Bind: absolute host path. Volume: key of the top-level volume; nil: anonymous. Tmpfs: nil.
    public var source: String?
    /// Absolute path in the container.
    public var target: String = ""
    public var readOnly: Bool = false
    // bind
    public var propagation: String?
    public var createHostPath: Bool = true
    public var recursive: String?
    public var selinux: String?
    // volume
    public var noCopy: Bool = false
    public var subpath: String?
    public var labels: [String: String] = [:]
    // tmpfs
    /// Bytes.
    public var tmpfsSize: Int64?
    public var tmpfsMode: UInt32?
    public init() {}
}

/// A service's use of a secret or config.
public struct FileReference: Codable, Sendable, Equatable {
    /// Key of the top-level object.
    public var source: String = ""
    /// Absolute path in the container.
    public var target: String = ""
    public var uid: String?
    public var gid: String?
    public var mode: UInt32?
    public init() {}
}

public struct Ulimit: Codable, Sendable, Equatable {
    /// -1: unlimited.
    public var soft: Int64 = 0
    public var hard: Int64 = 0
    public init() {}
}

public struct Device: Codable, Sendable, Equatable {
    public var source: String = ""
    public var target: String = ""
    /// Subset of `rwm`.
    public var permissions: String = "rwm"
    public init() {}
}
