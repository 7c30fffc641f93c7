internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// The files of one log: `path`, and what rotation made of earlier ones, `path.1` (the newest) and so on.
struct LogFiles {
    struct File {
        let descriptor: OwnedDescriptor
        let device: UInt64
        let inode: UInt64
        func isSame(as other: File) -> Bool { device == other.device && inode == other.inode }
    }

    let path: String

    /// Oldest first. A rotation in between is seen as a file met twice, which is then taken once.
    func openAll() throws -> [File] {
        var files: [File] = []
        if let current = try Self.open(path) { files.append(current) }
        var number = 1
        while let older = try Self.open("\(path).\(number)") {
            if files.last.map({ !$0.isSame(as: older) }) ?? true { files.append(older) }
            number += 1
        }
        return files.reversed()
    }

    /// The file that was begun after `file`; nil while `file` is the newest. Where `file` is gone altogether, the
    /// oldest that is left.
    func successor(of file: File) throws -> File? {
        let files = try openAll()
        guard let index = files.lastIndex(where: { $0.isSame(as: file) }) else { return files.first }
        return index + 1 < files.count ? files[index + 1] : nil
    }

    private static func open(_ path: String) throws -> File? {
        do {
            let descriptor = try OwnedDescriptor.open(path, O_RDONLY)
            var info = stat()
            try check("fstat", path) { fstat(descriptor.raw, &info) }
            return File(descriptor: descriptor, device: UInt64(info.st_dev), inode: UInt64(info.st_ino))
        } catch let error as SystemError where error.errno == .noSuchFileOrDirectory {
            return nil
        }
    }
}
