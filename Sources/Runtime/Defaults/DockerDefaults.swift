internal import LinuxSystem
public import OCI

/// What Docker gives a container that asks for nothing.
public enum DockerDefaults {
    /// Namespaces, mounts, devices, masks and sysctls; no process, no seccomp profile.
    public static func spec() -> RuntimeSpec {
        var spec = RuntimeSpec()
        spec.mounts = mounts
        spec.linux.namespaces = [.mount, .pid, .network, .ipc, .uts, .cgroup].map { .init($0) }
        spec.linux.maskedPaths = maskedPaths + thermalThrottling
        spec.linux.readonlyPaths = readonlyPaths
        spec.linux.sysctl = [
            "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647",
        ]
        var resources = RuntimeSpec.Resources()
        resources.devices = deviceRules
        spec.linux.resources = resources
        return spec
    }

    static let mounts: [RuntimeSpec.Mount] = [
        .init(destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
        .init(
            destination: "/dev", type: "tmpfs", source: "tmpfs",
            options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        .init(
            destination: "/dev/pts", type: "devpts", source: "devpts",
            options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
        .init(destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"]),
        .init(
            destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
            options: ["ro", "nosuid", "noexec", "nodev"]),
        .init(destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"]),
        .init(
            destination: "/dev/shm", type: "tmpfs", source: "shm",
            options: ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"]),
    ]

    /// The union of what Docker and Podman hide.
    static let maskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
        "/sys/firmware", "/sys/fs/selinux",
    ]

    /// One for each processor of hosts that have them: how hot it runs tells what others compute.
    static let thermalThrottling: [String] = {
        let directory = "/sys/devices/system/cpu"
        return ((try? Directory.subdirectories(directory)) ?? []).filter { name in
            name.hasPrefix("cpu") && Int(name.dropFirst(3)) != nil
        }.map { "\(directory)/\($0)/thermal_throttle" }.filter(Files.exists).sorted()
    }()

    static let readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

    /// In order: nothing, then making nodes of any kind (not using them), then what every container has.
    static let deviceRules: [RuntimeSpec.DeviceRule] = [
        .init(allow: false, access: "rwm"),
        .init(allow: true, type: "c", access: "m"),
        .init(allow: true, type: "b", access: "m"),
        .init(allow: true, type: "c", major: 1, minor: 3, access: "rwm"),
        .init(allow: true, type: "c", major: 1, minor: 5, access: "rwm"),
        .init(allow: true, type: "c", major: 1, minor: 7, access: "rwm"),
        .init(allow: true, type: "c", major: 1, minor: 8, access: "rwm"),
        .init(allow: true, type: "c", major: 1, minor: 9, access: "rwm"),
        .init(allow: true, type: "c", major: 5, minor: 0, access: "rwm"),
        .init(allow: true, type: "c", major: 5, minor: 2, access: "rwm"),
        .init(allow: true, type: "c", major: 136, access: "rwm"),
    ]
}
