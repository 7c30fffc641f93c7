// The child's steps that put the file system together. All targets are resolved by `Root`, and mounts are moved
// onto descriptors, never onto paths.
import CLinux

extension Child {
    /// The host's mounts as this namespace copied them: nothing done here is to reach the host.
    mutating func setPropagation(_ fields: inout PlanFields) throws(Failure) {
        let flags = fields.u64()
        try check("mount") { mount(nil, "/", nil, UInt(flags), nil) }
    }

    /// A small tmpfs on a directory of the host's that serves as the place to build on. Injected files lie on it,
    /// and what masks other files; it goes out of sight when the root is moved over it.
    mutating func makeScratch(_ fields: inout PlanFields) throws(Failure) {
        let path = fields.string()
        let size = fields.u64()
        let context = try openFileSystem(literal("tmpfs"))
        defer { close(context) }
        try configure(context, "mode", literal("0755"))
        var text = TextBuffer(capacity: 24)
        defer { text.free() }
        text.append(size)
        try configure(context, "size", text.path)
        scratch = try createMount(context, attributes: MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)
        buildPath = path
        try check("move_mount") { swc_move_mount(scratch, "", AT_FDCWD, path, UInt32(MOVE_MOUNT_F_EMPTY_PATH)) }
    }

    mutating func mountOverlay(_ fields: inout PlanFields) throws(Failure) {
        let layers = fields
        for _ in 0..<fields.listCount() { _ = fields.string() }
        let upper = fields.string()
        let work = fields.string()
        let options = fields
        for _ in 0..<fields.listCount() { _ = fields.string() }
        guard fields.isAtEnd else { throw Failure("plan", EBADMSG) }

        let context = try openFileSystem(literal("overlay"))
        defer { close(context) }
        let mount: CInt
        do throws(Failure) {
            try configure(context, "source", literal("overlay"))
            var at = layers
            for _ in 0..<at.listCount() { try configureLayer(context, "lowerdir+", at.string()) }
            try configureLayer(context, "upperdir", upper)
            try configureLayer(context, "workdir", work)
            at = options
            for _ in 0..<at.listCount() { try configure(context, option: at.string()) }
            mount = try createMount(context, attributes: 0)
        } catch {
            // A kernel that does not know `lowerdir+` says so only when the mount is made.
            if error.errno != EINVAL { throw error }
            return try mountOverlayByOptions(layers, upper, work, options)
        }
        try attachRoot(mount)
    }

    /// Before Linux 6.5 all layers are one option, which mount(2) limits to a page together with the others: they are
    /// named by descriptor, which is short and knows no characters that would have to be escaped.
    private mutating func mountOverlayByOptions(
        _ layers: PlanFields, _ upper: CPath, _ work: CPath, _ options: PlanFields
    ) throws(Failure) {
        var data = TextBuffer(capacity: 4096)
        defer { data.free() }
        func add(_ path: CPath) throws(Failure) {
            // Left open until execve: they hold what the names mean.
            let layer = try check("open layer") { swc_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0) }
            data.append("/proc/self/fd/")
            data.append(UInt64(layer))
        }
        var at = layers
        data.append("lowerdir=")
        for i in 0..<at.listCount() {
            if i > 0 { data.append(":") }
            try add(at.string())
        }
        data.append(",upperdir=")
        try add(upper)
        data.append(",workdir=")
        try add(work)
        at = options
        for _ in 0..<at.listCount() {
            data.append(",")
            data.append(at.string())
        }
        if data.overflowed { throw Failure("mount: too many layers for this kernel", E2BIG) }
        try check("mount") { CLinux.mount("overlay", buildPath, "overlay", 0, data.base) }
        root.descriptor = try check("open root") { swc_open(buildPath, O_PATH | O_DIRECTORY | O_CLOEXEC, 0) }
    }

    /// fsconfig takes no value of 256 bytes or more: a longer path is named by descriptor.
    private mutating func configureLayer(_ context: CInt, _ key: StaticString, _ path: CPath) throws(Failure) {
        guard strlen(path) > 255 else { return try configure(context, key, path) }
        let layer = try check("open layer") { swc_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0) }
        defer { close(layer) }
        var name = TextBuffer(capacity: 32)
        defer { name.free() }
        name.append("/proc/self/fd/")
        name.append(UInt64(layer))
        try configure(context, key, name.path)
    }

    mutating func cloneRoot(_ fields: inout PlanFields) throws(Failure) {
        let path = fields.string()
        try attachRoot(
            try check("open_tree") {
                swc_open_tree(AT_FDCWD, path, UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC) | UInt32(AT_RECURSIVE))
            })
    }

    /// Over the scratch tmpfs: mounting below a mount needs it to be attached somewhere (until Linux 6.15).
    private mutating func attachRoot(_ tree: CInt) throws(Failure) {
        try check("mount_setattr") {
            swc_mount_setattr(tree, "", UInt32(AT_EMPTY_PATH | AT_RECURSIVE), 0, 0, UInt64(MS_PRIVATE))
        }
        try check("move_mount") { swc_move_mount(tree, "", AT_FDCWD, buildPath, UInt32(MOVE_MOUNT_F_EMPTY_PATH)) }
        root.descriptor = tree
    }

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

    mutating func makeRootReadOnly() throws(Failure) { try makeReadOnly(root.descriptor) }

    /// The root becomes `/`, and everything of the host's goes out of reach.
    mutating func pivot() throws(Failure) {
        try check("fchdir") { fchdir(root.descriptor) }
        try check("pivot_root") { swc_pivot_root(".", ".") }
        // The old root lies on top of the new one now; taking it away may not be passed on to the host.
        try check("mount") { mount(nil, ".", nil, UInt(MS_PRIVATE | MS_REC), nil) }
        try check("umount2") { umount2(".", CInt(MNT_DETACH)) }
        try check("chdir") { chdir("/") }
        close(root.descriptor)
        root.descriptor = try check("open") { swc_open("/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0) }
        close(scratch)
        scratch = -1
    }

    // MARK: - Pieces

    private func findIfThere(_ path: CPath) throws(Failure) -> CInt? {
        do {
            return try root.find(path)
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw error
        }
    }

    func openFileSystem(_ type: CPath) throws(Failure) -> CInt {
        try check("fsopen") { swc_fsopen(type, UInt32(FSOPEN_CLOEXEC)) }
    }

    func configure(_ context: CInt, _ key: StaticString, _ value: CPath) throws(Failure) {
        try check("fsconfig") { swc_fsconfig(context, FSCONFIG_SET_STRING.rawValue, literal(key), value, 0) }
    }

    /// `key=value` or a flag.
    private func configure(_ context: CInt, option: CPath) throws(Failure) {
        guard let equals = strchr(option, CInt(UInt8(ascii: "="))) else {
            try check("fsconfig") { swc_fsconfig(context, FSCONFIG_SET_FLAG.rawValue, option, nil, 0) }
            return
        }
        var key = TextBuffer(capacity: 64)
        defer { key.free() }
        key.append(option, count: CPath(equals) - option)
        try check("fsconfig") { swc_fsconfig(context, FSCONFIG_SET_STRING.rawValue, key.path, equals + 1, 0) }
    }

    func createMount(_ context: CInt, attributes: Int32) throws(Failure) -> CInt {
        try check("create") { swc_fsconfig(context, FSCONFIG_CMD_CREATE.rawValue, nil, nil, 0) }
        return try check("fsmount") {
            swc_fsmount(context, UInt32(FSMOUNT_CLOEXEC), UInt32(bitPattern: attributes))
        }
    }

    private func cloneScratch(_ name: CPath) throws(Failure) -> CInt {
        try check("open_tree") {
            swc_open_tree(
                scratch, name, UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC) | UInt32(AT_SYMLINK_NOFOLLOW))
        }
    }

    private func makeReadOnly(_ tree: CInt) throws(Failure) {
        try check("mount_setattr") {
            swc_mount_setattr(tree, "", UInt32(AT_EMPTY_PATH), UInt64(MOUNT_ATTR_RDONLY), 0, 0)
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

    func move(_ tree: CInt, onto target: CInt) throws(Failure) {
        try check("move_mount") {
            swc_move_mount(tree, "", target, "", UInt32(MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
        }
    }
}
