internal import CLinux
internal import SystemPackage

/// Removes trees whose content strangers chose: names that are not UTF-8, and nesting deeper than there are
/// descriptors or stack for.
public enum TreeRemoval {
    /// Levels gone down before a subtree is moved up to the top instead.
    private static let maximumDepth = 64

    /// Removes a tree without following links or crossing into another mount. Nothing there is no error.
    /// - Throws: ``SystemError``; `EXDEV` where another file system is mounted inside.
    public static func remove(_ path: String) throws {
        if unlink(path) == 0 || swc_errno() == ENOENT { return }
        try remove(Array(path.utf8CString), in: AT_FDCWD, subject: path)
    }

    /// Removes all that is in a directory, not that itself.
    public static func removeContents(of directory: OwnedDescriptor, subject: String) throws {
        var info = stat()
        try check("fstat", subject) { fstat(directory.raw, &info) }
        try Removal(top: directory.raw, device: info.st_dev, subject: subject).run()
    }

    static func remove(_ name: [CChar], in parent: CInt, subject: String) throws {
        let raw = swc_openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
        if raw < 0 {
            if swc_errno() == ENOENT { return }
            throw SystemError.last("remove", subject)
        }
        try removeContents(of: OwnedDescriptor(raw), subject: subject)
        if unlinkat(parent, name, AT_REMOVEDIR) != 0, swc_errno() != ENOENT {
            throw SystemError.last("rmdir", subject)
        }
    }

    private final class Removal {
        let top: CInt
        let device: dev_t
        let subject: String
        private var moved = 0

        init(top: CInt, device: dev_t, subject: String) {
            self.top = top
            self.device = device
            self.subject = subject
        }

        func run() throws {
            var before = -1
            while before != moved {
                before = moved
                try removeContents(top, depth: 0)
            }
        }

        private func removeContents(_ directory: CInt, depth: Int) throws {
            for name in try DirectoryEntries.names(directory, subject: subject) {
                if unlinkat(directory, name, 0) == 0 || swc_errno() == ENOENT { continue }
                guard swc_errno() == EISDIR || swc_errno() == EPERM else { throw SystemError.last("unlink", subject) }
                if depth == TreeRemoval.maximumDepth {
                    moved += 1
                    let fresh = ".swcompose-removed-\(moved)"
                    try check("rename", subject) { renameat(directory, name, top, fresh) }
                    continue
                }
                let child = OwnedDescriptor(
                    try check("open", "\(subject)/…/\(name.cStringText)") {
                        swc_openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
                    })
                var info = stat()
                try check("fstat", subject) { fstat(child.raw, &info) }
                guard info.st_dev == device else { throw SystemError("rmdir", .init(rawValue: EXDEV), subject) }
                try removeContents(child.raw, depth: depth + 1)
                if unlinkat(directory, name, AT_REMOVEDIR) != 0, swc_errno() != ENOENT {
                    throw SystemError.last("rmdir", "\(subject)/…/\(name.cStringText)")
                }
            }
        }
    }
}
