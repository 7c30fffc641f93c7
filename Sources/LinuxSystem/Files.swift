internal import CLinux
internal import SystemPackage

/// Whole-file helpers. All block; call them off the cooperative pool (see ``BlockingPool``).
public enum Files {
    /// - Throws: ``SystemError``; `ENOENT` where there is no such file.
    public static func read(_ path: String) throws -> [UInt8] {
        let file = try OwnedDescriptor.open(path, O_RDONLY)
        var info = stat()
        try check("fstat", path) { fstat(file.raw, &info) }
        var bytes: [UInt8] = []
        // Files of /proc and /sys say 0 and have content all the same.
        var chunk = [UInt8](repeating: 0, count: max(Int(info.st_size) + 1, 4096))
        while true {
            let count = try check("read", path) { readBytes(file.raw, &chunk, chunk.count) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[0..<count])
        }
    }

    /// nil where there is no such file.
    /// - Throws: ``SystemError``.
    public static func readIfThere(_ path: String) throws -> [UInt8]? {
        do { return try read(path) } catch let error as SystemError where error.errno == .noSuchFileOrDirectory {
            return nil
        }
    }

    public static func readString(_ path: String) throws -> String {
        String(decoding: try read(path), as: UTF8.self)
    }

    /// Writes all of `bytes` to an open descriptor.
    public static func writeAll(_ descriptor: CInt, _ bytes: some Collection<UInt8>, subject: String = "") throws {
        let array = Array(bytes)
        var done = 0
        while done < array.count {
            done += try array.withUnsafeBytes { buffer in
                try check("write", subject) { writeBytes(descriptor, buffer.baseAddress! + done, buffer.count - done) }
            }
        }
    }

    /// Writes into an existing file in place, as kernel control files want it.
    public static func writeControl(_ path: String, _ text: String) throws {
        let file = try OwnedDescriptor.open(path, O_WRONLY)
        try writeAll(file.raw, Array(text.utf8), subject: path)
    }

    /// Replaces `path` as a whole: written beside itself and renamed, so that a reader sees the old content or
    /// the new. With `durable` it is synced before the rename.
    public static func replace(
        _ path: String, with bytes: some Collection<UInt8>, mode: UInt32 = 0o644, durable: Bool = false
    ) throws {
        let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
        do {
            let file = try OwnedDescriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
            try writeAll(file.raw, bytes, subject: temporary)
            if durable { try check("fsync", temporary) { fsync(file.raw) } }
            try rename(temporary, to: path)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    public static func rename(_ old: String, to new: String) throws {
        try check("rename", old) { CLinux.rename(old, new) }
    }

    public static func exists(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0
    }

    /// Like `mkdir -p`.
    public static func makeDirectories(_ path: String, mode: UInt32 = 0o755) throws {
        if mkdir(path, mode) == 0 { return }
        switch swc_errno() {
        case EEXIST: return
        case ENOENT:
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { fallthrough }
            try makeDirectories(String(path[..<slash]), mode: 0o755)
            if mkdir(path, mode) != 0, swc_errno() != EEXIST { throw SystemError.last("mkdir", path) }
        default: throw SystemError.last("mkdir", path)
        }
    }

    /// Names in a directory but `.` and `..`, sorted. Empty where the directory does not exist. Names that are not UTF-8
    /// are left out: nothing of ours is called so, and no `String` would lead back to them.
    /// - Throws: ``SystemError``.
    public static func list(_ path: String) throws -> [String] {
        try DirectoryEntries.all(path).compactMap(\.text).sorted()
    }

    /// Removes a tree without following links or crossing into another file system. Nothing there is no error.
    /// - Throws: ``SystemError``.
    public static func removeTree(_ path: String) throws { try TreeRemoval.remove(path) }
}

private func readBytes(_ fd: CInt, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int { read(fd, buffer, count) }
private func writeBytes(_ fd: CInt, _ buffer: UnsafeRawPointer, _ count: Int) -> Int { write(fd, buffer, count) }
