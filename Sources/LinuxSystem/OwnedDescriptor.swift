internal import CLinux

/// A file descriptor with one owner, closed when that goes. Opened with `O_CLOEXEC` by everything in this package.
public final class OwnedDescriptor: @unchecked Sendable {
    /// Valid as long as this object lives.
    public let raw: CInt
    public init(_ raw: CInt) { self.raw = raw }
    deinit { close(raw) }

    /// - Throws: ``SystemError`` of `open`.
    public static func open(_ path: String, _ flags: CInt, mode: UInt32 = 0o644) throws -> OwnedDescriptor {
        OwnedDescriptor(try check("open", path) { swc_open(path, flags | O_CLOEXEC, mode) })
    }

    /// Opens `path` below this directory as if it were the root: no `..`, link or absolute path leaves it.
    /// - Throws: ``SystemError`` of `openat2`.
    public func openInRoot(_ path: String, _ flags: CInt, mode: UInt32 = 0) throws -> OwnedDescriptor {
        let resolve = UInt64(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
        return OwnedDescriptor(
            try check("openat2", path) {
                Self.openat2(raw, path, UInt64(UInt32(bitPattern: flags | O_CLOEXEC)), UInt64(mode), resolve)
            })
    }

    /// Again where the kernel could not be sure that nothing was moved out of the root meanwhile: it says so whenever
    /// anything at all is renamed or mounted on the host.
    static func openat2(
        _ directory: CInt, _ path: UnsafePointer<CChar>, _ flags: UInt64, _ mode: UInt64, _ resolve: UInt64
    ) -> CInt {
        for _ in 0..<1000 {
            let result = swc_openat2(directory, path, flags, mode, resolve)
            if result >= 0 || swc_errno() != EAGAIN { return result }
            sched_yield()
        }
        return swc_openat2(directory, path, flags, mode, resolve)
    }

    public func duplicate() throws -> OwnedDescriptor {
        OwnedDescriptor(try check("dup") { swc_fcntl_int(raw, F_DUPFD_CLOEXEC, 3) })
    }

    /// A pipe whose ends are closed on exec.
    public static func pipe() throws -> (read: OwnedDescriptor, write: OwnedDescriptor) {
        var ends: [CInt] = [-1, -1]
        try check("pipe2") { pipe2(&ends, O_CLOEXEC) }
        return (OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1]))
    }
}
