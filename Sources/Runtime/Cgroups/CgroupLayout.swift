internal import LinuxSystem

/// Which cgroup hierarchies a host has, and where.
public struct CgroupLayout: Sendable, Equatable {
    /// One v1 hierarchy.
    public struct Hierarchy: Sendable, Equatable {
        public var mountPoint: String
        /// Such as `cpu` and `cpuacct`, which often share one. Empty for a named one.
        public var controllers: [String]
        /// `systemd` of `name=systemd`.
        public var name: String?

        public init(mountPoint: String, controllers: [String], name: String? = nil) {
            self.mountPoint = mountPoint
            self.controllers = controllers
            self.name = name
        }
    }

    public enum Mode: Sendable, Equatable {
        /// v1 only.
        case legacy
        /// v1 beside a v2 mount, which has those controllers that v1 does not hold: often none.
        case hybrid
        /// v2 only.
        case unified
    }

    /// v1 hierarchies, each once, in the order of their mounts.
    public var legacy: [Hierarchy]
    /// Where v2 is mounted.
    public var unified: String?

    public init(legacy: [Hierarchy], unified: String?) {
        self.legacy = legacy
        self.unified = unified
    }

    public var mode: Mode {
        if unified == nil { return .legacy }
        return legacy.isEmpty ? .unified : .hybrid
    }

    /// What this host has.
    /// - Throws: ``CgroupError/notMounted(kernelHasUnified:)``.
    public static func detect() throws -> CgroupLayout {
        let mountinfo = try Files.readString("/proc/self/mountinfo")
        let layout = parse(mountinfo: mountinfo)
        if layout.legacy.isEmpty, layout.unified == nil {
            let filesystems = try Files.readString("/proc/filesystems")
            throw CgroupError.notMounted(kernelHasUnified: kernelHasUnified(filesystems: filesystems))
        }
        return layout
    }

    static func kernelHasUnified(filesystems: String) -> Bool {
        filesystems.split(separator: "\n").contains { $0.split(separator: "\t").last == "cgroup2" }
    }

    /// Reads the text of `/proc/self/mountinfo`. Of several mounts of one hierarchy, the first that shows its root
    /// is taken, else the first.
    public static func parse(mountinfo: String) -> CgroupLayout {
        var layout = CgroupLayout(legacy: [], unified: nil)
        // Device number → index in `legacy`, or -1 for v2; and whether that mount shows the hierarchy's root.
        var seen: [Substring: (index: Int, whole: Bool)] = [:]
        for line in mountinfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let separator = fields.firstIndex(of: "-"), separator >= 6, fields.count > separator + 3 else {
                continue
            }
            let type = fields[separator + 1]
            guard type == "cgroup" || type == "cgroup2" else { continue }
            let device = fields[2]
            let whole = fields[3] == "/"
            let mountPoint = unescape(fields[4])
            if let known = seen[device] {
                if whole, !known.whole {
                    if known.index < 0 {
                        layout.unified = mountPoint
                    } else {
                        layout.legacy[known.index].mountPoint = mountPoint
                    }
                    seen[device]?.whole = true
                }
                continue
            }
            if type == "cgroup2" {
                layout.unified = mountPoint
                seen[device] = (-1, whole)
                continue
            }
            var hierarchy = Hierarchy(mountPoint: mountPoint, controllers: [])
            for option in fields[separator + 3].split(separator: ",") {
                if option.hasPrefix("name=") {
                    hierarchy.name = String(option.dropFirst(5))
                } else if Self.controllers.contains(String(option)) {
                    hierarchy.controllers.append(String(option))
                }
            }
            seen[device] = (layout.legacy.count, whole)
            layout.legacy.append(hierarchy)
        }
        return layout
    }

    /// Controllers of v1, to be told from the other mount options (`rw`, `xattr`, `release_agent=`).
    static let controllers: Set<String> = [
        "blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb", "memory", "misc", "net_cls", "net_prio",
        "perf_event", "pids", "rdma",
    ]

    /// mountinfo writes blanks and backslashes as three octal digits.
    private static func unescape(_ field: Substring) -> String {
        guard field.contains("\\") else { return String(field) }
        let bytes = Array(field.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.count,
                let value = UInt8(String(decoding: bytes[(index + 1)...(index + 3)], as: UTF8.self), radix: 8)
            {
                result.append(value)
                index += 4
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
