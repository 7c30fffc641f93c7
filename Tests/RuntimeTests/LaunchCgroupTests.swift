import CLinux
import LinuxSystem
import OCI
import TestSupport
import Testing

@testable import Runtime

/// v1 cgroups of a test's own, removed with this object.
final class TestCgroups {
    let hierarchies: [CgroupHierarchy]

    init() throws {
        let name = "swc-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        hierarchies = ["cpu", "memory", "devices", "freezer", "blkio", "pids"].compactMap { controller in
            let base = "/sys/fs/cgroup/\(controller)"
            guard Files.exists("\(base)/cgroup.procs") else { return nil }
            return CgroupHierarchy(name: controller, directory: "\(base)/\(name)")
        }
        for hierarchy in hierarchies { try Files.makeDirectories(hierarchy.directory) }
    }

    func directory(_ name: String) -> String? { hierarchies.first { $0.name == name }?.directory }

    deinit {
        for hierarchy in hierarchies {
            // Busy for a moment after the last process.
            for _ in 0..<500 {
                if rmdir(hierarchy.directory) == 0 || swc_errno() != EBUSY { break }
                usleep(2000)
            }
        }
    }
}

@Suite(
    .serialized,
    .enabled(if: geteuid() == 0 && Files.exists("/sys/fs/cgroup/memory/cgroup.procs"), "needs root and cgroup v1"))
@BlockingTests struct LaunchCgroupTests {
    let groups: TestCgroups
    let harness: LaunchHarness

    init() throws {
        groups = try TestCgroups()
        harness = try LaunchHarness()
    }

    private func withView(_ request: inout LaunchRequest) {
        request.cgroup = .v1(groups.hierarchies)
        request.spec.linux.namespaces.append(.init(.cgroup))
        request.spec.mounts.append(
            .init(destination: "/sys/fs/cgroup", type: "cgroup", options: ["ro", "nosuid", "noexec", "nodev"]))
    }

    @Test func seesItsOwnAndNothingElse() throws {
        let limit = try #require(groups.directory("pids"))
        try Files.writeControl("\(limit)/pids.max", "77")
        let script =
            "grep -E ':(memory|pids):' /proc/self/cgroup | cut -d: -f2,3; cat /sys/fs/cgroup/pids/pids.max; "
            + "echo 5 > /sys/fs/cgroup/pids/pids.max; touch /sys/fs/cgroup/x; ls /sys/fs/cgroup"
        let result = try harness.shell(script, change: withView)
        let lines = result.stdout.split(separator: "\n")
        #expect(lines.prefix(2).sorted() == ["memory:/", "pids:/"])
        #expect(lines.dropFirst(2) == ["77", "blkio", "cpu", "devices", "freezer", "memory", "pids"])
        #expect(try harness.log().filter { $0.log.contains("Read-only file system") }.count == 2)
    }

    @Test func outOfMemoryIsTold() throws {
        let memory = try #require(groups.directory("memory"))
        try Files.writeControl("\(memory)/memory.limit_in_bytes", "8388608")
        // A variable that grows: the shell itself is killed.
        let result = try harness.shell("a=x; while :; do a=$a$a; done", change: withView)
        #expect(result.exit.oom)
        #expect(result.exit.code == 137)
    }

    @Test func execJoinsThem() throws {
        var request = harness.request("sleep", "60")
        withView(&request)
        _ = try ContainerRuntime.launch(request)
        let pipe = try OwnedDescriptor.pipe()
        let handle = try ContainerRuntime.exec(
            ExecLaunch(
                runDirectory: harness.runDirectory,
                process: LaunchHarness.process(["grep", "-E", ":pids:", "/proc/self/cgroup"]), cgroup: request.cgroup,
                stdio: .descriptors(input: pipe.read.raw, output: pipe.write.raw, error: pipe.write.raw)))
        #expect(handle.wait() == 0)
        // Before the cgroups are taken away.
        try ContainerProcesses.signal(runDirectory: harness.runDirectory, SIGKILL)
        _ = try harness.waitForExit()
        var buffer = [UInt8](repeating: 0, count: 100)
        let count = read(pipe.read.raw, &buffer, buffer.count)
        #expect(String(decoding: buffer[0..<max(count, 0)], as: UTF8.self).hasSuffix(":pids:/\n"))
    }

    @Test func missingCgroupIsNamed() throws {
        var request = harness.request("true")
        request.cgroup = .v1([.init(name: "pids", directory: "/sys/fs/cgroup/pids/swc-nothere")])
        do {
            _ = try ContainerRuntime.launch(request)
            Issue.record("launched into a cgroup that is not there")
        } catch {
            #expect("\(error)".contains("enter cgroup /sys/fs/cgroup/pids/swc-nothere/cgroup.procs"))
        }
    }

    /// Not a test of right or wrong: prints how long launch to exit takes. SWCOMPOSE_BENCHMARK=1 runs it.
    @Test(.enabled(if: getenv("SWCOMPOSE_BENCHMARK") != nil, "a measurement"))
    func timeFromLaunchToExit() throws {
        // As long as Docker's filter: 960 instructions, most of them no-ops.
        let filter =
            (0..<959).flatMap { _ -> [UInt8] in [0x05, 0, 0, 0, 0, 0, 0, 0] } + [0x06, 0, 0, 0, 0, 0, 0xFF, 0x7F]
        for (name, isFull) in [("without cgroups and filter", false), ("with both", true)] {
            var launches: [Double] = []
            var totals: [Double] = []
            for _ in 0..<50 {
                let harness = try LaunchHarness()
                let groups = try TestCgroups()
                let request = harness.request("true") {
                    guard isFull else { return }
                    withView(&$0)
                    $0.cgroup = .v1(groups.hierarchies)
                    $0.seccomp = filter
                }
                let start = now()
                _ = try ContainerRuntime.launch(request)
                launches.append(now() - start)
                while !Files.exists("\(harness.runDirectory)/exit") { usleep(50) }
                totals.append(now() - start)
            }
            print(
                name, "- launch median ms:", launches.sorted()[25], "to exit median ms:", totals.sorted()[25], "min:",
                totals.min() ?? 0)
        }
        _ = try ContainerRuntime.launch(harness.request("sleep", "60"))
        let pids = try Files.readString("\(harness.runDirectory)/pid").split(separator: " ")
        print(try Files.readString("/proc/\(pids[2])/smaps_rollup"))
    }

    private func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1e6
    }
}
