import CLinux

/// The container's root while it is put together: everything in it is found and made through this, so that no
/// symbolic link, absolute path or `..` of an image or volume leads outside, also when it changes meanwhile.
struct Root {
    /// The root directory; `/` of the own mount namespace after pivoting or joining.
    var descriptor: CInt

    private static let retries = 64

    /// O_PATH or any other flags; `resolve` in addition to staying inside.
    func open(_ path: CPath, _ flags: CInt, resolve: Int32 = 0) throws(Failure) -> CInt {
        let how = UInt64(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve)
        var attempt = 0
        while true {
            let result = swc_openat2(descriptor, path, UInt64(UInt32(bitPattern: flags | O_CLOEXEC)), 0, how)
            if result >= 0 { return result }
            attempt += 1
            // EAGAIN: something was renamed during the walk, and the kernel could not tell whether it stayed inside.
            if (swc_errno() != EAGAIN && swc_errno() != EINTR) || attempt > Self.retries { throw Failure("openat2") }
        }
    }

    /// Opens (O_PATH) what is at `path`, following links inside the root.
    func find(_ path: CPath, resolve: Int32 = 0) throws(Failure) -> CInt { try open(path, O_PATH, resolve: resolve) }

    /// What is to be there when it is missing.
    enum Wanted {
        case directory
        case file
    }

    /// Opens (O_PATH) what is at `path`; makes it, and the directories above it, where missing.
    /// - Returns: the descriptor, and whether the last component was made.
    func make(_ path: CPath, _ wanted: Wanted, mode: mode_t, resolve: Int32 = 0) throws(Failure) -> (
        fd: CInt, made: Bool
    ) {
        do {
            return (try find(path, resolve: resolve), false)
        } catch {
            if error.errno != ENOENT { throw error }
        }
        return try makeMissing(path, wanted, mode: mode, resolve: resolve, depth: 0)
    }

    private func makeMissing(
        _ path: CPath, _ wanted: Wanted, mode: mode_t, resolve: Int32, depth: Int
    ) throws(Failure) -> (fd: CInt, made: Bool) {
        guard depth < 16 else { throw Failure("openat2", ELOOP) }
        var prefix = TextBuffer(capacity: Int(PATH_MAX))
        defer { prefix.free() }
        prefix.append("/")
        var parent = try find(prefix.path)
        defer { close(parent) }
        var at = path
        while true {
            while at.pointee == CChar(UInt8(ascii: "/")) { at += 1 }
            guard at.pointee != 0 else {
                // Everything was there by now: another made it meanwhile.
                return (try find(path, resolve: resolve), false)
            }
            let start = at
            while at.pointee != 0, at.pointee != CChar(UInt8(ascii: "/")) { at += 1 }
            let parentCount = prefix.count
            prefix.append(start, count: at - start)
            if prefix.overflowed { throw Failure("openat2", ENAMETOOLONG) }
            var rest = at
            while rest.pointee == CChar(UInt8(ascii: "/")) { rest += 1 }
            let isLast = rest.pointee == 0

            var next: CInt
            var made = false
            do {
                next = try find(prefix.path, resolve: resolve)
            } catch {
                guard error.errno == ENOENT else { throw error }
                let name = prefix.path + parentCount
                made = try makeOne(parent, name, isLast ? wanted : .directory, mode: isLast ? mode : 0o755)
                if !made, let link = readLink(parent, name) {
                    // A link to nothing: what it names is made instead, seen from inside.
                    defer { link.free() }
                    var target = TextBuffer(capacity: Int(PATH_MAX))
                    defer { target.free() }
                    if link.base[0] != CChar(UInt8(ascii: "/")) { target.append(prefix.path, count: parentCount) }
                    target.append(link.path)
                    target.append("/")
                    target.append(rest)
                    if target.overflowed { throw Failure("openat2", ENAMETOOLONG) }
                    if isLast, wanted == .file { stripTrailingSlash(target) }
                    return try makeMissing(target.path, wanted, mode: mode, resolve: resolve, depth: depth + 1)
                }
                // By name in the directory that was checked; what stands there now must be no link.
                next = try check("openat") {
                    swc_openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0)
                }
            }
            if isLast { return (next, made) }
            close(parent)
            parent = next
            prefix.append("/")
        }
    }

    /// False where something of that name is there.
    private func makeOne(_ parent: CInt, _ name: CPath, _ wanted: Wanted, mode: mode_t) throws(Failure) -> Bool {
        switch wanted {
        case .directory:
            if mkdirat(parent, name, mode) == 0 { return true }
            if swc_errno() != EEXIST { throw Failure("mkdir") }
        case .file:
            let file = swc_openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
            if file >= 0 {
                close(file)
                return true
            }
            if swc_errno() != EEXIST { throw Failure("create") }
        }
        return false
    }

    private func readLink(_ parent: CInt, _ name: CPath) -> TextBuffer? {
        var link = TextBuffer(capacity: Int(PATH_MAX))
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: Int(PATH_MAX))
        defer { text.deallocate() }
        let count = readlinkat(parent, name, text, Int(PATH_MAX) - 1)
        guard count > 0 else {
            link.free()
            return nil
        }
        link.append(CPath(text), count: count)
        return link
    }

    private func stripTrailingSlash(_ text: TextBuffer) {
        var end = text.count
        while end > 1, text.base[end - 1] == CChar(UInt8(ascii: "/")) { end -= 1 }
        text.base[end] = 0
    }

    /// Opens the directory that holds `path`'s last component, made where missing, and says where in `path` that
    /// component begins.
    func openParent(_ path: CPath) throws(Failure) -> (fd: CInt, name: CPath) {
        var end = strlen(path)
        while end > 0, path[end - 1] != CChar(UInt8(ascii: "/")) { end -= 1 }
        let name = path + end
        guard name.pointee != 0, !same(name, "."), !same(name, "..") else { throw Failure("openat2", EINVAL) }
        var directory = TextBuffer(capacity: Int(PATH_MAX))
        defer { directory.free() }
        directory.append("/")
        directory.append(path, count: end)
        if directory.overflowed { throw Failure("openat2", ENAMETOOLONG) }
        return (try make(directory.path, .directory, mode: 0o755).fd, name)
    }
}
