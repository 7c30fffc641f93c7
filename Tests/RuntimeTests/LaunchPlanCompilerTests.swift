import LaunchPlan
import OCI
import Testing

@testable import Runtime

struct LaunchPlanCompilerTests {
    private func request() -> LaunchRequest {
        var spec = RuntimeSpec()
        var process = RuntimeSpec.Process()
        process.args = ["server", "-v"]
        process.env = ["PATH=/bin"]
        process.cwd = "/srv"
        process.user.uid = 1000
        process.user.gid = 1000
        process.capabilities = .init()
        process.capabilities?.bounding = ["CAP_CHOWN", "CAP_KILL", "CAP_UNHEARD_OF"]
        process.capabilities?.permitted = ["CAP_CHOWN"]
        process.rlimits = [.init(type: "RLIMIT_NOFILE", hard: 2, soft: 1)]
        spec.process = process
        spec.hostname = "web"
        spec.root.readonly = true
        spec.linux.namespaces = [.init(.mount), .init(.pid), .init(.network, path: "/proc/9/ns/net"), .init(.cgroup)]
        spec.linux.sysctl = ["net.ipv4.conf.eth0.forwarding": "1"]
        spec.linux.maskedPaths = ["/proc/keys"]
        spec.linux.readonlyPaths = ["/proc/sys"]
        spec.mounts = [
            .init(destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
            .init(destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro", "nosuid"]),
            .init(destination: "/data", type: "bind", source: "/vol", options: ["rbind", "rro", "rslave"]),
        ]
        return LaunchRequest(
            id: "abc", spec: spec, rootfs: .overlay(lower: ["/l1", "/l2"], upper: "/u", work: "/w"),
            runDirectory: "/run/c", log: LogOptions(path: "/log", maxSize: 10, maxFiles: 2), initProcess: true,
            files: [InjectedFile(path: "/etc/hosts", content: [1, 2, 3])], seccomp: [UInt8](repeating: 0, count: 16),
            cgroup: .v1([.init(name: "cpu,cpuacct", directory: "/cg/cpu"), .init(name: "memory", directory: "/cg/mem")])
        )
    }

    @Test func wholePlan() throws {
        let plan = try LaunchPlanCompiler.plan(for: request(), shimPath: "/usr/bin/swcompose-shim")
        let lines = plan.description.split(separator: "\n").map { $0.drop { $0 != " " }.dropFirst() }
        #expect(
            lines.joined(separator: "\n") == """
                runDirectory /run/c
                log /log size=10 files=2
                stdio flags=0
                namespaces 0x20020000
                cgroupProcs /cg/cpu/cgroup.procs
                cgroupProcs /cg/mem/cgroup.procs
                memoryEvents /cg/mem/memory.oom_control
                bindSource /cg/cpu
                bindSource /cg/mem
                bindSource /vol recursive
                bindSource /usr/bin/swcompose-shim
                joinNamespace 0x40000000 /proc/9/ns/net
                mountPropagation 0x44000
                scratch /run/c size=73731
                rootOverlay /l1 /l2 upper=/u work=/w
                mount proc proc /proc attributes=0xe flags=1
                mount tmpfs tmpfs /sys/fs/cgroup attributes=0x2 flags=0 options=mode=755,size=64k
                bind #0 /sys/fs/cgroup/cpu,cpuacct set=0x3 clear=0x0 propagation=0x40000
                symlink /sys/fs/cgroup/cpu -> cpu,cpuacct
                symlink /sys/fs/cgroup/cpuacct -> cpu,cpuacct
                bind #1 /sys/fs/cgroup/memory set=0x3 clear=0x0 propagation=0x40000
                mountAttributes /sys/fs/cgroup set=0x3
                bind #2 /data set=0x1 clear=0x0 propagation=0x80000 recursive
                file /etc/hosts 3 bytes mode=0644 owner=0:0
                bind #3 /sbin/docker-init set=0x1 clear=0x0 propagation=0x40000
                mask /proc/keys
                readOnlyPath /proc/sys
                directory /srv mode=0755 owner=0:0
                rootReadOnly
                pivotRoot
                hostName web
                awaitCgroup
                unshare 0x2000000
                awaitGo
                sysctl sys/net/ipv4/conf/eth0/forwarding=1
                sessionKeyring _ses.abc
                rlimit 7 1:2
                umask 022
                workingDirectory /srv
                boundingSet 0x21
                user 1000:1000 groups=[]
                capabilities permitted=0x0 effective=0x0 inheritable=0x0 ambient=0x0 keepAdmin
                seccomp 2 instructions flags=0
                execute ["/sbin/docker-init", "init", "--", "server", "-v"] environment=1
                """)
    }

    @Test func whatIsNotPossibleIsRefused() throws {
        func refusal(_ change: (inout LaunchRequest) -> Void) -> String? {
            var request = request()
            change(&request)
            do {
                _ = try LaunchPlanCompiler.plan(for: request, shimPath: "/s")
                return nil
            } catch {
                return "\(error)"
            }
        }
        #expect(
            refusal { $0.spec.linux.sysctl = ["vm.swappiness": "1"] }
                == "sysctl \"vm.swappiness\" is not in a separate kernel namespace")
        #expect(refusal { $0.spec.linux.sysctl = ["net.../../kernel": "1"] } != nil)
        #expect(refusal { $0.spec.linux.sysctl = ["net/../kernel/panic": "1"] } != nil)
        #expect(refusal { $0.spec.linux.namespaces = [.init(.pid)] } != nil)
        #expect(refusal { $0.spec.linux.namespaces.append(.init(.user)) } == "user namespaces are not supported")
        #expect(refusal { $0.spec.process?.cwd = "srv" } != nil)
        #expect(refusal { $0.spec.process?.args = [] } != nil)
        #expect(refusal { $0.spec.mounts[0].options = ["tmpcopyup"] } != nil)
        #expect(refusal { $0.spec.process?.rlimits = [.init(type: "RLIMIT_X", hard: 1, soft: 1)] } != nil)
    }

    @Test func laterMountOptionsWin() throws {
        let options = try MountOptions(["ro", "rw", "noatime", "relatime", "size=1m", "nosuid"], destination: "/x")
        #expect(options.set == 2 && options.clear == 0x71)
        #expect(options.data == ["size=1m"])
    }
}
