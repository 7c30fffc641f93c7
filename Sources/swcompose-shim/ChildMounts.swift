// The child's steps that put together what is below the root. All targets are resolved by `Root`, and mounts are moved
// onto descriptors, never onto paths.
import CLinux

extension Child {
    /// A source on the host, taken before anything changes; `bind` uses it by its number.
    mutating func openBindSource(_ fields: inout PlanFields, _ flags: UInt16) throws(Failure) {
        let path = fields.string()
        guard sourceCount < sources.count else { throw Failure("open_tree", EMFILE) }
        let recursive = flags & PlanFlag.recursive != 0 ? UInt32(AT_RECURSIVE) : 0
        sources[sourceCount] = try check("open_tree") {
            swc_open_tree(AT_FDCWD, path, UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC) | recursive)
        }
        sourceCount += 1
    }

    mutating func bind(_ fields: inout PlanFields, _ flags: UInt16) throws(Failure) {
        let slot = Int(fields.u32())
        let target = fields.string()
        let set = fields.u32()
        let clear = fields.u32()
        let propagation = fields.u32()
        guard fields.isAtEnd, slot < sourceCount else { throw Failure("plan", EBADMSG) }
        let tree = sources[slot]
        // Propagation is a matter of the whole tree; attributes only where asked.
        try check("mount_setattr") {
            swc_mount_setattr(tree, "", UInt32(AT_EMPTY_PATH | AT_RECURSIVE), 0, 0, UInt64(propagation))
        }
        if set != 0 || clear != 0 {
            let reach = UInt32(AT_EMPTY_PATH) | (flags & PlanFlag.recursive != 0 ? UInt32(AT_RECURSIVE) : 0)
            try check("mount_setattr") { swc_mount_setattr(tree, "", reach, UInt64(set), UInt64(clear), 0) }
        }
        var info = stat()
        try check("fstat") { fstat(tree, &info) }
        let isDirectory = info.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR)
        try place(tree, target, isDirectory ? .directory : .file)
        close(tree)
        sources[slot] = -1
    }

    /// A new file system, such as tmpfs or proc.
    mutating func mountFileSystem(_ fields: inout PlanFields, _ flags: UInt16) throws(Failure) {
        let type = fields.string()
        let source = fields.string()
        let target = fields.string()
        let attributes = fields.u32()
        let options = fields
        for _ in 0..<fields.listCount() { _ = fields.string() }
        guard fields.isAtEnd else { throw Failure("plan", EBADMSG) }

        let context = try openFileSystem(type)
        defer { close(context) }
        if source.pointee != 0 { try configure(context, "source", source) }
        var at = options
        for _ in 0..<at.listCount() { try configure(context, option: at.string()) }
        let resolve = flags & PlanFlag.noSymlinks != 0 ? RESOLVE_NO_SYMLINKS : 0
        let (directory, made) = try root.make(target, .directory, mode: 0o755, resolve: resolve)
        defer { close(directory) }
        if flags & PlanFlag.inheritMode != 0, !made {
            var info = stat()
            try check("fstat") { fstat(directory, &info) }
            var mode = TextBuffer(capacity: 8)
            defer { mode.free() }
            mode.append(octal: info.st_mode & 0o7777)
            try configure(context, "mode", mode.path)
        }
        let tree = try createMount(context, attributes: Int32(bitPattern: attributes))
        defer { close(tree) }
        try move(tree, onto: directory)
    }

    /// Content the supervisor makes (hosts, resolv.conf, secrets): in memory, not on disk.
    mutating func injectFile(_ fields: inout PlanFields, _ flags: UInt16, index: UInt32) throws(Failure) {
        let target = fields.string()
        let content = fields.bytes()
        let mode = fields.u32()
        let uid = fields.u32()
        let gid = fields.u32()
        guard fields.isAtEnd else { throw Failure("plan", EBADMSG) }
        var name = TextBuffer(capacity: 16)
        defer { name.free() }
        name.append(UInt64(index))
        let file = try check("create") {
            swc_openat(scratch, name.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        }
        defer { close(file) }
        var done = 0
        while done < content.count {
            done += try check("write") { write(file, content.baseAddress! + done, content.count - done) }
        }
        try check("chown") { fchown(file, uid, gid) }
        try check("chmod") { fchmod(file, mode) }
        let tree = try cloneScratch(name.path)
        defer { close(tree) }
        if flags & PlanFlag.readOnly != 0 { try makeReadOnly(tree) }
        try place(tree, target, .file)
    }

    /// A device node on the container's own /dev; where the kernel refuses that (user namespaces), the host's.
    mutating func makeDevice(_ fields: inout PlanFields) throws(Failure) {
        let path = fields.string()
        let mode = fields.u32()
        let major = fields.u32()
        let minor = fields.u32()
        let uid = fields.u32()
        let gid = fields.u32()
        guard fields.isAtEnd else { throw Failure("plan", EBADMSG) }
        let (parent, name) = try root.openParent(path)
        defer { close(parent) }
        if unlinkat(parent, name, 0) != 0, swc_errno() != ENOENT { throw Failure("unlink") }
        let device = swc_makedev(major, minor)
        if mknodat(parent, name, mode, device) != 0 {
            guard swc_errno() == EPERM, mode & UInt32(S_IFMT) != UInt32(S_IFIFO) else { throw Failure("mknod") }
            return try bindHostDevice(path, parent, name, device)
        }
        // Through a descriptor, as the name may be another's by now where /dev is not the container's alone.
        let node = try check("open") { swc_openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0) }
        defer { close(node) }
        var info = stat()
        try check("fstat") { fstat(node, &info) }
        guard info.st_rdev == device else { throw Failure("mknod", EEXIST) }
        try check("chown") { fchownat(node, "", uid, gid, AT_EMPTY_PATH) }
    }

    private mutating func bindHostDevice(_ path: CPath, _ parent: CInt, _ name: CPath, _ device: dev_t) throws(Failure)
    {
        let tree = try check("open_tree") {
            swc_open_tree(AT_FDCWD, path, UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC))
        }
        defer { close(tree) }
        var info = stat()
        try check("fstat") { fstat(tree, &info) }
        guard info.st_rdev == device else { throw Failure("mknod", ENODEV) }
        let file = try check("create") {
            swc_openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        }
        defer { close(file) }
        try move(tree, onto: file)
    }

    mutating func makeSymlink(_ fields: inout PlanFields) throws(Failure) {
        let content = fields.string()
        let path = fields.string()
        let (parent, name) = try root.openParent(path)
        defer { close(parent) }
        if symlinkat(content, parent, name) != 0, swc_errno() != EEXIST { throw Failure("symlink") }
    }

    /// Covers a file with a null device and a directory with an empty one. Both are on the scratch tmpfs: a mask
    /// that used the container's own /dev/null would cover with whatever an image or a neighbour put there.
    mutating func mask(_ fields: inout PlanFields) throws(Failure) {
        let path = fields.string()
        guard let target = try findIfThere(path) else { return }
        defer { close(target) }
        var info = stat()
        try check("fstat") { fstat(target, &info) }
        let tree: CInt
        if info.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR) {
            if mkdirat(scratch, "empty", 0o555) != 0, swc_errno() != EEXIST { throw Failure("mkdir") }
            tree = try cloneScratch(literal("empty"))
            try makeReadOnly(tree)
        } else {
            tree = try nullDevice()
        }
        defer { close(tree) }
        try move(tree, onto: target)
    }

    private mutating func nullDevice() throws(Failure) -> CInt {
        let null = swc_makedev(1, 3)
        let tree: CInt
        if mknodat(scratch, "null", mode_t(S_IFCHR) | 0o666, null) == 0 || swc_errno() == EEXIST {
            tree = try cloneScratch(literal("null"))
        } else {
            tree = try check("open_tree") {
                swc_open_tree(AT_FDCWD, "/dev/null", UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC))
            }
        }
        var info = stat()
        try check("fstat") { fstat(tree, &info) }
        guard info.st_mode & mode_t(S_IFMT) == mode_t(S_IFCHR), info.st_rdev == null else {
            close(tree)
            throw Failure("null device", ENODEV)
        }
        return tree
    }

    mutating func makePathReadOnly(_ fields: inout PlanFields) throws(Failure) {
        let path = fields.string()
        guard let target = try findIfThere(path) else { return }
        defer { close(target) }
        let tree = try check("open_tree") {
            swc_open_tree(
                target, "", UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC) | UInt32(AT_EMPTY_PATH | AT_RECURSIVE))
        }
        defer { close(tree) }
        try makeReadOnly(tree)
        try move(tree, onto: target)
    }

    func setMountAttributes(_ fields: inout PlanFields) throws(Failure) {
        let path = fields.string()
        let set = fields.u32()
        let target = try root.find(path)
        defer { close(target) }
        try check("mount_setattr") { swc_mount_setattr(target, "", UInt32(AT_EMPTY_PATH), UInt64(set), 0, 0) }
    }

    mutating func makeDirectory(_ fields: inout PlanFields) throws(Failure) {
        let path = fields.string()
        let mode = fields.u32()
        let uid = fields.u32()
        let gid = fields.u32()
        let (directory, made) = try root.make(path, .directory, mode: mode)
        defer { close(directory) }
        if made, uid != 0 || gid != 0 {
            try check("chown") { fchownat(directory, "", uid, gid, AT_EMPTY_PATH) }
        }
    }

    private func findIfThere(_ path: CPath) throws(Failure) -> CInt? {
        do {
            return try root.find(path)
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw error
        }
    }

    /// Mounts `tree` at `path`, which is made where missing.
    private func place(_ tree: CInt, _ path: CPath, _ wanted: Root.Wanted) throws(Failure) {
        let (target, _) = try root.make(path, wanted, mode: wanted == .directory ? 0o755 : 0o644)
        defer { close(target) }
        var info = stat()
        try check("fstat") { fstat(target, &info) }
        // The kernel would say EINVAL, which tells nobody anything.
        guard (info.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR)) == (wanted == .directory) else {
            throw Failure("move_mount", ENOTDIR)
        }
        try move(tree, onto: target)
    }
}
