internal import OCI

/// Values for one file of a cgroup, each to be written by itself.
struct ControlWrite: Equatable {
    /// What the user asked for, in words for warnings; `memory limit`.
    var setting: String
    var controller: String
    /// The first that exists is used. Where none does, the setting is ignored with a warning.
    var files: [String]
    var values: [String]
    /// The kernel compares this value with that of the next write and may refuse it until that is done: where it
    /// says `EINVAL`, this is tried again after the next.
    var dependsOnNext = false
    /// Not asked for but derived: where it cannot be had, nothing is said.
    var isImplied = false

    init(_ setting: String, _ controller: String, _ files: [String], _ values: [String], dependsOnNext: Bool = false) {
        self.setting = setting
        self.controller = controller
        self.files = files
        self.values = values
        self.dependsOnNext = dependsOnNext
    }
}

/// Resources in terms of v1's files.
enum LegacyWrites {
    /// - Throws: ``CgroupError/invalid(_:)``.
    static func all(_ resources: RuntimeSpec.Resources) throws -> [ControlWrite] {
        var writes: [ControlWrite] = []
        if let memory = try resources.memory.map(ResourceConversions.memory) {
            if let limit = memory.limit {
                writes.append(
                    ControlWrite(
                        "memory limit", "memory", ["memory.limit_in_bytes"], ["\(limit)"],
                        dependsOnNext: memory.swap != nil))
            }
            if let swap = memory.swap {
                writes.append(ControlWrite("memory swap limit", "memory", ["memory.memsw.limit_in_bytes"], ["\(swap)"]))
                writes[writes.count - 1].isImplied = (resources.memory?.swap ?? 0) == 0
            }
            if let reservation = memory.reservation {
                writes.append(
                    ControlWrite("memory reservation", "memory", ["memory.soft_limit_in_bytes"], ["\(reservation)"]))
            }
        }
        if let cpu = resources.cpu {
            if let shares = cpu.shares, shares != 0 {
                writes.append(ControlWrite("cpu shares", "cpu", ["cpu.shares"], ["\(shares)"]))
            }
            let quota = cpu.quota.flatMap { $0 == 0 ? nil : $0 }
            if let period = cpu.period, period != 0 {
                writes.append(
                    ControlWrite("cpu period", "cpu", ["cpu.cfs_period_us"], ["\(period)"], dependsOnNext: quota != nil)
                )
            }
            if let quota {
                writes.append(ControlWrite("cpu quota", "cpu", ["cpu.cfs_quota_us"], ["\(max(quota, -1))"]))
            }
            writes += cpuset(cpu)
        }
        if let pids = resources.pids {
            writes.append(pidsWrite(pids))
        }
        if let weight = try resources.blockIO?.weight.flatMap(blockWeight) {
            writes.append(ControlWrite("blkio weight", "blkio", ["blkio.weight", "blkio.bfq.weight"], ["\(weight)"]))
        }
        writes += try devices(resources.devices ?? [])
        return writes
    }

    static func cpuset(_ cpu: RuntimeSpec.CPU) -> [ControlWrite] {
        var writes: [ControlWrite] = []
        if let cpus = cpu.cpus, !cpus.isEmpty {
            writes.append(ControlWrite("cpuset cpus", "cpuset", ["cpuset.cpus"], [cpus]))
        }
        if let mems = cpu.mems, !mems.isEmpty {
            writes.append(ControlWrite("cpuset mems", "cpuset", ["cpuset.mems"], [mems]))
        }
        return writes
    }

    static func pidsWrite(_ pids: RuntimeSpec.Pids) -> ControlWrite {
        ControlWrite("pids limit", "pids", ["pids.max"], [pids.limit > 0 ? "\(pids.limit)" : "max"])
    }

    /// - Returns: nil for 0, which is Docker's word for "not set".
    static func blockWeight(_ weight: UInt16) throws -> UInt16? {
        if weight == 0 { return nil }
        guard (10...1000).contains(weight) else {
            throw CgroupError.invalid("range of blkio weight is from 10 to 1000: \(weight)")
        }
        return weight
    }

    /// Order counts: a later rule overrides an earlier. Rules of one kind in a row share an open file.
    private static func devices(_ rules: [RuntimeSpec.DeviceRule]) throws -> [ControlWrite] {
        var writes: [ControlWrite] = []
        for rule in rules {
            let rule = try DeviceRule(rule)
            let file = rule.allow ? "devices.allow" : "devices.deny"
            if writes.last?.files == [file] {
                writes[writes.count - 1].values.append(rule.text)
            } else {
                writes.append(ControlWrite("device rules", "devices", [file], [rule.text]))
            }
        }
        return writes
    }
}

/// Resources in terms of v2's files. Device rules are a program there: ``DeviceProgram``.
enum UnifiedWrites {
    /// - Throws: ``CgroupError/invalid(_:)``.
    static func all(_ resources: RuntimeSpec.Resources) throws -> [ControlWrite] {
        var writes: [ControlWrite] = []
        if let memory = try resources.memory.map(ResourceConversions.memory) {
            if let limit = memory.limit {
                writes.append(ControlWrite("memory limit", "memory", ["memory.max"], [limited(limit)]))
            }
            if let swap = memory.swap {
                // v2 counts swap alone, where v1 and Docker count it together with memory.
                let alone = swap == -1 ? -1 : swap - max(memory.limit ?? 0, 0)
                writes.append(ControlWrite("memory swap limit", "memory", ["memory.swap.max"], [limited(alone)]))
                writes[writes.count - 1].isImplied = (resources.memory?.swap ?? 0) == 0
            }
            if let reservation = memory.reservation {
                writes.append(ControlWrite("memory reservation", "memory", ["memory.low"], [limited(reservation)]))
            }
        }
        if let cpu = resources.cpu {
            if let shares = cpu.shares, shares != 0 {
                writes.append(
                    ControlWrite(
                        "cpu shares", "cpu", ["cpu.weight"], ["\(ResourceConversions.cpuWeight(shares: shares))"]))
            }
            let quota = cpu.quota.flatMap { $0 == 0 ? nil : $0 }
            let period = cpu.period.flatMap { $0 == 0 ? nil : $0 }
            if quota != nil || period != nil {
                let limit = quota.map { limited($0) } ?? "max"
                writes.append(
                    ControlWrite(
                        "cpu quota", "cpu", ["cpu.max"], ["\(limit) \(period ?? ResourceConversions.cpuPeriod)"]))
            }
            writes += LegacyWrites.cpuset(cpu)
        }
        if let pids = resources.pids { writes.append(LegacyWrites.pidsWrite(pids)) }
        if let weight = try resources.blockIO?.weight.flatMap(LegacyWrites.blockWeight) {
            writes.append(
                ControlWrite(
                    "blkio weight", "io", ["io.weight"], ["default \(ResourceConversions.ioWeight(blkio: weight))"]))
        }
        return writes
    }

    private static func limited(_ value: Int64) -> String { value < 0 ? "max" : "\(value)" }
}
