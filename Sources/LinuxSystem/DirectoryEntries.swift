internal import CLinux

/// Something in a directory.
struct DirectoryEntry {
    /// As bytes with the final NUL: names need not be UTF-8.
    let name: [CChar]
    /// `DT_DIR` and so on; `DT_UNKNOWN` with file systems that do not tell.
    let type: UInt8

    /// nil: not UTF-8.
    var text: String? { String(validating: name.dropLast().lazy.map(UInt8.init(bitPattern:)), as: UTF8.self) }
}

/// What is in a directory but `.` and `..`, in no order.
enum DirectoryEntries {
    /// Empty where the directory does not exist.
    /// - Throws: ``SystemError``.
    static func all(_ path: String) throws -> [DirectoryEntry] {
        guard let stream = opendir(path) else {
            if swc_errno() == ENOENT { return [] }
            throw SystemError.last("opendir", path)
        }
        return try read(stream, subject: path)
    }

    /// Names in an open directory, with the final NUL.
    /// - Throws: ``SystemError``.
    static func names(_ directory: CInt, subject: String) throws -> [[CChar]] {
        let own = try check("open", subject) { swc_openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
        guard let stream = fdopendir(own) else {
            close(own)
            throw SystemError.last("fdopendir", subject)
        }
        return try read(stream, subject: subject).map(\.name)
    }

    private static func read(_ stream: OpaquePointer, subject: String) throws -> [DirectoryEntry] {
        defer { closedir(stream) }
        var entries: [DirectoryEntry] = []
        while true {
            swc_set_errno(0)
            guard let entry = readdir(stream) else {
                if swc_errno() != 0 { throw SystemError.last("readdir", subject) }
                return entries
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))
                }
            }
            if name != [0x2e, 0], name != [0x2e, 0x2e, 0] {
                entries.append(DirectoryEntry(name: name, type: entry.pointee.d_type))
            }
        }
    }
}
