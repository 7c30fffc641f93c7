internal import CLinux
internal import SystemPackage

/// Copies what is in one directory into another, by descriptors only: with owners, modes, times, extended attributes,
/// links among the copied files, holes, fifos and devices. Sockets are left out: a copy of one is of no use.
public enum TreeCopy {
    /// Copies the content and the attributes of `source` itself. What is in `target` under the same names is replaced.
    /// - Returns: how many entries were made, the directory itself not counted.
    /// - Throws: ``SystemError``; what was copied until then stays.
    @discardableResult
    public static func copy(from source: OwnedDescriptor, to target: OwnedDescriptor, subject: String) throws -> Int {
        let copy = Copy(target: target, device: try information(source.raw, subject).st_dev)
        try copy.directory(source.raw, path: try TreePath([]), subject: subject)
        try copy.setDirectoryAttributes()
        return copy.entries
    }

    /// Whether a directory has no entries.
    public static func isEmpty(_ directory: OwnedDescriptor, subject: String) throws -> Bool {
        try DirectoryEntries.names(directory.raw, subject: subject).isEmpty
    }

    fileprivate static func information(_ descriptor: CInt, _ subject: String) throws -> stat {
        var info = stat()
        try check("fstat", subject) { fstat(descriptor, &info) }
        return info
    }
}

private final class Copy {
    private let tree: TreeRoot
    /// Other file systems mounted into the source are not entered.
    private let device: dev_t
    private var linked: [UInt: TreePath] = [:]
    private(set) var entries = 0
    private var directories: [(TreePath, TreeAttributes)] = []

    init(target: OwnedDescriptor, device: dev_t) {
        tree = TreeRoot(target)
        self.device = device
    }

    func directory(_ source: CInt, path: TreePath, subject: String) throws {
        // The descriptor given may be one that cannot be read from.
        let own = OwnedDescriptor(
            try check("open", subject) { swc_openat(source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) })
        let info = try TreeCopy.information(own.raw, subject)
        try tree.makeDirectory(path)
        directories.append((path, try attributes(info, of: own.raw, subject)))
        for name in try DirectoryEntries.names(own.raw, subject: subject) {
            try entry(name, in: own.raw, path: path.appending(name), subject: "\(subject)/\(name.cStringText)")
        }
    }

    /// After all entries are made, which changes times.
    func setDirectoryAttributes() throws {
        for (path, attributes) in directories.reversed() { try tree.setAttributes(ofDirectory: path, attributes) }
    }

    private func entry(_ name: [CChar], in directory: CInt, path: TreePath, subject: String) throws {
        var info = stat()
        try check("lstat", subject) { fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) }
        let kind = TreeEntryKind(mode: info.st_mode)
        if kind == .socket || (kind == .directory && info.st_dev != device) { return }
        entries += 1
        if kind != .directory, info.st_nlink > 1 {
            if let first = linked[UInt(info.st_ino)] {
                try tree.makeHardLink(path, to: first)
                return
            }
            linked[UInt(info.st_ino)] = path
        }
        switch kind {
        case .directory:
            let child = OwnedDescriptor(
                try check("open", subject) {
                    swc_openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
                })
            try self.directory(child.raw, path: path, subject: subject)
        case .file: try file(name, in: directory, path: path, subject: subject)
        case .symbolicLink:
            var target = [CChar](repeating: 0, count: 4097)
            let length = try check("readlink", subject) { readlinkat(directory, name, &target, 4096) }
            try tree.makeSymlink(
                path, target: Array(target[..<length]) + [0],
                attributes: try nodeAttributes(info, name, in: directory, subject))
        case .fifo, .socket:
            try tree.makeNode(path, .fifo, attributes: try nodeAttributes(info, name, in: directory, subject))
        case .characterDevice, .blockDevice:
            let (major, minor) = (swc_major(info.st_rdev), swc_minor(info.st_rdev))
            try tree.makeNode(
                path,
                kind == .blockDevice
                    ? .blockDevice(major: major, minor: minor) : .characterDevice(major: major, minor: minor),
                attributes: try nodeAttributes(info, name, in: directory, subject))
        }
    }

    private func file(_ name: [CChar], in directory: CInt, path: TreePath, subject: String) throws {
        let source = OwnedDescriptor(
            try check("open", subject) {
                swc_openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0)
            })
        let info = try TreeCopy.information(source.raw, subject)
        let target = try tree.makeFile(path)
        try copyContent(from: source.raw, to: target.raw, size: info.st_size, subject)
        try attributes(info, of: source.raw, subject).apply(to: target.raw, subject: subject)
    }

    /// Shares the blocks where the file system can; else copies in the kernel, holes left out.
    private func copyContent(from source: CInt, to target: CInt, size: Int, _ subject: String) throws {
        if size == 0 || swc_ioctl_int(target, UInt(0x4004_9409) /* FICLONE */, source) == 0 { return }
        var position = 0
        while position < size {
            let start = lseek(source, off_t(position), SEEK_DATA)
            if start < 0 {
                if swc_errno() == ENXIO { break }  // a hole to the end
                if swc_errno() != EINVAL { throw SystemError.last("lseek", subject) }
                try copyRange(from: source, to: target, position..<size, subject)
                break
            }
            let end = try check("lseek", subject) { lseek(source, start, SEEK_HOLE) }
            try copyRange(from: source, to: target, Int(start)..<Int(end), subject)
            position = Int(end)
        }
        try check("ftruncate", subject) { ftruncate(target, off_t(size)) }
    }

    private func copyRange(from source: CInt, to target: CInt, _ range: Range<Int>, _ subject: String) throws {
        var position = range.lowerBound
        while position < range.upperBound {
            var from = off64_t(position)
            var to = off64_t(position)
            let count = copy_file_range(source, &from, target, &to, range.upperBound - position, 0)
            if count < 0 {
                let error = swc_errno()
                if error == EINTR { continue }
                guard [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP].contains(error) else {
                    throw SystemError.last("copy_file_range", subject)
                }
                try copyByHand(from: source, to: target, position..<range.upperBound, subject)
                return
            }
            if count == 0 { return }  // shorter than it was
            position += count
        }
    }

    private func copyByHand(from source: CInt, to target: CInt, _ range: Range<Int>, _ subject: String) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
        defer { buffer.deallocate() }
        var position = range.lowerBound
        while position < range.upperBound {
            let wanted = min(buffer.count, range.upperBound - position)
            let count = try check("read", subject) { pread(source, buffer.baseAddress, wanted, off_t(position)) }
            if count == 0 { return }
            var done = 0
            while done < count {
                done += try check("write", subject) {
                    pwrite(target, buffer.baseAddress! + done, count - done, off_t(position + done))
                }
            }
            position += count
        }
    }

    private func attributes(_ info: stat, of descriptor: CInt, _ subject: String) throws -> TreeAttributes {
        let all = try ExtendedAttribute.all(of: descriptor, subject: subject)
        return TreeAttributes(info, extended: all.filter { !$0.isOverlay })
    }

    private func nodeAttributes(
        _ info: stat, _ name: [CChar], in directory: CInt, _ subject: String
    ) throws -> TreeAttributes {
        let all = try ExtendedAttribute.all(ofPath: procPath(directory, name), subject: subject)
        return TreeAttributes(info, extended: all.filter { !$0.isOverlay })
    }
}
