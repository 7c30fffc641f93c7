internal import CLinux
internal import OCI

/// Docker's arithmetic of limits.
public enum ResourceConversions {
    /// Of `cpus`, in microseconds.
    public static let cpuPeriod: UInt64 = 100_000

    /// What `cpus: 1.5` means: processor time (microseconds) in every ``cpuPeriod``.
    /// - Parameter available: the host's processors.
    /// - Throws: ``CgroupError/invalid(_:)`` outside 0.01 … `available`.
    public static func cpuQuota(cpus: Double, available: Int) throws -> Int64 {
        guard cpus >= 0.01, cpus <= Double(available) else {
            throw CgroupError.invalid(
                "range of CPUs is from 0.01 to \(available).00, as there are only \(available) CPUs available: \(cpus)")
        }
        return Int64((cpus * Double(cpuPeriod)).rounded())
    }

    /// v1's `cpu.shares` (2 … 262144, 1024 where nothing is said) as v2's `cpu.weight` (1 … 10000, 100 where nothing
    /// is said). The curve goes through all three pairs, so that a container with 1024 shares weighs as much as one
    /// without; the straight line that older runtimes use makes 39 of 1024.
    public static func cpuWeight(shares: UInt64) -> UInt64 {
        let shares = Double(min(max(shares, 2), 262_144))
        let logarithm = swc_log2(shares)
        let exponent = (logarithm * logarithm + 125 * logarithm) / 612 - 7.0 / 34
        // The margin keeps a value that is whole but for rounding from being lifted to the next.
        return UInt64(min(max((swc_pow(10, exponent) - 1e-6).rounded(.up), 1), 10000))
    }

    /// v1's `blkio.weight` (10 … 1000) as v2's `io.weight` (1 … 10000).
    public static func ioWeight(blkio weight: UInt16) -> UInt64 { 1 + (UInt64(weight) - 10) * 9999 / 990 }

    /// Memory limits with what Docker adds: where only the limit is given, as much swap again; -1 is unlimited.
    /// - Throws: ``CgroupError/invalid(_:)``.
    static func memory(_ memory: RuntimeSpec.Memory) throws -> RuntimeSpec.Memory {
        var result = memory
        if result.limit == 0 { result.limit = nil }
        if result.swap == 0 { result.swap = nil }
        if result.reservation == 0 { result.reservation = nil }
        for (name, value) in [("limit", result.limit), ("reservation", result.reservation), ("swap", result.swap)] {
            if let value, value < -1 { throw CgroupError.invalid("memory \(name) must be -1 or more: \(value)") }
        }
        if let limit = result.limit, limit != -1 {
            // Docker's least: below it, no process can be started in the cgroup.
            guard limit >= 6 << 20 else {
                throw CgroupError.invalid("minimum memory limit allowed is 6MB: \(limit) bytes")
            }
            if let reservation = result.reservation, reservation > limit {
                throw CgroupError.invalid(
                    "minimum memory limit can not be less than memory reservation limit: \(limit) < \(reservation)")
            }
            if let swap = result.swap, swap != -1, swap < limit {
                throw CgroupError.invalid(
                    "minimum memoryswap limit should be larger than memory limit: \(swap) < \(limit)")
            }
            if result.swap == nil { result.swap = limit.multipliedReportingOverflow(by: 2).overflow ? -1 : limit * 2 }
        } else if result.limit == -1 {
            if result.swap == nil { result.swap = -1 }
        } else if let swap = result.swap, swap != -1 {
            throw CgroupError.invalid("you should always set the memory limit when using the memoryswap limit: \(swap)")
        }
        return result
    }
}
