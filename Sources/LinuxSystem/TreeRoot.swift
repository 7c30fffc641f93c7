internal import CLinux
internal import SystemPackage

/// Writes into the tree below one directory and nowhere else: every path is resolved by the kernel below that
/// directory, and none goes through a symbolic link or into another mount. For content from strangers.
///
/// An entry that exists is replaced by what is written under its name, but a directory stays one.
/// Not thread-safe.
public final class TreeRoot {
    private let root: OwnedDescriptor
    /// The directory last worked in: archives list a directory's entries in a row.
    private var parentPath: [CChar]?
    private var parentDescriptor: OwnedDescriptor?
    /// Directories that were made because something was put below them, without having been made themselves yet.
    public private(set) var impliedDirectories: Set<TreePath> = []

    public enum NodeKind: Sendable, Equatable {
        case fifo
        case characterDevice(major: UInt32, minor: UInt32)
        case blockDevice(major: UInt32, minor: UInt32)
        /// How overlayfs marks a name as deleted.
        public static let whiteout = NodeKind.characterDevice(major: 0, minor: 0)
    }

    public init(_ directory: OwnedDescriptor) { root = directory }

    /// The directory that `path` lies in, made where missing.
    private func parent(of path: TreePath) throws -> CInt {
        if let parentPath, let parentDescriptor, path.isDirectly(below: parentPath) { return parentDescriptor.raw }
        let parent = path.parent
        let descriptor: OwnedDescriptor
        do { descriptor = try open(parent, O_PATH | O_DIRECTORY) } catch let error as SystemError {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            try makeDirectory(parent)
            impliedDirectories.insert(parent)
            descriptor = try open(parent, O_PATH | O_DIRECTORY)
        }
        parentPath = parent.cString
        parentDescriptor = descriptor
        return descriptor.raw
    }

    /// Opens what is there. The flags must not follow a last symbolic link: this refuses all.
    /// - Throws: ``SystemError`` of `openat2`; `ELOOP` where the path goes through a symbolic link.
    public func open(_ path: TreePath, _ flags: CInt) throws -> OwnedDescriptor {
        let name: [CChar] = path.isRoot ? [0x2e, 0] : path.cString
        let resolve = UInt64(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)
        let all = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
        return OwnedDescriptor(
            try check("openat2", path.description) { OwnedDescriptor.openat2(root.raw, name, all, 0, resolve) })
    }

    /// What is at `path` itself; nil where nothing is.
    public func kind(of path: TreePath) throws -> TreeEntryKind? {
        if path.isRoot { return .directory }
        var info = stat()
        let directory = try parent(of: path)
        if fstatat(directory, path.name, &info, AT_SYMLINK_NOFOLLOW) == 0 { return TreeEntryKind(mode: info.st_mode) }
        if swc_errno() == ENOENT { return nil }
        throw SystemError.last("lstat", path.description)
    }

    /// - Returns: what was replaced by the directory, if it was no directory; nil else.
    @discardableResult
    public func makeDirectory(_ path: TreePath) throws -> NodeKind? {
        if path.isRoot { return nil }
        let directory = try parent(of: path)
        impliedDirectories.remove(path)
        let name = path.name
        if mkdirat(directory, name, 0o755) == 0 { return nil }
        guard swc_errno() == EEXIST else { throw SystemError.last("mkdir", path.description) }
        var info = stat()
        try check("lstat", path.description) { fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) }
        let kind = TreeEntryKind(mode: info.st_mode)
        if kind == .directory { return nil }
        try check("unlink", path.description) { unlinkat(directory, name, 0) }
        try check("mkdir", path.description) { mkdirat(directory, name, 0o755) }
        guard kind == .characterDevice else { return nil }
        return .characterDevice(major: swc_major(info.st_rdev), minor: swc_minor(info.st_rdev))
    }

    /// A new empty file, open for writing.
    public func makeFile(_ path: TreePath) throws -> OwnedDescriptor {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        return OwnedDescriptor(
            try replacing(path, "open") { directory, name in swc_openat(directory, name, flags, 0o600) })
    }

    /// `target` is kept as it is and never followed here.
    public func makeSymlink(_ path: TreePath, target: [CChar], attributes: TreeAttributes) throws {
        try replacing(path, "symlink") { directory, name in symlinkat(target, directory, name) }
        try attributes.apply(
            toNode: path.name, in: try parent(of: path), isLink: true, subject: path.description)
    }

    public func makeNode(_ path: TreePath, _ kind: NodeKind, attributes: TreeAttributes) throws {
        let (type, device): (CInt, dev_t) =
            switch kind {
            case .fifo: (S_IFIFO, 0)
            case .characterDevice(let major, let minor): (S_IFCHR, swc_makedev(major, minor))
            case .blockDevice(let major, let minor): (S_IFBLK, swc_makedev(major, minor))
            }
        try replacing(path, "mknod") { directory, name in mknodat(directory, name, UInt32(type) | 0o600, device) }
        try attributes.apply(
            toNode: path.name, in: try parent(of: path), isLink: false, subject: path.description)
    }

    /// A second name for `target`, which must be in this tree and no directory; a symbolic link is linked itself.
    public func makeHardLink(_ path: TreePath, to target: TreePath) throws {
        if path == target { return }
        let source = try open(target.parent, O_PATH | O_DIRECTORY)
        let targetName = target.name
        try replacing(path, "link \(target) as") { directory, name in
            linkat(source.raw, targetName, directory, name, 0)
        }
    }

    /// Removes what is at `path`, with all below it. Nothing there is no error.
    public func remove(_ path: TreePath) throws {
        let directory = try parent(of: path)
        if unlinkat(directory, path.name, 0) == 0 || swc_errno() == ENOENT { return }
        try TreeRemoval.remove(path.name, in: directory, subject: path.description)
        // The cached directory may be one of those that went.
        parentPath = nil
        parentDescriptor = nil
    }

    /// Sets a directory's own attributes. To be done after its entries are made, which change its times.
    public func setAttributes(ofDirectory path: TreePath, _ attributes: TreeAttributes) throws {
        let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
        try attributes.apply(to: descriptor.raw, subject: path.description)
    }

    /// A directory's own attributes, but those that overlayfs keeps for itself.
    public func attributes(ofDirectory path: TreePath) throws -> TreeAttributes {
        let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
        var info = stat()
        try check("fstat", path.description) { fstat(descriptor.raw, &info) }
        let extended = try ExtendedAttribute.all(of: descriptor.raw, subject: path.description)
        return TreeAttributes(info, extended: extended.filter { !$0.isOverlay })
    }

    /// Runs a call that makes `path`, once more after removing what is in its way.
    @discardableResult
    private func replacing(_ path: TreePath, _ call: String, _ body: (CInt, [CChar]) -> CInt) throws -> CInt {
        let name = path.name
        let result = body(try parent(of: path), name)
        if result != -1 { return result }
        guard swc_errno() == EEXIST, !path.isRoot else { throw SystemError.last(call, path.description) }
        try remove(path)
        let second = body(try parent(of: path), name)
        if second == -1 { throw SystemError.last(call, path.description) }
        return second
    }
}
