import OCI
import Testing

@testable import Runtime

@Suite("Docker's defaults and what may be asked for beyond them")
struct DefaultsTests {
    /// As the kernel counts them, and as a Docker container shows them.
    private func mask(_ names: [String]) -> UInt64 {
        names.reduce(0) { $0 | 1 << UInt64(Capabilities.names.firstIndex(of: $1)!) }
    }

    @Test("the fourteen capabilities, by the kernel's numbers")
    func docker() throws {
        #expect(mask(Capabilities.docker) == 0xa804_25fb)
        #expect(mask(try Capabilities.resolve(add: [], drop: [], privileged: false)) == 0xa804_25fb)
    }

    @Test("cap_add and cap_drop")
    func capabilities() throws {
        func resolve(_ add: [String], _ drop: [String]) throws -> Set<String> {
            Set(try Capabilities.resolve(add: add, drop: drop, privileged: false))
        }
        let docker = Set(Capabilities.docker)
        let own = Set(Capabilities.ownBoundingSet())
        #expect(try resolve(["net_admin"], ["CAP_MKNOD"]) == docker.union(["CAP_NET_ADMIN"]).subtracting(["CAP_MKNOD"]))
        #expect(try resolve(["CHOWN"], ["CHOWN"]) == docker)
        #expect(try resolve(["CHOWN"], ["all"]) == ["CAP_CHOWN"])
        #expect(try resolve([], ["ALL"]) == [])
        #expect(try resolve(["ALL"], []) == own)
        #expect(try resolve(["ALL", "CHOWN"], ["CHOWN"]) == own.subtracting(["CAP_CHOWN"]))
        #expect(try resolve(["CAP_ALL"], ["ALL"]) == own)
        #expect(try Capabilities.resolve(add: [], drop: ["ALL"], privileged: true) == Capabilities.ownBoundingSet())
        #expect(throws: CapabilityError.unknown("NET_ADMINS")) { try resolve(["NET_ADMINS"], []) }
        #expect(throws: CapabilityError.unknown("")) { try resolve([], [""]) }
        let withheld = Set(Capabilities.names).subtracting(own)
        #expect(Set(Capabilities.ungrantable(Capabilities.names)) == withheld)
    }

    @Test("device rules of the default let a container use its own nodes, and make but not use any other")
    func devices() throws {
        let rules = try #require(DockerDefaults.spec().linux.resources?.devices)
        #expect(
            try LegacyWrites.all(
                { () -> RuntimeSpec.Resources in
                    var resources = RuntimeSpec.Resources()
                    resources.devices = rules
                    return resources
                }()
            ).first?.values == ["a"])
        let allowed = try Set(rules.filter(\.allow).map { try DeviceRule($0).text })
        #expect(
            allowed == [
                "c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm",
                "c 5:2 rwm", "c 136:* rwm",
            ])
    }

    @Test("mounts come in an order in which each finds its place, and hide what they should")
    func mounts() {
        let spec = DockerDefaults.spec()
        let places = spec.mounts.map(\.destination)
        for (index, place) in places.enumerated() {
            for earlier in places[..<index] { #expect(!earlier.hasPrefix(place + "/"), "\(place) covers \(earlier)") }
        }
        let options = Dictionary(uniqueKeysWithValues: spec.mounts.map { ($0.destination, Set($0.options ?? [])) })
        #expect(options["/sys"]?.contains("ro") == true)
        #expect(options["/sys/fs/cgroup"]?.contains("ro") == true)
        for place in ["/proc", "/dev/shm", "/sys", "/dev/mqueue"] {
            #expect(options[place]?.isSuperset(of: ["nosuid", "nodev", "noexec"]) == true, "\(place)")
        }
        #expect(Set(spec.linux.maskedPaths ?? []).isSuperset(of: ["/proc/kcore", "/proc/keys", "/sys/firmware"]))
        #expect(Set(spec.linux.readonlyPaths ?? []).isSuperset(of: ["/proc/sys", "/proc/sysrq-trigger"]))
        #expect(spec.linux.namespaces.map(\.type).contains(.cgroup))
        #expect(!spec.linux.namespaces.map(\.type).contains(.user))
    }

    @Test("ulimits")
    func ulimits() throws {
        #expect(
            try Ulimits.rlimit("nofile", soft: 1024, hard: 2048)
                == RuntimeSpec.Rlimit(type: "RLIMIT_NOFILE", hard: 2048, soft: 1024))
        #expect(try Ulimits.rlimit("memlock", soft: -1, hard: -1).hard == .max)
        #expect(throws: LimitError.softAboveHard("core")) { try Ulimits.rlimit("core", soft: -1, hard: 5) }
        #expect(throws: LimitError.softAboveHard("core")) { try Ulimits.rlimit("core", soft: 6, hard: 5) }
        #expect(throws: LimitError.unknownUlimit("NOFILE")) { try Ulimits.rlimit("NOFILE", soft: 1, hard: 1) }
    }

    @Test(
        "sysctls of a namespace of the container's own",
        arguments: [
            "net.core.somaxconn", "net.ipv4.conf.eth0/1.forwarding", "kernel.shmmax", "kernel.sem", "kernel.msgmax",
            "fs.mqueue.msg_max", "kernel.domainname",
        ])
    func sysctls(name: String) throws {
        try Sysctls.check([name: "1"], hostNetwork: false, hostIPC: false, hostUTS: false)
        #expect(throws: LimitError.self) {
            try Sysctls.check([name: "1"], hostNetwork: true, hostIPC: true, hostUTS: true)
        }
    }

    @Test(
        "sysctls that are the host's, or no name at all",
        arguments: [
            "kernel.core_pattern", "vm.swappiness", "kernel.hostname", "net", "net.", "", "kernel.shm", "fs.mqueue",
            "net.ipv4/../../kernel/core_pattern", "net.//kernel.core_pattern", "net..x", "net.a b", "net.\u{0}",
            "fs.mqueue./../file-max", "netx.core",
        ])
    func badSysctls(name: String) {
        #expect(throws: LimitError.self) { try Sysctls.check([name: "1"], hostNetwork: false, hostIPC: false) }
    }

    @Test(
        "signals",
        arguments: [
            ("SIGTERM", 15), ("term", 15), ("15", 15), ("SIGRTMIN+3", 37), ("RTMAX-1", 63), ("SIGRTMIN", 34),
            ("64", 64),
            ("SIGCLD", 17),
        ] as [(String, Int32)])
    func signals(text: String, number: Int32) { #expect(Signals.number(of: text) == number) }

    @Test("what is no signal", arguments: ["", "0", "65", "-9", "SIG", "SIGFOO", "SIGRTMIN+31", "RTMIN-1", "9x"])
    func badSignals(text: String) { #expect(Signals.number(of: text) == nil) }

    @Test("security_opt")
    func securityOptions() throws {
        func parse(_ options: String...) throws -> SecurityOptions {
            try SecurityOptions(parsing: options, hasAppArmor: false)
        }
        #expect(try parse() == parse("no-new-privileges:false", "seccomp=builtin", "label=disable"))
        for text in ["no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"] {
            #expect(try parse(text).noNewPrivileges, "\(text)")
        }
        #expect(try parse("seccomp=unconfined").seccomp == .unconfined)
        #expect(try parse("seccomp:unconfined").seccomp == .unconfined)
        #expect(try parse("seccomp=a=b:c.json").seccomp == .profile("a=b:c.json"))
        #expect(try parse("systempaths=unconfined").unconfinedSystemPaths)
        #expect(try parse("apparmor=unconfined") == parse())
        for bad in [
            "", "seccomp", "seccomp=", "systempaths=x", "no-new-privileges=maybe", "label", "nonsense", "apparmor=",
        ] {
            #expect(throws: SecurityOptionError.self, "\(bad)") { try parse(bad) }
        }
        #expect(throws: SecurityOptionError.self) { try parse("apparmor=docker-default") }
    }
}
