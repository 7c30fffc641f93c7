import Testing

@testable import Runtime

@Suite("Cgroup layout")
struct CgroupLayoutTests {
    @Test("systemd's hybrid host: v1 with shared hierarchies, a named one, and v2 beside it")
    func hybrid() {
        let layout = CgroupLayout.parse(
            mountinfo: """
                24 29 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
                31 24 0:26 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
                32 31 0:27 / /sys/fs/cgroup/unified rw,nosuid,nodev,noexec,relatime shared:10 - cgroup2 cgroup2 rw,nsdelegate
                33 31 0:28 / /sys/fs/cgroup/systemd rw,nosuid,nodev,noexec,relatime shared:11 - cgroup cgroup rw,xattr,name=systemd
                36 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid,nodev,noexec,relatime shared:15 - cgroup cgroup rw,cpu,cpuacct
                37 31 0:32 / /sys/fs/cgroup/memory rw,nosuid,nodev,noexec,relatime shared:16 - cgroup cgroup rw,memory
                38 31 0:33 / /sys/fs/cgroup/net_cls,net_prio rw,relatime shared:17 - cgroup cgroup rw,net_cls,net_prio,release_agent=/x
                """)
        #expect(layout.mode == .hybrid)
        #expect(layout.unified == "/sys/fs/cgroup/unified")
        #expect(
            layout.legacy == [
                .init(mountPoint: "/sys/fs/cgroup/systemd", controllers: [], name: "systemd"),
                .init(mountPoint: "/sys/fs/cgroup/cpu,cpuacct", controllers: ["cpu", "cpuacct"]),
                .init(mountPoint: "/sys/fs/cgroup/memory", controllers: ["memory"]),
                .init(mountPoint: "/sys/fs/cgroup/net_cls,net_prio", controllers: ["net_cls", "net_prio"]),
            ])
    }

    @Test("pure v2, with optional fields and none")
    func unified() {
        let layout = CgroupLayout.parse(
            mountinfo:
                "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate\n"
        )
        #expect(layout == CgroupLayout(legacy: [], unified: "/sys/fs/cgroup"))
        #expect(layout.mode == .unified)
    }

    @Test("a second mount of a hierarchy counts only where it shows the root and the first does not")
    func repeatedMounts() {
        let layout = CgroupLayout.parse(
            mountinfo: """
                40 30 0:31 /docker/abc /a rw - cgroup cgroup rw,pids
                41 30 0:31 / /all\\040of\\134it rw - cgroup cgroup rw,pids
                42 30 0:31 / /third rw - cgroup cgroup rw,pids
                43 30 0:32 /x /first rw - cgroup2 none rw
                44 30 0:32 /y /second rw - cgroup2 none rw
                """)
        #expect(layout.legacy == [.init(mountPoint: "/all of\\it", controllers: ["pids"])])
        #expect(layout.unified == "/first")
    }

    @Test("other file systems and damaged lines are passed over")
    func noise() {
        let layout = CgroupLayout.parse(mountinfo: "x\n1 2 0:3 / /p rw -\n1 2 0:3 / /proc rw - proc cgroup rw\n")
        #expect(layout == CgroupLayout(legacy: [], unified: nil))
        #expect(layout.mode == .legacy)
        #expect(CgroupLayout.kernelHasUnified(filesystems: "nodev\tproc\nnodev\tcgroup2\n\text4\n"))
        #expect(!CgroupLayout.kernelHasUnified(filesystems: "nodev\tcgroup\n\text4\n"))
    }
}
