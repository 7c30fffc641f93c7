internal import LinuxSystem

/// What a container uses at this moment. 0 where a host does not count it.
public struct CgroupStats: Sendable, Equatable {
    /// Bytes, page cache included.
    public var memory: UInt64 = 0
    /// Bytes of page cache that the kernel would give up first; Docker's "memory usage" is ``memory`` without it.
    public var memoryInactiveFile: UInt64 = 0
    /// Bytes; nil: unlimited.
    public var memoryLimit: UInt64?
    /// Nanoseconds since the start, of all processors together.
    public var cpuTime: UInt64 = 0
    /// Tasks: processes and threads.
    public var pids: UInt64 = 0
    /// nil: unlimited.
    public var pidsLimit: UInt64?
    /// Bytes read from block devices.
    public var blockRead: UInt64 = 0
    /// Bytes written to block devices.
    public var blockWritten: UInt64 = 0

    public init() {}
}

extension CgroupHandle {
    /// - Throws: ``CgroupError/failed(_:)`` where the cgroup does not exist.
    public func stats() throws -> CgroupStats {
        guard exists else { throw CgroupError.failed("cgroup \(path) does not exist") }
        var stats = CgroupStats()
        if let directory = legacyDirectory("memory") {
            stats.memory = number(directory, "memory.usage_in_bytes") ?? 0
            // "No limit" is the largest whole number of pages.
            stats.memoryLimit = number(directory, "memory.limit_in_bytes").flatMap { $0 >= 1 << 62 ? nil : $0 }
            stats.memoryInactiveFile = Self.value("total_inactive_file", in: text(directory, "memory.stat")) ?? 0
        } else if let directory = unifiedDirectory {
            stats.memory = number(directory, "memory.current") ?? 0
            stats.memoryLimit = number(directory, "memory.max")
            stats.memoryInactiveFile = Self.value("inactive_file", in: text(directory, "memory.stat")) ?? 0
        }
        if let directory = legacyDirectory("cpuacct") {
            stats.cpuTime = number(directory, "cpuacct.usage") ?? 0
        } else if let directory = unifiedDirectory {
            stats.cpuTime = (Self.value("usage_usec", in: text(directory, "cpu.stat")) ?? 0) * 1000
        }
        if let directory = legacyDirectory("pids") ?? unifiedDirectory {
            stats.pids = number(directory, "pids.current") ?? 0
            stats.pidsLimit = number(directory, "pids.max")
        }
        if let directory = legacyDirectory("blkio") {
            (stats.blockRead, stats.blockWritten) = Self.legacyBlockBytes(
                text(directory, "blkio.throttle.io_service_bytes_recursive"))
        } else if let directory = unifiedDirectory {
            (stats.blockRead, stats.blockWritten) = Self.unifiedBlockBytes(text(directory, "io.stat"))
        }
        return stats
    }

    /// Lines of `8:0 Read 4096`.
    static func legacyBlockBytes(_ text: String) -> (read: UInt64, written: UInt64) {
        var result: (read: UInt64, written: UInt64) = (0, 0)
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, let bytes = UInt64(words[2]) else { continue }
            if words[1] == "Read" { result.read += bytes }
            if words[1] == "Write" { result.written += bytes }
        }
        return result
    }

    /// Lines of `8:0 rbytes=4096 wbytes=0 rios=1 …`.
    static func unifiedBlockBytes(_ text: String) -> (read: UInt64, written: UInt64) {
        var result: (read: UInt64, written: UInt64) = (0, 0)
        for word in text.split(whereSeparator: { $0 == "\n" || $0 == " " }) {
            if word.hasPrefix("rbytes=") { result.read += UInt64(word.dropFirst(7)) ?? 0 }
            if word.hasPrefix("wbytes=") { result.written += UInt64(word.dropFirst(7)) ?? 0 }
        }
        return result
    }

    private func text(_ directory: String, _ file: String) -> String {
        (try? ControlFile.read("\(directory)/\(file)")) ?? ""
    }
    private func number(_ directory: String, _ file: String) -> UInt64? { UInt64(text(directory, file)) }
}
