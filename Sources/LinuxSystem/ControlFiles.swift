internal import CLinux
internal import SystemPackage

/// Small files through which the kernel is told and asked things: those of cgroups, `/proc` and `/sys`.
public enum ControlFile {
    /// Writes each value with a write(2) of its own through one descriptor: kernels take one value a call.
    /// - Throws: ``SystemError`` of `open` or `write`.
    public static func write(_ path: String, _ values: [String]) throws {
        let file = try check("open", path) { swc_open(path, O_WRONLY | O_CLOEXEC, 0) }
        defer { close(file) }
        for value in values {
            var value = value
            try value.withUTF8 { bytes in
                _ = try check("write", path) { writeBytes(file, bytes.baseAddress!, bytes.count) }
            }
        }
    }

    /// - Throws: ``SystemError`` of `open` or `write`.
    public static func write(_ path: String, _ value: String) throws { try write(path, [value]) }

    /// The whole text, without white space at its end. At most `limit` bytes.
    /// - Throws: ``SystemError`` of `open` or `read`; `EFBIG` where there is more.
    public static func read(_ path: String, limit: Int = 1 << 20) throws -> String {
        let file = try check("open", path) { swc_open(path, O_RDONLY | O_CLOEXEC, 0) }
        defer { close(file) }
        var bytes: [UInt8] = []
        let done = try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer -> Bool in
            while bytes.count <= limit {
                let count = try check("read", path) { readBytes(file, buffer.baseAddress!, buffer.count) }
                if count == 0 { return true }
                bytes.append(contentsOf: buffer[..<count])
            }
            return false
        }
        guard done else { throw SystemError("read", .fileTooLarge, path) }
        while let last = bytes.last, last == 0x0A || last == 0x20 || last == 0 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Single directories, as cgroups are made and removed.
public enum Directory {
    /// - Throws: ``SystemError`` of `mkdir`.
    public static func make(_ path: String, mode: UInt32 = 0o755) throws {
        try check("mkdir", path) { mkdir(path, mode) }
    }

    /// - Throws: ``SystemError`` of `rmdir`.
    public static func remove(_ path: String) throws {
        try check("rmdir", path) { rmdir(path) }
    }

    /// Names of the directories in `path`; empty where that is gone. Asks the kernel for no more than the listing.
    /// - Throws: ``SystemError`` of `opendir`.
    public static func subdirectories(_ path: String) throws -> [String] {
        try DirectoryEntries.all(path).filter { $0.type == UInt8(DT_DIR) }.compactMap(\.text)
    }
}

extension SystemError {
    /// The number of the error, such as `ENOENT`.
    public var code: CInt { errno.rawValue }
}

private func readBytes(_ fd: CInt, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int { read(fd, buffer, count) }
private func writeBytes(_ fd: CInt, _ buffer: UnsafeRawPointer, _ count: Int) -> Int { write(fd, buffer, count) }
