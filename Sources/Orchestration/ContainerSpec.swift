public import ComposeFile

/// Everything an engine needs to make a container: a service's wishes for one replica, with names resolved.
/// Stored beside the container as made, so that commands can read it later.
public struct ContainerSpec: Codable, Sendable, Equatable {
    /// Unique on the host.
    public var name: String = ""
    public var labels: [String: String] = [:]
    /// Reference as the user wrote it.
    public var image: String = ""
    /// Digest of the image's configuration (`sha256:…`), as resolved when planned.
    public var imageID: String = ""

    /// nil: the image's.
    public var entrypoint: [String]?
    /// nil: the image's CMD, unless `entrypoint` is given.
    public var command: [String]?
    /// nil removes the image's variable.
    public var environment: [String: String?] = [:]
    public var user: String?
    public var groupAdd: [String] = []
    public var workingDir: String?
    /// nil: the first twelve digits of the id.
    public var hostname: String?
    public var domainname: String?
    public var initProcess: Bool = false
    public var tty: Bool = false
    public var openStdin: Bool = false
    public var privileged: Bool = false
    public var readOnlyRootfs: Bool = false
    public var stopSignal: String?
    public var stopGracePeriod: Duration?
    public var restart: RestartPolicy = .no
    public var annotations: [String: String] = [:]

    /// `nil`: `networks`. Else `none`, `host`, `bridge`, or `container:<id>` (an id or name where the user wrote it).
    public var networkMode: String?
    /// In the order in which interfaces are made: eth0 first.
    public var networks: [Attachment] = []
    public var ports: [Port] = []
    public var expose: [String] = []
    /// `host=address`; the address may be `host-gateway`.
    public var extraHosts: [String] = []
    /// Other names under which containers are to be found from this one: alias → container names.
    public var links: [String: [String]] = [:]
    public var dns: [String] = []
    public var dnsOptions: [String] = []
    public var dnsSearch: [String] = []

    public var mounts: [MountSpec] = []
    public var files: [FileSpec] = []
    /// Containers whose volumes this one mounts too.
    public var volumesFrom: [VolumesFrom] = []

    public var capAdd: [String] = []
    public var capDrop: [String] = []
    public var securityOpt: [String] = []
    public var sysctls: [String: String] = [:]
    public var ulimits: [String: Ulimit] = [:]
    /// `private` (default), `shareable`, `host`, `none`, `container:<id>`.
    public var ipc: String?
    /// nil: own; `host` or `container:<id>`.
    public var pid: String?
    public var uts: String?
    public var cgroupNamespace: String?
    public var cgroupParent: String?
    public var devices: [Device] = []
    public var deviceCgroupRules: [String] = []
    public var resources = Resources()
    /// What is to be probed: the service's own, already merged over the image's (see ``ImageSummary/healthcheck``);
    /// nil: nothing.
    public var healthcheck: Healthcheck?
    /// `json-file`, `local` or `none`; nil: json-file.
    public var loggingDriver: String?
    public var loggingOptions: [String: String] = [:]

    public init() {}

    public struct Attachment: Codable, Sendable, Equatable {
        /// Name of the network on the host.
        public var network: String = ""
        public var aliases: [String] = []
        public var ipv4Address: String?
        public var ipv6Address: String?
        public var macAddress: String?
        public var interfaceName: String?
        public var gatewayPriority: Double = 0
        public init() {}
    }

    public struct MountSpec: Codable, Sendable, Equatable {
        public enum Source: Codable, Sendable, Equatable {
            /// Absolute host path.
            case bind(String)
            /// Name of the volume on the host.
            case volume(String)
            /// A volume without a name; `carriedOver` is the one that the replaced container had there.
            case anonymous(carriedOver: String?)
            case tmpfs
        }
        public var source: Source = .tmpfs
        public var target: String = ""
        public var readOnly: Bool = false
        public var propagation: String?
        public var createHostPath: Bool = true
        public var recursive: String?
        public var noCopy: Bool = false
        public var subpath: String?
        public var tmpfsSize: Int64?
        public var tmpfsMode: UInt32?
        /// Labels of an anonymous volume.
        public var volumeLabels: [String: String] = [:]
        /// Further options of `tmpfs:` short entries, as given.
        public var tmpfsOptions: [String] = []
        public init() {}
    }

    /// A secret or config: data that appears as a file.
    public struct FileSpec: Codable, Sendable, Equatable {
        public enum Source: Codable, Sendable, Equatable {
            /// Bind-mounted read-only.
            case hostFile(String)
            /// Held on a tmpfs of the container's, never on disk.
            case content(String)
        }
        public var source: Source = .content("")
        public var target: String = ""
        public var uid: String?
        public var gid: String?
        /// nil: 0444.
        public var mode: UInt32?
        public init() {}
    }

    public struct VolumesFrom: Codable, Sendable, Equatable {
        /// An id; where the user wrote `container:NAME`, that name.
        public var container: ContainerID
        public var readOnly: Bool
        public init(container: ContainerID, readOnly: Bool) {
            self.container = container
            self.readOnly = readOnly
        }
    }

    /// Units as in ``ComposeFile/Service``.
    public struct Resources: Codable, Sendable, Equatable {
        public var cpus: Double?
        public var cpuset: String?
        public var cpuShares: Int64?
        public var cpuQuota: Int64?
        public var cpuPeriod: Int64?
        public var memory: Int64?
        public var memoryReservation: Int64?
        public var memorySwap: Int64?
        public var oomScoreAdj: Int?
        public var pids: Int64?
        public var shmSize: Int64?
        public var blkioWeight: Int?
        public init() {}
    }
}

public struct NetworkSpec: Codable, Sendable, Equatable {
    public var name: String = ""
    public var labels: [String: String] = [:]
    public var driver: String = "bridge"
    public var driverOptions: [String: String] = [:]
    public var subnets: [Network.IPAMPool] = []
    public var isInternal = false
    public var enableIPv6 = false
    public init() {}
}

public struct VolumeSpec: Codable, Sendable, Equatable {
    public var name: String = ""
    public var labels: [String: String] = [:]
    public var driver: String = "local"
    public var driverOptions: [String: String] = [:]
    public init() {}
}

/// What the reconciler needs to know of an image.
public struct ImageSummary: Codable, Sendable, Equatable {
    /// Digest of the image's configuration (`sha256:…`).
    public var id: String
    public var healthcheck: Healthcheck?
    /// Paths of the image's VOLUMEs.
    public var volumes: [String]
    public var stopSignal: String?
    public init(id: String, healthcheck: Healthcheck? = nil, volumes: [String] = [], stopSignal: String? = nil) {
        self.id = id
        self.healthcheck = healthcheck
        self.volumes = volumes
        self.stopSignal = stopSignal
    }
}
