import ComposeFile
import LinuxSystem
import Networking
import OCI
import Orchestration
import Testing
import Volumes

@testable import LocalEngine

@Suite struct MountPlannerTests {
    private func mount(_ change: (inout ContainerSpec.MountSpec) -> Void) throws -> RuntimeSpec.Mount {
        var mount = ContainerSpec.MountSpec()
        mount.target = "/data"
        change(&mount)
        return try #require(try plan([mount]).first)
    }

    private func plan(
        _ mounts: [ContainerSpec.MountSpec], from others: [(StoredContainer, readOnly: Bool)] = []
    ) throws -> [RuntimeSpec.Mount] {
        try MountPlanner(
            volumes: VolumeStore(paths: HostPaths(data: "/nonexistent", run: "/nonexistent")),
            directory: ContainerDirectory("/nonexistent"), container: container(mounts), rootLayers: []
        ).mounts(volumesFrom: others)
    }

    private func container(_ mounts: [ContainerSpec.MountSpec]) -> StoredContainer {
        var spec = ContainerSpec()
        spec.name = "shop-web-1"
        spec.mounts = mounts
        return StoredContainer(
            id: ContainerID("c0ffee"), project: "shop", spec: spec, createdAt: 0, anonymousVolumes: [:])
    }

    @Test func binds() throws {
        let plain = try mount { $0.source = .bind("/tmp") }
        #expect(
            plain == .init(destination: "/data", type: "bind", source: "/tmp", options: ["rbind", "rw", "rprivate"]))
        let special = try mount {
            $0.source = .bind("/tmp")
            $0.readOnly = true
            $0.recursive = "disabled"
            $0.propagation = "rslave"
        }
        #expect(special.options == ["bind", "ro", "rslave"])
    }

    @Test func bindsOfWhatIsNotThere() {
        #expect(
            throws: EngineError.startFailed(
                container: "shop-web-1", reason: "bind source path does not exist: /nonexistent/x", code: 128)
        ) {
            try mount {
                $0.source = .bind("/nonexistent/x")
                $0.createHostPath = false
            }
        }
    }

    @Test func volumesThatAreNotThere() {
        #expect(throws: EngineError.startFailed(container: "shop-web-1", reason: "no such volume: data", code: 128)) {
            try mount { $0.source = .volume("data") }
        }
    }

    @Test func tmpfs() throws {
        #expect(try mount { _ in }.options == ["noexec", "nosuid", "nodev"])
        let special = try mount {
            $0.tmpfsOptions = ["exec", "uid=7"]
            $0.readOnly = true
            $0.tmpfsSize = 65536
            $0.tmpfsMode = 0o1777
        }
        #expect(special.type == "tmpfs")
        // Docker's come first, so that the service's win.
        #expect(
            special.options == ["noexec", "nosuid", "nodev", "exec", "uid=7", "ro", "size=65536", "mode=1777"])
    }

    @Test func ownMountsReplaceThoseOfOthers() throws {
        func bind(_ source: String, at target: String) -> ContainerSpec.MountSpec {
            var mount = ContainerSpec.MountSpec()
            (mount.source, mount.target) = (.bind(source), target)
            return mount
        }
        var scratch = ContainerSpec.MountSpec()
        scratch.target = "/scratch"
        let other = container([bind("/usr", at: "/data"), bind("/usr", at: "/more"), scratch])
        let mounts = try plan([bind("/tmp", at: "/data")], from: [(other, readOnly: true)])
        #expect(
            mounts == [
                .init(destination: "/more", type: "bind", source: "/usr", options: ["rbind", "ro", "rprivate"]),
                .init(destination: "/data", type: "bind", source: "/tmp", options: ["rbind", "rw", "rprivate"]),
            ])
    }
}

@Suite struct DeviceRuleTests {
    @Test(
        arguments: [
            ("c 10:200 rwm", .init(allow: true, type: "c", major: 10, minor: 200, access: "rwm")),
            ("b 8:* r", .init(allow: true, type: "b", major: 8, access: "r")),
            ("a *:* m", .init(allow: true, type: "a", access: "m")),
        ] as [(String, RuntimeSpec.DeviceRule)])
    func understood(text: String, rule: RuntimeSpec.DeviceRule) throws {
        #expect(try HostDevices.rule(text) == rule)
    }

    @Test(
        arguments: [
            "", "c", "c 10:200", "d 10:200 rwm", "c 10 rwm", "c 10:200:3 rwm", "c x:1 rwm", "c 10:200 rwx",
            "c -1:200 rwm", "c 10:-5 r", "c 10:200 rwm more",
        ])
    func refused(text: String) {
        #expect(throws: EngineError.self) { try HostDevices.rule(text) }
    }
}

@Suite struct PublishedPortTests {
    private func request(_ published: String, _ transport: String = "tcp", at host: String? = nil) throws -> PortRequest
    {
        var port = Port()
        (port.target, port.published, port.protocol, port.hostIP) = (80, published, transport, host)
        return try PortRequest(port, container: "shop-web-1")
    }

    @Test(
        arguments: [("", nil), ("0", nil), ("8080", 8080...8080), ("8000-8010", 8000...8010), ("65535", 65535...65535)]
            as [(String, ClosedRange<UInt16>?)])
    func ranges(published: String, ports: ClosedRange<UInt16>?) throws {
        #expect(
            try request(published, at: "127.0.0.1")
                == PortRequest(hostIP: "127.0.0.1", ports: ports, transport: .tcp, owner: "container shop-web-1"))
    }

    @Test func transports() throws {
        #expect(try request("53", "udp").transport == .udp)
        #expect(throws: EngineError.self) { try request("53", "sctp") }
    }

    @Test(arguments: ["x", "65536", "80-", "-80", "90-80", "80-81-82", "-", "80:81", "0-0"])
    func refused(published: String) {
        #expect(throws: EngineError.self) { try request(published) }
    }
}
