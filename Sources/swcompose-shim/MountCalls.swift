// The kernel's mount calls as the child's steps use them.
import CLinux

extension Child {
    func openFileSystem(_ type: CPath) throws(Failure) -> CInt {
        try check("fsopen") { swc_fsopen(type, UInt32(FSOPEN_CLOEXEC)) }
    }

    func configure(_ context: CInt, _ key: StaticString, _ value: CPath) throws(Failure) {
        try check("fsconfig") { swc_fsconfig(context, FSCONFIG_SET_STRING.rawValue, literal(key), value, 0) }
    }

    /// `key=value` or a flag.
    func configure(_ context: CInt, option: CPath) throws(Failure) {
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

    func cloneScratch(_ name: CPath) throws(Failure) -> CInt {
        try check("open_tree") {
            swc_open_tree(
                scratch, name, UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC) | UInt32(AT_SYMLINK_NOFOLLOW))
        }
    }

    func makeReadOnly(_ tree: CInt) throws(Failure) {
        try check("mount_setattr") {
            swc_mount_setattr(tree, "", UInt32(AT_EMPTY_PATH), UInt64(MOUNT_ATTR_RDONLY), 0, 0)
        }
    }

    func move(_ tree: CInt, onto target: CInt) throws(Failure) {
        try check("move_mount") {
            swc_move_mount(tree, "", target, "", UInt32(MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
        }
    }
}
