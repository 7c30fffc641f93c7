internal import CLinux

/// Filters for the use of device nodes by the processes of a cgroup v2 directory.
public enum CgroupDevices {
    /// Loads an eBPF program of type `BPF_PROG_TYPE_CGROUP_DEVICE` and puts it in place of those attached to
    /// `directory`. The new one is attached before the old ones go, so that at no time is more allowed than by one
    /// of them.
    /// - Parameter instructions: as the kernel has them, eight bytes each.
    /// - Throws: ``SystemError``; what the verifier says is in its subject.
    public static func replaceFilter(of directory: String, with instructions: [UInt64]) throws {
        let cgroup = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
        let old = try attached(cgroup, directory)
        let program = try load(instructions)
        try check("bpf BPF_PROG_ATTACH", directory) { swc_bpf_attach_cgroup_device(cgroup.raw, program.raw) }
        for id in old {
            let raw = swc_bpf_program_by_id(id)
            if raw < 0 { continue }
            let program = OwnedDescriptor(raw)
            try check("bpf BPF_PROG_DETACH", directory) { swc_bpf_detach_cgroup_device(cgroup.raw, program.raw) }
        }
    }

    private static func attached(_ cgroup: OwnedDescriptor, _ directory: String) throws -> [UInt32] {
        var ids = [UInt32](repeating: 0, count: 64)
        var count = UInt32(ids.count)
        try check("bpf BPF_PROG_QUERY", directory) { swc_bpf_query_cgroup_device(cgroup.raw, &ids, &count) }
        return Array(ids.prefix(Int(count)))
    }

    private static func load(_ instructions: [UInt64]) throws -> OwnedDescriptor {
        func attempt(_ log: UnsafeMutableBufferPointer<CChar>?) -> CInt {
            instructions.withUnsafeBytes {
                swc_bpf_load_cgroup_device(
                    $0.baseAddress, UInt32(instructions.count), log?.baseAddress, UInt32(log?.count ?? 0))
            }
        }
        let raw = attempt(nil)
        if raw >= 0 { return OwnedDescriptor(raw) }
        let failure = SystemError.last("bpf BPF_PROG_LOAD", "device filter")
        // Asked for only now: writing the log makes loading slower.
        return try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16384) { log in
            log.initialize(repeating: 0)
            let raw = attempt(log)
            if raw >= 0 { return OwnedDescriptor(raw) }
            let text = String(cString: log.baseAddress!).split(separator: "\n").last.map { ": \($0)" } ?? ""
            throw SystemError(failure.call, failure.errno, failure.subject + text)
        }
    }
}
