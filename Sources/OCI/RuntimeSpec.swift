/// A container's configuration as the OCI runtime specification 1.2 has it (`config.json`), as far as it is used
/// here. Field names in JSON are the specification's.
public struct RuntimeSpec: Codable, Sendable, Equatable {
    public var ociVersion = "1.2.0"
    public var process: Process?
    public var root = Root(path: "rootfs")
    public var hostname: String?
    public var domainname: String?
    /// In order.
    public var mounts: [Mount] = []
    public var annotations: [String: String]?
    public var linux = Linux()
    public init() {}

    public struct Root: Codable, Sendable, Equatable {
        public var path: String
        public var readonly: Bool?
        public init(path: String, readonly: Bool? = nil) {
            self.path = path
            self.readonly = readonly
        }
    }

    public struct Process: Codable, Sendable, Equatable {
        public var terminal: Bool?
        public var user = User()
        public var args: [String] = []
        /// `NAME=value`
        public var env: [String] = []
        public var cwd = "/"
        public var capabilities: Capabilities?
        public var rlimits: [Rlimit]?
        public var noNewPrivileges: Bool?
        public var oomScoreAdj: Int?
        public init() {}
    }

    public struct User: Codable, Sendable, Equatable {
        public var uid: UInt32 = 0
        public var gid: UInt32 = 0
        public var umask: UInt32?
        public var additionalGids: [UInt32]?
        public init() {}
    }

    /// Names such as `CAP_CHOWN`.
    public struct Capabilities: Codable, Sendable, Equatable {
        public var bounding: [String] = []
        public var effective: [String] = []
        public var permitted: [String] = []
        public var inheritable: [String] = []
        public var ambient: [String] = []
        public init() {}
    }

    public struct Rlimit: Codable, Sendable, Equatable {
        /// Such as `RLIMIT_NOFILE`.
        public var type: String
        public var hard: UInt64
        public var soft: UInt64
        public init(type: String, hard: UInt64, soft: UInt64) {
            self.type = type
            self.hard = hard
            self.soft = soft
        }
    }

    public struct Mount: Codable, Sendable, Equatable {
        /// Absolute, in the container.
        public var destination: String
        public var type: String?
        public var source: String?
        /// mount(8)'s words, and data for the file system.
        public var options: [String]?
        public init(destination: String, type: String? = nil, source: String? = nil, options: [String]? = nil) {
            self.destination = destination
            self.type = type
            self.source = source
            self.options = options
        }
    }

    public struct Linux: Codable, Sendable, Equatable {
        public var namespaces: [Namespace] = []
        public var devices: [Device]?
        public var cgroupsPath: String?
        public var resources: Resources?
        public var rootfsPropagation: String?
        public var seccomp: Seccomp?
        public var sysctl: [String: String]?
        public var maskedPaths: [String]?
        public var readonlyPaths: [String]?
        public init() {}
    }

    public struct Namespace: Codable, Sendable, Equatable {
        public enum Kind: String, Codable, Sendable { case pid, network, mount, ipc, uts, user, cgroup, time }
        public var type: Kind
        /// Joined where given, made where not.
        public var path: String?
        public init(_ type: Kind, path: String? = nil) {
            self.type = type
            self.path = path
        }
    }

    public struct Device: Codable, Sendable, Equatable {
        /// `c`, `b`, `u` or `p`.
        public var type: String
        public var path: String
        public var major: UInt32?
        public var minor: UInt32?
        public var fileMode: UInt32?
        public var uid: UInt32?
        public var gid: UInt32?
        public init(type: String, path: String, major: UInt32?, minor: UInt32?, fileMode: UInt32? = nil) {
            self.type = type
            self.path = path
            self.major = major
            self.minor = minor
            self.fileMode = fileMode
        }
    }

    public struct DeviceRule: Codable, Sendable, Equatable {
        public var allow: Bool
        /// `a`, `c` or `b`.
        public var type: String?
        public var major: Int64?
        public var minor: Int64?
        /// Of `rwm`.
        public var access: String?
        public init(allow: Bool, type: String? = nil, major: Int64? = nil, minor: Int64? = nil, access: String? = nil) {
            self.allow = allow
            self.type = type
            self.major = major
            self.minor = minor
            self.access = access
        }
    }

    public struct Resources: Codable, Sendable, Equatable {
        public var devices: [DeviceRule]?
        public var memory: Memory?
        public var cpu: CPU?
        public var pids: Pids?
        public var blockIO: BlockIO?
        public init() {}
    }

    /// Bytes; -1 is unlimited.
    public struct Memory: Codable, Sendable, Equatable {
        public var limit: Int64?
        public var reservation: Int64?
        /// Memory and swap together.
        public var swap: Int64?
        public init() {}
    }

    public struct CPU: Codable, Sendable, Equatable {
        public var shares: UInt64?
        /// Microseconds a period.
        public var quota: Int64?
        public var period: UInt64?
        public var cpus: String?
        public var mems: String?
        public init() {}
    }

    public struct Pids: Codable, Sendable, Equatable {
        /// -1 or 0: unlimited.
        public var limit: Int64
        public init(limit: Int64) { self.limit = limit }
    }

    public struct BlockIO: Codable, Sendable, Equatable {
        public var weight: UInt16?
        public init() {}
    }

    public struct Seccomp: Codable, Sendable, Equatable {
        /// Such as `SCMP_ACT_ERRNO`.
        public var defaultAction: String
        public var defaultErrnoRet: UInt32?
        public var architectures: [String]?
        public var flags: [String]?
        public var syscalls: [Rule]?
        public init(defaultAction: String) { self.defaultAction = defaultAction }

        public struct Rule: Codable, Sendable, Equatable {
            public var names: [String]
            public var action: String
            public var errnoRet: UInt32?
            public var args: [Argument]?
            public init(names: [String], action: String, errnoRet: UInt32? = nil, args: [Argument]? = nil) {
                self.names = names
                self.action = action
                self.errnoRet = errnoRet
                self.args = args
            }
        }

        public struct Argument: Codable, Sendable, Equatable {
            public var index: UInt32
            public var value: UInt64
            public var valueTwo: UInt64?
            /// Such as `SCMP_CMP_EQ`.
            public var op: String
            public init(index: UInt32, value: UInt64, valueTwo: UInt64? = nil, op: String) {
                self.index = index
                self.value = value
                self.valueTwo = valueTwo
                self.op = op
            }
        }
    }
}
