import CLinux
import LinuxSystem
import OCI
import TestSupport
import Testing

@testable import Runtime

/// A directory that looks like cgroup v2, as far as files can.
private final class FakeUnified {
    let root: String
    let manager: CgroupManager

    init(controllers: String = "cpuset cpu io memory hugetlb pids") throws {
        root = "/tmp/swcompose-fake-cgroup-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        manager = CgroupManager(layout: CgroupLayout(legacy: [], unified: root), own: "swcompose")
        for directory in ["", "/swcompose"] {
            try Files.makeDirectories(root + directory)
            try put("\(directory)/cgroup.controllers", controllers)
            try put("\(directory)/cgroup.subtree_control", "")
        }
    }

    deinit { try? Files.removeTree(root) }

    func put(_ path: String, _ text: String) throws { try Files.replace(root + path, with: Array(text.utf8)) }
    func text(_ path: String) throws -> String { try Files.readString(root + path) }

    /// With the files that the kernel would put into a container's directory.
    func container(_ id: String, _ files: [String: String]) throws -> CgroupHandle {
        try Files.makeDirectories("\(root)/swcompose/\(id)")
        for (name, text) in files { try put("/swcompose/\(id)/\(name)", text) }
        return try manager.handle(id)
    }
}

@Suite("Cgroup v2 by its files")
@BlockingTests struct CgroupUnifiedTests {
    @Test("controllers are passed on from the top, those that exist and no others")
    func controllers() throws {
        let fake = try FakeUnified()
        var resources = RuntimeSpec.Resources()
        resources.pids = .init(limit: 5)
        let handle = try fake.manager.create("abc", resources: resources)
        #expect(try fake.text("/cgroup.subtree_control") == "+cpu +cpuset +io +memory +pids")
        #expect(try fake.text("/swcompose/cgroup.subtree_control") == "+cpu +cpuset +io +memory +pids")
        #expect(handle.path == "/swcompose/abc")
        #expect(handle.unifiedDirectory == "\(fake.root)/swcompose/abc")
        #expect(handle.processFiles == ["\(fake.root)/swcompose/abc/cgroup.procs"])
        #expect(handle.legacyProcessFiles == [])
        // No kernel, no pids.max: as on a host where the controller cannot be passed on.
        #expect(handle.warnings.map(\.setting) == ["pids limit"])
    }

    @Test("controllers already passed on are not written again")
    func controllersKept() throws {
        let fake = try FakeUnified(controllers: "memory pids")
        try fake.put("/cgroup.subtree_control", "memory pids")
        _ = try fake.manager.create("abc", resources: .init())
        #expect(try fake.text("/cgroup.subtree_control") == "memory pids")
        #expect(try fake.text("/swcompose/cgroup.subtree_control") == "+memory +pids")
    }

    @Test("limits change in place; what is not there is a warning")
    func update() throws {
        let fake = try FakeUnified()
        let handle = try fake.container("abc", ["memory.max": "", "cpu.max": "", "pids.max": "max"])
        var resources = RuntimeSpec.Resources()
        var memory = RuntimeSpec.Memory()
        memory.limit = 64 << 20
        resources.memory = memory
        var cpu = RuntimeSpec.CPU()
        (cpu.quota, cpu.period) = (50_000, 100_000)
        resources.cpu = cpu
        #expect(try handle.update(resources) == [])
        // Swap that was asked for is missed, where swap that Docker adds is not.
        resources.memory?.swap = 128 << 20
        let warnings = try handle.update(resources)
        #expect(try fake.text("/swcompose/abc/memory.max") == "67108864")
        #expect(try fake.text("/swcompose/abc/cpu.max") == "50000 100000")
        #expect(try fake.text("/swcompose/abc/pids.max") == "max")
        #expect(
            warnings == [CgroupWarning(setting: "memory swap limit", reason: "this kernel has no memory.swap.max here")]
        )
        #expect(throws: CgroupError.failed("cgroup /swcompose/none does not exist")) {
            try fake.manager.handle("none").update(resources)
        }
    }

    @Test("statistics")
    func stats() throws {
        let fake = try FakeUnified()
        let handle = try fake.container(
            "abc",
            [
                "memory.current": "5000000\n", "memory.max": "max\n",
                "memory.stat": "anon 1\ninactive_file 4096\nfile 9\n",
                "cpu.stat": "usage_usec 1234\nuser_usec 1\n", "pids.current": "3\n", "pids.max": "100\n",
                "io.stat": "8:0 rbytes=100 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2 rios=1\n",
                "memory.events": "low 0\noom 2\noom_kill 1\noom_group_kill 0\n",
            ])
        var expected = CgroupStats()
        (expected.memory, expected.memoryInactiveFile, expected.cpuTime) = (5_000_000, 4096, 1_234_000)
        (expected.pids, expected.pidsLimit, expected.blockRead, expected.blockWritten) = (3, 100, 101, 22)
        #expect(try handle.stats() == expected)
        #expect(try handle.oomKills() == 1)
        #expect(throws: CgroupError.self) { try fake.manager.handle("none").stats() }
    }

    @Test("freezing waits for the kernel's word, and gives up with everything running")
    func freeze() throws {
        let fake = try FakeUnified()
        let handle = try fake.container(
            "abc", ["cgroup.freeze": "0", "cgroup.events": "populated 1\nfrozen 1\n", "cgroup.procs": ""])
        try handle.freeze(timeout: 1)
        #expect(try fake.text("/swcompose/abc/cgroup.freeze") == "1")
        #expect(try handle.isFrozen())
        try fake.put("/swcompose/abc/cgroup.events", "populated 1\nfrozen 0\n")
        #expect(throws: CgroupError.self) { try handle.freeze(timeout: 0) }
        #expect(try fake.text("/swcompose/abc/cgroup.freeze") == "0")
    }

    @Test("cgroup.kill, and whom it refuses")
    func kill() throws {
        let fake = try FakeUnified()
        let handle = try fake.container(
            "abc", ["cgroup.kill": "", "cgroup.events": "populated 0\nfrozen 0\n", "cgroup.procs": ""])
        try handle.killAll(timeout: 1)
        #expect(try fake.text("/swcompose/abc/cgroup.kill") == "1")
        try fake.put("/swcompose/abc/cgroup.procs", "\(getpid())\n")
        #expect(throws: CgroupError.self) { try handle.killAll(timeout: 1) }
    }

    @Test(
        "names that would lead elsewhere",
        arguments: [("../x", nil), ("", nil), ("a/b", nil), ("a", "../b"), ("a", "/"), ("a", "x/./y"), ("a\n", nil)]
            as [(String, String?)])
    func names(id: String, parent: String?) {
        let manager = CgroupManager(layout: CgroupLayout(legacy: [], unified: "/nowhere"))
        #expect(throws: CgroupError.self) { try manager.handle(id, parent: parent) }
    }

    @Test("parents: ours by default, below ours, or from the top")
    func parents() throws {
        let manager = CgroupManager(layout: CgroupLayout(legacy: [], unified: "/nowhere"))
        #expect(try manager.handle("a").path == "/swcompose/a")
        #expect(try manager.handle("a", parent: "").path == "/swcompose/a")
        #expect(try manager.handle("a", parent: "x/y/").path == "/swcompose/x/y/a")
        #expect(try manager.handle("a", parent: "/x.slice").path == "/x.slice/a")
    }
}
