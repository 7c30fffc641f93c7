/// One step of a launch, as the compiler makes it and the shim carries it out. The fields are written in the order
/// of the cases' parameters; the exceptions say so.
///
/// Paths of targets are in the container; paths of sources, layers and cgroups on the host.
public enum PlanOperation: Sendable, Equatable {
    // MARK: For the monitor

    /// Where `pid`, `exit` and `shim.sock` are left.
    case runDirectory(String)
    /// json-file log. `maximumSize` 0 is unlimited; `maximumFiles` counts the current one.
    case log(path: String, maximumSize: UInt64, maximumFiles: UInt32)
    /// ``PlanFlag/openStdin``, ``PlanFlag/terminal``, ``PlanFlag/inherit``.
    case stdio(flags: UInt16)
    /// CLONE_NEW… that the new process gets.
    case namespaces(UInt64)
    case joinPidNamespace(path: String)
    /// A v1 `cgroup.procs` the new process is written to while it works.
    case cgroupProcs(path: String)
    /// The v2 directory the new process is born in.
    case cgroupDirectory(path: String)
    /// A file with an `oom_kill` line.
    case memoryEvents(path: String)
    /// exec: the process whose namespaces are joined, and its start time.
    case target(pid: UInt32, startTime: UInt64)

    // MARK: For the child, in order

    case joinNamespace(kind: UInt32, path: String)
    /// exec: CLONE_NEW… of the target to join.
    case joinTarget(kinds: UInt32)
    /// MS_… on every mount of the namespace as it was copied.
    case mountPropagation(UInt64)
    /// A tmpfs of `size` bytes to build on, over a directory of the host's (seen by this container alone).
    case scratch(path: String, size: UInt64)
    case rootOverlay(lower: [String], upper: String, work: String, options: [String])
    case rootDirectory(String)
    /// Takes a source; `bind` names it by its number among these. Flag: ``PlanFlag/recursive``.
    case bindSource(path: String, recursive: Bool)
    /// `attributes`: MOUNT_ATTR_…; flags: ``PlanFlag/noSymlinks``, ``PlanFlag/inheritMode``.
    case mount(type: String, source: String, target: String, attributes: UInt32, options: [String], flags: UInt16)
    /// `propagation`: MS_PRIVATE and its like.
    case bind(source: UInt32, target: String, set: UInt32, clear: UInt32, propagation: UInt32, recursive: Bool)
    case file(target: String, content: [UInt8], mode: UInt32, uid: UInt32, gid: UInt32, readOnly: Bool)
    /// `mode` has the type (S_IFCHR, S_IFBLK or S_IFIFO) in it.
    case device(path: String, mode: UInt32, major: UInt32, minor: UInt32, uid: UInt32, gid: UInt32)
    case symlink(content: String, path: String)
    case mask(path: String)
    case readOnlyPath(String)
    /// MOUNT_ATTR_… for the mount whose root is at this path.
    case mountAttributes(target: String, set: UInt32)
    /// Made where missing.
    case directory(path: String, mode: UInt32, uid: UInt32, gid: UInt32)
    /// Sizes of 0 are left alone. Rows and columns are u16.
    case terminal(rows: UInt16, columns: UInt16, uid: UInt32, console: Bool)
    case hostName(String)
    case domainName(String)
    /// Path below /proc.
    case sysctl(path: String, value: String)
    case awaitCgroup
    case awaitGo
    case unshare(UInt64)
    case pivotRoot
    case rootReadOnly
    case sessionKeyring(name: String)
    case rlimit(resource: UInt32, soft: UInt64, hard: UInt64)
    case oomScoreAdjust(Int32)
    case umask(UInt32)
    /// Capabilities as bit masks, from here on. Those not in this one can never be had again.
    case boundingSet(UInt64)
    /// Groups: u32 count and u32 each.
    case user(uid: UInt32, gid: UInt32, groups: [UInt32])
    /// Flag: ``PlanFlag/keepAdmin``.
    case capabilities(permitted: UInt64, effective: UInt64, inheritable: UInt64, ambient: UInt64, keepAdmin: Bool)
    case noNewPrivileges
    case workingDirectory(String)
    /// `program`: classic BPF instructions of eight bytes; `flags`: SECCOMP_FILTER_FLAG_….
    case seccomp(flags: UInt32, program: [UInt8])
    case execute(arguments: [String], environment: [String])
}

/// A plan as a value: made by a compiler, written for the shim.
public struct LaunchPlan: Sendable, Equatable {
    public var kind: PlanKind
    public var operations: [PlanOperation]

    public init(kind: PlanKind, operations: [PlanOperation] = []) {
        self.kind = kind
        self.operations = operations
    }
}

/// A string that cannot be handed to the kernel, or bytes that are no plan.
public enum PlanError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is said holds a NUL byte.
    case nulByte(in: String)
    case malformed(String)

    public var description: String {
        switch self {
        case .nulByte(let text): "\"\(text.split(separator: "\0", maxSplits: 1).first ?? "")…\" holds a NUL byte"
        case .malformed(let what): "not a launch plan: \(what)"
        }
    }
}
