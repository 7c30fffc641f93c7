import OCI
import Testing

@testable import Runtime

@Suite("Cgroup limits as control files have them")
struct CgroupLimitTests {
    private func memory(limit: Int64? = nil, reservation: Int64? = nil, swap: Int64? = nil) -> RuntimeSpec.Resources {
        var memory = RuntimeSpec.Memory()
        (memory.limit, memory.reservation, memory.swap) = (limit, reservation, swap)
        var resources = RuntimeSpec.Resources()
        resources.memory = memory
        return resources
    }

    private func lines(_ writes: [ControlWrite]) -> [String] {
        writes.map { "\($0.files.joined(separator: "|"))=\($0.values.joined(separator: ";"))" }
    }

    static let mebi: Int64 = 1 << 20

    @Test("memory: Docker adds as much swap again, and v2 counts swap alone")
    func memoryDefaults() throws {
        let resources = memory(limit: 64 * Self.mebi, reservation: 32 * Self.mebi)
        #expect(
            lines(try LegacyWrites.all(resources)) == [
                "memory.limit_in_bytes=67108864", "memory.memsw.limit_in_bytes=134217728",
                "memory.soft_limit_in_bytes=33554432",
            ])
        #expect(
            lines(try UnifiedWrites.all(resources)) == [
                "memory.max=67108864", "memory.swap.max=67108864", "memory.low=33554432",
            ])
    }

    @Test("memory: swap the size of the limit is no swap; -1 is no limit")
    func memorySwap() throws {
        let none = memory(limit: 64 * Self.mebi, swap: 64 * Self.mebi)
        #expect(lines(try UnifiedWrites.all(none)) == ["memory.max=67108864", "memory.swap.max=0"])
        let unlimited = memory(limit: 64 * Self.mebi, swap: -1)
        #expect(lines(try UnifiedWrites.all(unlimited)) == ["memory.max=67108864", "memory.swap.max=max"])
        #expect(
            lines(try LegacyWrites.all(unlimited)) == [
                "memory.limit_in_bytes=67108864", "memory.memsw.limit_in_bytes=-1",
            ])
        #expect(lines(try UnifiedWrites.all(memory(limit: -1))) == ["memory.max=max", "memory.swap.max=max"])
        #expect(lines(try LegacyWrites.all(memory(limit: 0, swap: 0))) == [])
    }

    @Test(
        "memory that cannot be right is an error",
        arguments: [
            (Int64(64) << 20, nil, Int64(32) << 20), (nil, nil, 64 << 20), (1 << 20, nil, nil), (-2, nil, nil),
            (64 << 20, 65 << 20, nil),
        ] as [(Int64?, Int64?, Int64?)])
    func badMemory(limit: Int64?, reservation: Int64?, swap: Int64?) {
        #expect(throws: CgroupError.self) {
            try LegacyWrites.all(memory(limit: limit, reservation: reservation, swap: swap))
        }
    }

    @Test("processors, pids, cpuset and block weight")
    func others() throws {
        var resources = RuntimeSpec.Resources()
        var cpu = RuntimeSpec.CPU()
        (cpu.shares, cpu.quota, cpu.period, cpu.cpus, cpu.mems) = (512, 150_000, 100_000, "0-1", "0")
        resources.cpu = cpu
        resources.pids = .init(limit: 0)
        resources.blockIO = .init()
        resources.blockIO?.weight = 1000
        #expect(
            lines(try LegacyWrites.all(resources)) == [
                "cpu.shares=512", "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=150000", "cpuset.cpus=0-1",
                "cpuset.mems=0", "pids.max=max", "blkio.weight|blkio.bfq.weight=1000",
            ])
        #expect(
            lines(try UnifiedWrites.all(resources)) == [
                "cpu.weight=\(ResourceConversions.cpuWeight(shares: 512))", "cpu.max=150000 100000", "cpuset.cpus=0-1",
                "cpuset.mems=0", "pids.max=max", "io.weight=default 10000",
            ])
        cpu = .init()
        cpu.quota = -1
        resources = .init()
        resources.cpu = cpu
        resources.pids = .init(limit: 7)
        #expect(lines(try LegacyWrites.all(resources)) == ["cpu.cfs_quota_us=-1", "pids.max=7"])
        #expect(lines(try UnifiedWrites.all(resources)) == ["cpu.max=max 100000", "pids.max=7"])
        resources.blockIO = .init()
        resources.blockIO?.weight = 9
        #expect(throws: CgroupError.self) { try UnifiedWrites.all(resources) }
    }

    @Test("device rules keep their order, and neighbours of one kind share a file")
    func deviceOrder() throws {
        var resources = RuntimeSpec.Resources()
        resources.devices = [
            .init(allow: false, access: "rwm"), .init(allow: true, type: "c", major: 1, minor: 3, access: "rwm"),
            .init(allow: true, type: "c", major: 136, access: "rw"),
            .init(allow: false, type: "c", major: 10, minor: 229),
            .init(allow: true, type: "b", major: -1, minor: -1, access: "m"),
        ]
        #expect(
            lines(try LegacyWrites.all(resources)) == [
                "devices.deny=a", "devices.allow=c 1:3 rwm;c 136:* rw", "devices.deny=c 10:229 rwm",
                "devices.allow=b *:* m",
            ])
        for bad in [
            RuntimeSpec.DeviceRule(allow: true, type: "x"), .init(allow: true, type: "c", access: "rx"),
            .init(allow: true, type: "c", major: 1 << 20), .init(allow: true, type: "cc"),
        ] {
            resources.devices = [bad]
            #expect(throws: CgroupError.self) { try LegacyWrites.all(resources) }
        }
    }

    @Test("cpus as quota", arguments: [(0.01, 1000), (0.5, 50_000), (1.5, 150_000), (2, 200_000)] as [(Double, Int64)])
    func cpus(cpus: Double, quota: Int64) throws {
        #expect(try ResourceConversions.cpuQuota(cpus: cpus, available: 2) == quota)
    }

    @Test("cpus outside the host's", arguments: [0, 0.009, 2.01, -1, Double.nan, .infinity])
    func badCpus(cpus: Double) {
        #expect(throws: CgroupError.self) { try ResourceConversions.cpuQuota(cpus: cpus, available: 2) }
    }

    @Test(
        "shares as weight: ends and default meet",
        arguments: [(0, 1), (2, 1), (1024, 100), (262_144, 10000), (1_000_000, 10000)] as [(UInt64, UInt64)])
    func weights(shares: UInt64, weight: UInt64) {
        #expect(ResourceConversions.cpuWeight(shares: shares) == weight)
    }

    @Test("weight grows with shares")
    func weightsGrow() {
        let weights = [2, 10, 100, 512, 1024, 2048, 10_000, 262_144].map { ResourceConversions.cpuWeight(shares: $0) }
        #expect(weights == weights.sorted())
        #expect(ResourceConversions.ioWeight(blkio: 10) == 1)
        #expect(ResourceConversions.ioWeight(blkio: 1000) == 10000)
    }
}
