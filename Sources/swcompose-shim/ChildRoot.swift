// The child's steps that make the root and move into it.
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
}
