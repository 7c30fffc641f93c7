/// Why a cgroup could not be made, limited or removed.
public enum CgroupError: Error, Sendable, Equatable, CustomStringConvertible {
    /// No cgroup file system is mounted.
    case notMounted(kernelHasUnified: Bool)
    /// A value that no kernel would take; says which and what would be right.
    case invalid(String)
    /// The cgroup holds processes where it must not.
    case populated(path: String, processes: [Int32])
    /// A step that the kernel refused: what was to be done, and its answer.
    case failed(String)

    public var description: String {
        switch self {
        case .notMounted(let kernelHasUnified):
            "no cgroup file system is mounted"
                + (kernelHasUnified ? ": mount -t cgroup2 none /sys/fs/cgroup" : ", and this kernel has no cgroup2")
        case .invalid(let text), .failed(let text): text
        case .populated(let path, let processes):
            "cgroup \(path) still has processes: \(processes.prefix(8).map(String.init).joined(separator: ", "))"
                + (processes.count > 8 ? ", …" : "")
        }
    }
}

/// A limit that was asked for and cannot be had on this host; everything else was done.
public struct CgroupWarning: Sendable, Equatable, CustomStringConvertible {
    /// Such as `memory limit`.
    public let setting: String
    public let reason: String

    public var description: String { "\(setting) is ignored: \(reason)" }
}
