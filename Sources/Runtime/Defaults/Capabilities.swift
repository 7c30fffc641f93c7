internal import LinuxSystem

public enum CapabilityError: Error, Sendable, Equatable, CustomStringConvertible {
    case unknown(String)
    public var description: String {
        switch self {
        case .unknown(let name): "unknown capability \"\(name)\": see capabilities(7), such as NET_ADMIN, or ALL"
        }
    }
}

/// Capability names, `CAP_` included, by number as the kernel has them.
public enum Capabilities {
    public static let names = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
        "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
        "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
        "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ]

    /// What Docker gives a container.
    public static let docker = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SYS_CHROOT", "CAP_MKNOD", "CAP_AUDIT_WRITE",
        "CAP_SETFCAP",
    ]

    /// `cap_add` and `cap_drop` applied as Docker does: adding ALL leaves only `cap_drop` to count, dropping ALL only
    /// `cap_add`; else what is added wins over what is dropped. "All" is what this process itself may have: a host can
    /// withhold some, and a container that asks for everything gets the rest.
    /// - Throws: ``CapabilityError``
    public static func resolve(add: [String], drop: [String], privileged: Bool) throws -> [String] {
        let add = try add.map(canonical)
        let drop = try drop.map(canonical)
        if privileged { return ownBoundingSet() }
        let result: Set<String>
        if add.contains(all) {
            result = Set(ownBoundingSet()).subtracting(drop)
        } else if drop.contains(all) {
            result = Set(add)
        } else {
            result = Set(docker).subtracting(drop).union(add)
        }
        return names.filter(result.contains)
    }

    private static let all = "ALL"

    private static func canonical(_ name: String) throws -> String {
        let upper = name.uppercased()
        if upper == all || upper == "CAP_ALL" { return all }
        let full = upper.hasPrefix("CAP_") ? upper : "CAP_\(upper)"
        guard names.contains(full) else { throw CapabilityError.unknown(name) }
        return full
    }

    /// Those of `names` that no container on this host can be given, for a warning.
    public static func ungrantable(_ names: [String]) -> [String] {
        let own = Set(ownBoundingSet())
        return names.filter { !own.contains($0) }
    }

    /// What this process may give at most: a privileged container cannot have more.
    static func ownBoundingSet() -> [String] {
        let status = (try? Files.readString("/proc/self/status")) ?? ""
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapBnd:") }),
            let bits = UInt64(line.dropFirst("CapBnd:".count).drop(while: \.isWhitespace), radix: 16)
        else { return names }
        return names.enumerated().filter { bits & (1 << UInt64($0.offset)) != 0 }.map(\.element)
    }
}
