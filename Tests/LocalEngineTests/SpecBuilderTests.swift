import ComposeFile
import OCI
import Orchestration
import Runtime
import Testing

@testable import LocalEngine

@Suite struct SpecBuilderTests {
    private func build(
        mounts: [RuntimeSpec.Mount] = [], joined: [RuntimeSpec.Namespace.Kind: String] = [:], uid: UInt32 = 0,
        _ change: (inout ContainerSpec) -> Void = { _ in }
    ) throws -> RuntimeSpec {
        var spec = ContainerSpec()
        spec.name = "shop-web-1"
        spec.command = ["serve"]
        change(&spec)
        let container = StoredContainer(
            id: ContainerID("c0ffee"), project: "shop", spec: spec, createdAt: 0, anonymousVolumes: [:])
        return try SpecBuilder(
            container: container, image: .init(),
            user: ResolvedUser(uid: uid, gid: uid, additionalGids: [], home: "/root"), hostname: "web", mounts: mounts,
            security: try SecurityOptions(parsing: spec.securityOpt, hasAppArmor: false), joined: joined
        ).build()
    }

    private func options(_ spec: RuntimeSpec, at destination: String) -> [String]? {
        spec.mounts.first { $0.destination == destination }?.options
    }

    @Test func asksForNothing() throws {
        let spec = try build()
        #expect(spec.process?.args == ["serve"])
        #expect(spec.process?.cwd == "/")
        #expect(spec.process?.noNewPrivileges == false)
        #expect(spec.hostname == "web")
        #expect(spec.root.readonly != true)
        #expect(spec.mounts == DockerDefaults.spec().mounts)
        #expect(spec.linux.namespaces.map(\.type) == [.mount, .pid, .network, .ipc, .uts, .cgroup])
        #expect(spec.linux.namespaces.allSatisfy { $0.path == nil })
        #expect(spec.linux.resources?.memory == nil && spec.linux.resources?.cpu == nil)
        #expect(spec.linux.seccomp != nil)
    }

    // MARK: Privileges

    @Test func capabilitiesAreAddedAndDropped() throws {
        let spec = try build {
            $0.capAdd = ["net_admin"]
            $0.capDrop = ["CHOWN"]
        }
        let names = try #require(spec.process?.capabilities?.bounding)
        #expect(Set(names) == Set(Capabilities.docker).subtracting(["CAP_CHOWN"]).union(["CAP_NET_ADMIN"]))
        #expect(spec.process?.capabilities?.effective == names)
        #expect(throws: CapabilityError.unknown("FLY")) { try build { $0.capAdd = ["FLY"] } }
    }

    @Test func usersOtherThanRootHaveNoneInEffect() throws {
        let capabilities = try #require(try build(uid: 1000).process?.capabilities)
        #expect(Set(capabilities.bounding) == Set(Capabilities.docker))
        #expect(capabilities.effective == [] && capabilities.permitted == [])
    }

    @Test func privileged() throws {
        let plain = try build()
        let spec = try build { $0.privileged = true }
        #expect(spec.linux.maskedPaths == [] && spec.linux.readonlyPaths == [])
        #expect(spec.linux.resources?.devices == [.init(allow: true, access: "rwm")])
        #expect(spec.linux.seccomp == nil)
        for path in ["/sys", "/sys/fs/cgroup"] {
            #expect(options(plain, at: path)?.contains("ro") == true)
            #expect(options(spec, at: path)?.contains("ro") == false)
        }
        #expect(options(spec, at: "/sys")?.contains("nosuid") == true)
    }

    @Test func systemPathsUnconfined() throws {
        let plain = try build()
        #expect(plain.linux.maskedPaths?.contains("/proc/kcore") == true)
        #expect(plain.linux.readonlyPaths?.contains("/proc/sys") == true)
        let spec = try build { $0.securityOpt = ["systempaths=unconfined"] }
        #expect(spec.linux.maskedPaths == [] && spec.linux.readonlyPaths == [])
        // Nothing else is given up with that.
        #expect(spec.linux.seccomp != nil)
        #expect(options(spec, at: "/sys")?.contains("ro") == true)
    }

    @Test func readOnlyAndNoNewPrivileges() throws {
        let spec = try build {
            $0.readOnlyRootfs = true
            $0.securityOpt = ["no-new-privileges", "seccomp=unconfined"]
        }
        #expect(spec.root.readonly == true)
        #expect(spec.process?.noNewPrivileges == true)
        #expect(spec.linux.seccomp == nil)
    }

    // MARK: Mounts

    @Test func mountsReplaceDefaultsAndComeParentsFirst() throws {
        func mount(_ destination: String) -> RuntimeSpec.Mount {
            .init(destination: destination, type: "bind", source: "/srv", options: ["rbind"])
        }
        let given = ["/data/a/b", "/dev/shm", "/data", "/data/a", "/cache"].map(mount)
        let spec = try build(mounts: given)
        let defaults = DockerDefaults.spec().mounts.map(\.destination).filter { $0 != "/dev/shm" }
        #expect(spec.mounts.map(\.destination) == defaults + ["/data", "/cache", "/dev/shm", "/data/a", "/data/a/b"])
        #expect(spec.mounts.filter { $0.destination == "/dev/shm" } == [mount("/dev/shm")])
    }

    @Test func sharedMemorySize() throws {
        let spec = try build { $0.resources.shmSize = 1 << 20 }
        #expect(options(spec, at: "/dev/shm")?.filter { $0.hasPrefix("size=") } == ["size=1048576"])
        let host = try build(joined: [.ipc: ""]).mounts.filter { $0.destination == "/dev/shm" }
        #expect(host.map(\.source) == ["/dev/shm"] && host.map(\.type) == ["bind"])
    }

    // MARK: Namespaces

    @Test func networkOfTheHost() throws {
        let spec = try build(joined: [.network: ""])
        #expect(!spec.linux.namespaces.contains { $0.type == .network })
        #expect(spec.linux.sysctl?.keys.contains { $0.hasPrefix("net.") } == false)
        #expect(throws: LimitError.sysctlOfHostNetwork("net.core.somaxconn")) {
            try build(joined: [.network: ""]) { $0.sysctls = ["net.core.somaxconn": "9"] }
        }
    }

    @Test func networkOfItsOwn() throws {
        let spec = try build { $0.sysctls = ["net.core.somaxconn": "9"] }
        #expect(spec.linux.namespaces.filter { $0.type == .network } == [.init(.network)])
        #expect(spec.linux.sysctl?["net.core.somaxconn"] == "9")
        #expect(spec.linux.sysctl?["net.ipv4.ip_unprivileged_port_start"] == "0")
    }

    @Test func networkOfAnotherContainer() throws {
        let spec = try build(joined: [.network: "/proc/7/ns/net"])
        #expect(spec.linux.namespaces.filter { $0.type == .network } == [.init(.network, path: "/proc/7/ns/net")])
        // That has them already, and it may have set others.
        #expect(spec.linux.sysctl?["net.ipv4.ip_unprivileged_port_start"] == nil)
    }

    @Test func hostsOtherNamespaces() throws {
        let spec = try build(joined: [.uts: "", .ipc: "", .pid: ""])
        #expect(spec.linux.namespaces.map(\.type) == [.mount, .network, .cgroup])
        #expect(spec.hostname == nil)
        #expect(throws: LimitError.sysctlOfHostUTS("kernel.domainname")) {
            try build(joined: [.uts: ""]) { $0.sysctls = ["kernel.domainname": "example.org"] }
        }
        #expect(throws: LimitError.sysctlOfHostIPC("kernel.shmmax")) {
            try build(joined: [.ipc: ""]) { $0.sysctls = ["kernel.shmmax": "9"] }
        }
    }

    // MARK: Limits

    @Test(
        "cpus become a share of the period",
        arguments: [(0.5, nil, 50_000, 100_000), (1.5, 50_000, 75_000, 50_000), (0.125, nil, 12_500, 100_000)]
            as [(Double, Int64?, Int64, UInt64)])
    func cpus(cpus: Double, given: Int64?, quota: Int64, period: UInt64) throws {
        let spec = try build {
            $0.resources.cpus = cpus
            $0.resources.cpuPeriod = given
        }
        #expect(spec.linux.resources?.cpu?.quota == quota)
        #expect(spec.linux.resources?.cpu?.period == period)
    }

    @Test func otherLimits() throws {
        let spec = try build {
            $0.resources.memory = 64 << 20
            $0.resources.memorySwap = -1
            $0.resources.pids = 20
            $0.resources.blkioWeight = 300
            $0.resources.cpuset = "0-1"
            $0.resources.oomScoreAdj = -5
            var files = Ulimit()
            (files.soft, files.hard) = (1024, -1)
            $0.ulimits = ["nofile": files]
        }
        let resources = try #require(spec.linux.resources)
        #expect(resources.memory?.limit == 64 << 20)
        #expect(resources.memory?.swap == -1)
        #expect(resources.pids?.limit == 20)
        #expect(resources.blockIO?.weight == 300)
        #expect(resources.cpu?.cpus == "0-1" && resources.cpu?.quota == nil)
        #expect(spec.process?.oomScoreAdj == -5)
        #expect(spec.process?.rlimits == [.init(type: "RLIMIT_NOFILE", hard: .max, soft: 1024)])
    }

    @Test func devicesAreMadeAndAllowed() throws {
        let spec = try build {
            var device = Device()
            (device.source, device.target, device.permissions) = ("/dev/null", "/dev/nothing", "r")
            $0.devices = [device]
            $0.deviceCgroupRules = ["c 10:* rw"]
        }
        let node = try #require(spec.linux.devices?.last)
        #expect(node.path == "/dev/nothing" && node.type == "c" && node.major == 1 && node.minor == 3)
        #expect(
            spec.linux.resources?.devices?.suffix(2) == [
                .init(allow: true, type: "c", major: 1, minor: 3, access: "r"),
                .init(allow: true, type: "c", major: 10, access: "rw"),
            ])
    }
}
