import CLinux
import LinuxSystem
import OCI
import TestSupport
import Testing

@testable import Runtime

@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
@BlockingTests struct LaunchIsolationTests {
    let harness: LaunchHarness

    init() throws { harness = try LaunchHarness() }

    private func status(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[String(parts[0])] = parts[1].filter { $0 != "\t" } }
        }
        return fields
    }

    @Test func capabilitiesOfRoot() throws {
        let fields = status(try harness.run(harness.request("cat", "/proc/self/status")).stdout)
        for name in ["CapPrm", "CapEff", "CapBnd"] { #expect(fields[name] == "00000000a80425fb") }
        for name in ["CapInh", "CapAmb"] { #expect(fields[name] == "0000000000000000") }
        #expect(fields["NoNewPrivs"] == "0")
        #expect(fields["Seccomp"] == "0")
    }

    @Test func capabilitiesOfAUserWithAFilter() throws {
        let result = try harness.run(
            harness.request("cat", "/proc/self/status") {
                $0.spec.process?.user.uid = 1000
                $0.spec.process?.user.gid = 1001
                $0.spec.process?.user.additionalGids = [7, 8]
                $0.seccomp = Self.allowAll
            })
        let fields = status(result.stdout)
        for name in ["CapPrm", "CapEff", "CapInh", "CapAmb"] { #expect(fields[name] == "0000000000000000") }
        #expect(fields["CapBnd"] == "00000000a80425fb")
        #expect(fields["Seccomp"] == "2")
        #expect(fields["Uid"] == "1000100010001000")
        #expect(fields["Gid"] == "1001100110011001")
        #expect(fields["Groups"] == "7 8 ")
    }

    @Test func filterForRootKeepsNothing() throws {
        let fields = status(
            try harness.run(harness.request("cat", "/proc/self/status") { $0.seccomp = Self.allowAll }).stdout)
        #expect(fields["CapEff"] == "00000000a80425fb")
        #expect(fields["Seccomp"] == "2")
    }

    @Test func noNewPrivileges() throws {
        let fields = status(
            try harness.run(
                harness.request("cat", "/proc/self/status") { $0.spec.process?.noNewPrivileges = true }
            ).stdout)
        #expect(fields["NoNewPrivs"] == "1")
    }

    /// `return ALLOW` as classic BPF.
    private static let allowAll: [UInt8] = [0x06, 0, 0, 0, 0x00, 0x00, 0xFF, 0x7F]

    @Test func readOnlyRoot() throws {
        let result = try harness.shell("touch /x; touch /dev/shm/y && echo ok; ls /work") {
            $0.spec.root.readonly = true
            $0.spec.process?.cwd = "/work/deep"
        }
        #expect(result.stdout == "ok\ndeep\n")
        #expect(try harness.log().contains { $0.log.contains("Read-only file system") })
    }

    @Test func writesGoToTheUpperLayer() throws {
        #expect(try harness.shell("echo x > /etc/new").exit.code == 0)
        #expect(Files.exists("\(harness.upper)/etc/new"))
        #expect(!Files.exists("\(harness.root)/etc/new"))
    }

    @Test func masksAndReadOnlyPaths() throws {
        let script =
            "cat /proc/keys | wc -c; stat -c %t:%T /proc/keys; ls /sys/firmware | wc -l; "
            + "echo 1 > /proc/sys/kernel/domainname || echo denied"
        let output = try harness.shell(script).stdout
        #expect(output == "0\n1:3\n0\ndenied\n")
    }

    @Test func devices() throws {
        let script =
            "cd /dev; stat -c '%n %t:%T %a' null zero full random urandom tty; for i in fd ptmx stdout; do readlink $i; done; "
            + "ls pts; echo x > null; head -c 3 zero | wc -c"
        let output = try harness.shell(script).stdout
        #expect(
            output == """
                null 1:3 666
                zero 1:5 666
                full 1:7 666
                random 1:8 666
                urandom 1:9 666
                tty 5:0 666
                /proc/self/fd
                pts/ptmx
                /proc/self/fd/1
                ptmx
                3

                """)
    }

    @Test func onlyThreeDescriptors() throws {
        let leaked = (0..<50).map { _ in swc_open("/etc/passwd", O_RDONLY, 0) }
        defer { for descriptor in leaked { close(descriptor) } }
        // ls itself has the directory open as 3.
        #expect(try harness.run(harness.request("ls", "/proc/self/fd")).stdout == "0\n1\n2\n3\n")
    }

    @Test func namespacesAreItsOwn() throws {
        let result = try harness.shell("hostname; echo $$; ls /proc | grep -c '^[0-9]'; cat /proc/net/dev | wc -l")
        // Itself, ls and grep (ls may have seen either).
        let lines = result.stdout.split(separator: "\n")
        #expect(lines[0] == "box" && lines[1] == "1")
        let processes = try #require(Int(lines[2]))
        #expect(processes <= 4)
        #expect(lines[3] == "3")
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, 256)
        #expect(host[0] != 0 && host.withUnsafeBufferPointer { String(cString: $0.baseAddress!) } != "box")
    }

    @Test(arguments: ["/", "", "../../../../.."])
    func devThatIsALinkOutside(prefix: String) throws {
        let canary = "\(harness.base)/canary"
        try Files.makeDirectories(canary)
        // Absolute, relative to the root, and climbing.
        symlink(prefix == "" ? "..\(canary)" : "\(prefix)\(canary)", "\(harness.root)/dev")
        // Refused, or done inside: both are fine. What counts is the host's directory.
        _ = try? harness.run(harness.request("true"))
        #expect(try Files.list(canary).isEmpty)
        #expect(try Files.readString("/proc/self/mountinfo").contains(canary) == false)
    }

    @Test func bindTargetThroughALink() throws {
        // Missing targets of links are made inside, wherever they point.
        symlink("/outside/\(harness.base)/there", "\(harness.root)/link")
        symlink("../../../../..\(harness.base)/climb", "\(harness.root)/etc/up")
        try Files.makeDirectories("\(harness.base)/source")
        try Files.replace("\(harness.base)/source/file", with: Array("content".utf8))
        let result = try harness.shell("cat /link/file /etc/up/file /etc/one; touch /link/no; touch /etc/up/yes") {
            for (target, options) in [("/link", "ro"), ("/etc/up", "rw")] {
                $0.spec.mounts.append(
                    .init(
                        destination: target, type: "bind", source: "\(harness.base)/source",
                        options: ["rbind", options]))
            }
            $0.spec.mounts.append(
                .init(destination: "/etc/one", type: "bind", source: "\(harness.base)/source/file", options: ["bind"]))
        }
        #expect(result.stdout == "contentcontentcontent")
        #expect(try Files.list("\(harness.base)/source") == ["file", "yes"])
        #expect(!Files.exists("\(harness.base)/there") && !Files.exists("\(harness.base)/climb"))
    }

    @Test(arguments: 3...20)
    func workingDirectoryInADescriptor(number: Int) throws {
        let request = harness.request("ls") { $0.spec.process?.cwd = "/proc/self/fd/\(number)" }
        #expect(throws: LaunchError.self) { try ContainerRuntime.launch(request) }
    }

    @Test func injectedFiles() throws {
        let secret = InjectedFile(
            path: "/run/secrets/key", content: Array("k3y".utf8), mode: 0o400, uid: 7, gid: 8, readOnly: true)
        let hosts = InjectedFile(path: "/etc/hosts", content: Array("127.0.0.1 localhost\n".utf8))
        let script =
            "cat /etc/hosts; stat -c '%a %u:%g' /run/secrets/key; cat /run/secrets/key; "
            + "echo >> /etc/hosts && echo ok; echo > /run/secrets/key || echo denied"
        let result = try harness.shell(script) { $0.files = [secret, hosts] }
        #expect(result.stdout == "127.0.0.1 localhost\n400 7:8\nk3yok\ndenied\n")
        #expect(try Files.read("\(harness.upper)/run/secrets/key").isEmpty)
    }

    @Test func limitsSysctlsAndUmask() throws {
        let script =
            "ulimit -n; ulimit -Hn; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; touch /tmp/x; "
            + "stat -c %a /tmp/x; stat -c %a /tmp; cat /proc/self/oom_score_adj"
        let result = try harness.shell(script) {
            $0.spec.process?.rlimits = [.init(type: "RLIMIT_NOFILE", hard: 512, soft: 256)]
            $0.spec.process?.oomScoreAdj = 100
            $0.spec.linux.sysctl = ["net.ipv4.ip_unprivileged_port_start": "0"]
            $0.spec.mounts.append(.init(destination: "/tmp", type: "tmpfs", options: ["nosuid", "size=1m"]))
        }
        #expect(result.stdout == "256\n512\n0\n644\n755\n100\n")
    }

    @Test func limitBeyondTheHostsIsAWarning() throws {
        var current = rlimit()
        getrlimit(__rlimit_resource_t(7), &current)
        let request = harness.request("true") {
            let limit = UInt64(current.rlim_max) + 1000
            $0.spec.process?.rlimits = [.init(type: "RLIMIT_NOFILE", hard: limit, soft: limit)]
        }
        let canRaise = try Files.readString("/proc/self/status").contains("CapEff:\t000001ffffffffff")
        #expect(try ContainerRuntime.launch(request).warnings.isEmpty == canRaise)
        _ = try harness.waitForExit()
    }

    @Test func joinsAnotherContainersNamespaces() throws {
        let container = try ContainerRuntime.launch(harness.request("sleep", "60"))
        let other = try LaunchHarness()
        let result = try other.shell("hostname; ls /proc | grep -c '^1$'; cat /proc/1/comm") {
            $0.spec.hostname = nil
            $0.spec.linux.namespaces = [.init(.mount)]
            for (kind, name) in [
                (RuntimeSpec.Namespace.Kind.pid, "pid"), (.uts, "uts"), (.network, "net"), (.ipc, "ipc"),
            ] {
                $0.spec.linux.namespaces.append(.init(kind, path: "/proc/\(container.pid)/ns/\(name)"))
            }
        }
        #expect(result.stdout == "box\n1\nsleep\n")
    }

    @Test func sharedPidNamespaceDoesNotHoldUpTheEnd() throws {
        // A background process keeps stdout open after the first has ended; without a pid namespace it lives on.
        let result = try harness.shell("sleep 7 & echo started; exit 6") {
            $0.spec.linux.namespaces.removeAll { $0.type == .pid }
        }
        #expect(result.exit.code == 6)
        #expect(result.stdout == "started\n")
    }
}
