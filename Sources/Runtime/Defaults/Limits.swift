public import OCI

public enum LimitError: Error, Sendable, Equatable, CustomStringConvertible {
    case unknownUlimit(String)
    case softAboveHard(String)
    case malformedSysctl(String)
    case sysctlNotNamespaced(String)
    case sysctlOfHostNetwork(String)
    case sysctlOfHostIPC(String)
    case sysctlOfHostUTS(String)

    public var description: String {
        switch self {
        case .unknownUlimit(let name):
            "invalid ulimit type: \(name); known are \(Ulimits.names.joined(separator: ", "))"
        case .softAboveHard(let name): "ulimit \(name): the soft limit must be less than or equal to the hard limit"
        case .malformedSysctl(let name): "\"\(name)\" is no sysctl: use names such as net.core.somaxconn"
        case .sysctlNotNamespaced(let name):
            "sysctl \(name) is not in a separate kernel namespace: only net.*, fs.mqueue.*, kernel.msg*, kernel.sem, kernel.shm* and kernel.domainname can be set for a container"
        case .sysctlOfHostNetwork(let name):
            "sysctl \(name) cannot be set with the host's network: it would change the host"
        case .sysctlOfHostUTS(let name):
            "sysctl \(name) cannot be set with the host's UTS namespace: it would change the host"
        case .sysctlOfHostIPC(let name):
            "sysctl \(name) cannot be set with the host's IPC namespace: it would change the host"
        }
    }
}

public enum Ulimits {
    static let names = [
        "as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss",
        "rtprio",
        "rttime", "sigpending", "stack",
    ]

    /// - Parameters:
    ///   - soft: -1 is unlimited; so is it for `hard`.
    /// - Throws: ``LimitError``
    public static func rlimit(_ name: String, soft: Int64, hard: Int64) throws -> RuntimeSpec.Rlimit {
        guard names.contains(name) else { throw LimitError.unknownUlimit(name) }
        let soft = UInt64(bitPattern: soft < 0 ? -1 : soft)
        let hard = UInt64(bitPattern: hard < 0 ? -1 : hard)
        guard soft <= hard else { throw LimitError.softAboveHard(name) }
        return RuntimeSpec.Rlimit(type: "RLIMIT_\(name.uppercased())", hard: hard, soft: soft)
    }
}

public enum Sysctls {
    private static let ipc: Set = [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    ]

    /// Only what belongs to a namespace of the container's own may be set.
    /// - Throws: ``LimitError``
    public static func check(_ values: [String: String], hostNetwork: Bool, hostIPC: Bool, hostUTS: Bool = false) throws
    {
        for name in values.keys.sorted() {
            guard isWellFormed(name) else { throw LimitError.malformedSysctl(name) }
            if name.hasPrefix("net.") {
                if hostNetwork { throw LimitError.sysctlOfHostNetwork(name) }
            } else if name.hasPrefix("fs.mqueue.") || ipc.contains(name) {
                if hostIPC { throw LimitError.sysctlOfHostIPC(name) }
            } else if name == "kernel.domainname" {
                if hostUTS { throw LimitError.sysctlOfHostUTS(name) }
            } else {
                throw LimitError.sysctlNotNamespaced(name)
            }
        }
    }

    /// The name becomes a path: no part of it may be empty, so that no dots are left to climb with. A slash stands
    /// for a dot inside a part, as in the name of a VLAN's interface.
    private static func isWellFormed(_ name: String) -> Bool {
        name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "_"),
                UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "@"):
                true
            default: false
            }
        }
            && !name.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "." || $0 == "/" })
                .contains { $0.isEmpty }
    }
}
