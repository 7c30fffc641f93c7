import CLinux
import LinuxSystem
import OCI
import TestSupport
import Testing

@testable import Runtime

/// Cgroups of the running kernel, below a top directory of this test's own, emptied and removed with this object.
private final class RealCgroups {
    let manager: CgroupManager
    private(set) var handles: [CgroupHandle] = []

    init(_ layout: CgroupLayout) {
        manager = CgroupManager(layout: layout, own: "swcompose-test-\(getpid())-\(UInt32.random(in: 0 ... .max))")
    }

    deinit {
        for handle in handles {
            try? handle.killAll(timeout: 5)
            try? handle.remove()
        }
    }

    func create(_ resources: RuntimeSpec.Resources = .init(), parent: String? = nil) throws -> CgroupHandle {
        let handle = try manager.create("c\(handles.count)", resources: resources, parent: parent)
        handles.append(handle)
        return handle
    }

    var topDirectories: [String] {
        (manager.layout.legacy.map(\.mountPoint) + [manager.layout.unified].compactMap { $0 }).map {
            "\($0)/\(manager.own)"
        }
    }
}

private let host = (try? CgroupLayout.detect()) ?? CgroupLayout(legacy: [], unified: nil)
private let hostHasLegacy =
    geteuid() == 0
    && Set(host.legacy.flatMap(\.controllers)).isSuperset(of: ["memory", "freezer", "devices", "pids", "cpu"])
private let hostHasUnified = geteuid() == 0 && host.unified != nil

@Suite("Cgroups of this kernel", .serialized, .enabled(if: geteuid() == 0 && (hostHasLegacy || hostHasUnified)))
@BlockingTests struct CgroupKernelTests {
    private func memory(_ limit: Int64, swap: Int64? = nil) -> RuntimeSpec.Resources {
        var memory = RuntimeSpec.Memory()
        (memory.limit, memory.swap) = (limit, swap)
        var resources = RuntimeSpec.Resources()
        resources.memory = memory
        return resources
    }

    @Test("limits are set, read back, changed and gone", .enabled(if: hostHasLegacy))
    func limits() throws {
        let real = RealCgroups(host)
        var resources = memory(64 << 20)
        resources.pids = .init(limit: 20)
        var cpu = RuntimeSpec.CPU()
        (cpu.quota, cpu.period, cpu.shares, cpu.cpus) = (50_000, 100_000, 512, "0")
        resources.cpu = cpu
        let handle = try real.create(resources)
        #expect(try ControlFile.read(handle.legacyDirectory("memory")! + "/memory.limit_in_bytes") == "67108864")
        #expect(try ControlFile.read(handle.legacyDirectory("pids")! + "/pids.max") == "20")
        #expect(try ControlFile.read(handle.legacyDirectory("cpu")! + "/cpu.cfs_quota_us") == "50000")
        #expect(try ControlFile.read(handle.legacyDirectory("cpu")! + "/cpu.shares") == "512")
        #expect(try ControlFile.read(handle.legacyDirectory("cpuset")! + "/cpuset.cpus") == "0")
        #expect(try handle.stats().memoryLimit == 64 << 20)

        // Up beyond the old sum with swap, then down below the old limit: the order of the files must turn.
        _ = try handle.update(memory(512 << 20))
        #expect(try handle.stats().memoryLimit == 512 << 20)
        _ = try handle.update(memory(16 << 20))
        #expect(try handle.stats().memoryLimit == 16 << 20)
        #expect(try handle.stats().pidsLimit == 20)

        #expect(try real.manager.containers() == ["c0"])
        try handle.remove()
        #expect(!handle.exists)
        for directory in real.topDirectories { #expect(!Files.exists(directory)) }
        try handle.remove()
    }

    @Test("a limit that this kernel lacks is a warning", .enabled(if: hostHasLegacy))
    func missingLimit() throws {
        let real = RealCgroups(host)
        var resources = RuntimeSpec.Resources()
        resources.blockIO = .init()
        resources.blockIO?.weight = 500
        let handle = try real.create(resources)
        let blkio = try #require(handle.legacyDirectory("blkio"))
        let hasFile = Files.exists("\(blkio)/blkio.weight") || Files.exists("\(blkio)/blkio.bfq.weight")
        #expect(handle.warnings.map(\.setting) == (hasFile ? [] : ["blkio weight"]))
    }

    @Test("an impossible limit leaves nothing behind", .enabled(if: hostHasLegacy))
    func impossible() throws {
        let real = RealCgroups(host)
        var resources = RuntimeSpec.Resources()
        var cpu = RuntimeSpec.CPU()
        cpu.cpus = "900-1000"
        resources.cpu = cpu
        #expect {
            try real.manager.create("x", resources: resources)
        } throws: {
            "\($0)".contains("cpuset cpus 900-1000")
        }
        for directory in real.topDirectories { #expect(!Files.exists(directory)) }
    }

    @Test("processes are found, also in cgroups below; a populated cgroup is not removed")
    func members() throws {
        let real = RealCgroups(host)
        let handle = try real.create()
        let child = try HeldProcess("sleep 100")
        try handle.add(child.pid)
        #expect(try handle.processes() == [child.pid])
        let below = try #require(handle.directories.first) + "/below"
        let belowAll = handle.directories.map { "\($0)/below" }
        for directory in belowAll where !directory.contains("cpuset") { try Directory.make(directory) }
        #expect(throws: CgroupError.populated(path: handle.path, processes: [child.pid])) {
            try handle.remove(timeout: 0.01)
        }
        #expect(throws: CgroupError.self) { try real.manager.create("c0", resources: .init()) }
        try handle.killAll()
        #expect(child.exitCode() == 128 + SIGKILL)
        try handle.remove()
        #expect(!Files.exists(below))
    }

    @Test("v1's freezer, and its loop that kills a family that keeps forking", .enabled(if: hostHasLegacy))
    func legacyFreezer() throws {
        let real = RealCgroups(CgroupLayout(legacy: host.legacy, unified: nil))
        try freezeAndKill(real)
    }

    @Test("v2's freezer and kill", .enabled(if: hostHasUnified))
    func unifiedFreezer() throws {
        let real = RealCgroups(host)
        try freezeAndKill(real)
    }

    private func freezeAndKill(_ real: RealCgroups) throws {
        let handle = try real.create()
        #expect(try !handle.isFrozen())
        let child = try HeldProcess("while :; do (sleep 0.01; sleep 0.01) & sleep 0.005; done")
        try handle.add(child.pid)
        child.go()
        Waiting.sleep(seconds: 0.05)
        try handle.freeze()
        #expect(try handle.isFrozen())
        let before = try handle.processes()
        #expect(before.contains(child.pid))
        Waiting.sleep(seconds: 0.05)
        #expect(try handle.processes() == before)
        try handle.thaw()
        #expect(try !handle.isFrozen())
        #expect(Waiting.until(seconds: 5) { (try? handle.processes()) != before })
        // Also from standstill.
        try handle.freeze()
        try handle.killAll()
        #expect(try handle.processes() == [])
        #expect(child.exitCode() == 128 + SIGKILL)
        try handle.remove()
        for directory in real.topDirectories { #expect(!Files.exists(directory)) }
    }

    @Test("a process that wants too much memory is killed, and counted", .enabled(if: hostHasLegacy))
    func outOfMemory() throws {
        let real = RealCgroups(host)
        let handle = try real.create(memory(16 << 20, swap: 16 << 20))
        let child = try HeldProcess("exec tail /dev/zero")
        try handle.add(child.pid)
        #expect(try handle.oomKills() == 0)
        child.go()
        #expect(child.exitCode() == 128 + SIGKILL)
        #expect(try handle.oomKills() == 1)
    }

    private static let onlyNull: RuntimeSpec.Resources = {
        var resources = RuntimeSpec.Resources()
        resources.devices = [
            .init(allow: false), .init(allow: true, type: "c", major: 1, minor: 3, access: "rw"),
        ]
        return resources
    }()

    @Test("devices by v1's rules", .enabled(if: hostHasLegacy))
    func legacyDevices() throws { try devices(RealCgroups(host)) }

    @Test("devices by a program of cgroup v2", .enabled(if: hostHasUnified))
    func unifiedDevices() throws {
        let withoutDevices = host.legacy.filter { !$0.controllers.contains("devices") }
        try devices(RealCgroups(CgroupLayout(legacy: withoutDevices, unified: host.unified)))
    }

    private func devices(_ real: RealCgroups) throws {
        let handle = try real.create(Self.onlyNull)
        #expect(handle.warnings == [])
        let script = "echo x > /dev/null || exit 1; if head -c1 /dev/zero; then exit 2; fi; exit 7"
        let first = try HeldProcess(script)
        try handle.add(first.pid)
        first.go()
        #expect(first.exitCode() == 7)
        // Replaced as a whole.
        var resources = RuntimeSpec.Resources()
        resources.devices = Self.onlyNull.devices! + [.init(allow: true, type: "c", major: 1, minor: 5)]
        #expect(try handle.update(resources) == [])
        let second = try HeldProcess(script)
        try handle.add(second.pid)
        second.go()
        #expect(second.exitCode() == 2)
    }

    @Test("parents of one's own")
    func parents() throws {
        let real = RealCgroups(host)
        let handle = try real.create(parent: "group/inner")
        #expect(handle.path == "/\(real.manager.own)/group/inner/c0")
        let child = try HeldProcess("exit 3")
        try handle.add(child.pid)
        child.go()
        #expect(child.exitCode() == 3)
        try handle.remove()
        for directory in real.topDirectories { #expect(!Files.exists(directory)) }
    }

    @Test("what a crash left is replaced")
    func leftover() throws {
        let real = RealCgroups(host)
        for directory in real.topDirectories { try Files.makeDirectories("\(directory)/c0/deeper") }
        let handle = try real.create()
        for directory in handle.directories { #expect(!Files.exists("\(directory)/deeper")) }
    }

    @Test("making and removing at the same time: our own directory comes and goes, no one fails")
    func race() async throws {
        let manager = CgroupManager(layout: host, own: "swcompose-test-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    try await BlockingPool.shared.run {
                        for round in 0..<25 {
                            try manager.create("w\(worker)-\(round)", resources: .init()).remove()
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try manager.containers() == [])
    }
}
