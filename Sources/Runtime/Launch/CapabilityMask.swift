/// Capabilities as the kernel has them: a bit each.
enum CapabilityMask {
    /// In the order of their numbers.
    static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]

    /// Names with or without `CAP_`. Unknown ones are left out: a kernel without a capability cannot grant it, which
    /// the specification wants to be no error.
    static func mask(_ list: [String]) -> UInt64 {
        list.reduce(0) { mask, name in
            let short = name.hasPrefix("CAP_") ? String(name.dropFirst(4)) : name
            return names.firstIndex(of: short).map { mask | 1 << UInt64($0) } ?? mask
        }
    }
}
