// The child's last steps: who it is, what it may do, and execve.
import CLinux

private let capabilityVersion: UInt32 = 0x2008_0522  // _LINUX_CAPABILITY_VERSION_3
private let adminCapability: UInt64 = 1 << 21  // CAP_SYS_ADMIN

/// What `capset` takes and `capget` gives: 64 bits in two halves.
struct CapabilitySets {
    var effective: UInt64
    var permitted: UInt64
    var inheritable: UInt64

    static func own() throws(Failure) -> CapabilitySets {
        var header = __user_cap_header_struct(version: capabilityVersion, pid: 0)
        return try withUnsafeTemporaryAllocation(of: __user_cap_data_struct.self, capacity: 2) {
            (data) throws(Failure) in
            try check("capget") { swc_capget(&header, data.baseAddress) }
            return CapabilitySets(
                effective: UInt64(data[0].effective) | UInt64(data[1].effective) << 32,
                permitted: UInt64(data[0].permitted) | UInt64(data[1].permitted) << 32,
                inheritable: UInt64(data[0].inheritable) | UInt64(data[1].inheritable) << 32)
        }
    }

    func apply() throws(Failure) {
        var header = __user_cap_header_struct(version: capabilityVersion, pid: 0)
        try withUnsafeTemporaryAllocation(of: __user_cap_data_struct.self, capacity: 2) { (data) throws(Failure) in
            data[0] = __user_cap_data_struct(
                effective: UInt32(truncatingIfNeeded: effective), permitted: UInt32(truncatingIfNeeded: permitted),
                inheritable: UInt32(truncatingIfNeeded: inheritable))
            data[1] = __user_cap_data_struct(
                effective: UInt32(truncatingIfNeeded: effective >> 32),
                permitted: UInt32(truncatingIfNeeded: permitted >> 32),
                inheritable: UInt32(truncatingIfNeeded: inheritable >> 32))
            try check("capset") { swc_capset(&header, data.baseAddress) }
        }
    }
}

extension Child {
    func dropBoundingSet(_ fields: inout PlanFields) throws(Failure) {
        let keep = fields.u64()
        var capability: UInt = 0
        while capability < 64 {
            let held = swc_prctl(PR_CAPBSET_READ, capability, 0, 0, 0)
            if held < 0 { return }  // past the kernel's last
            if held == 1, keep >> UInt64(capability) & 1 == 0 {
                try check("drop capability") { swc_prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) }
            }
            capability += 1
        }
    }

    func becomeUser(_ fields: inout PlanFields) throws(Failure) {
        let uid = fields.u32()
        let gid = fields.u32()
        let count = fields.numberCount()
        let groups = UnsafeMutablePointer<gid_t>.allocate(capacity: max(count, 1))
        for i in 0..<count { groups[i] = fields.u32() }
        guard fields.isAtEnd else { throw Failure("plan", EBADMSG) }
        // So that /dev/stdout can be opened again by whoever runs there, as Docker has it.
        if uid != 0 {
            for descriptor in CInt(0)...2 {
                var info = stat()
                if fstat(descriptor, &info) == 0, info.st_mode & mode_t(S_IFMT) == mode_t(S_IFIFO) {
                    fchown(descriptor, uid, gid_t.max)
                }
            }
        }
        // Permitted capabilities are wanted until the last step, when they are set to what the plan says.
        try check("keepcaps") { swc_prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) }
        try check("setgroups") { setgroups(count, groups) }
        try check("setgid") { setresgid(gid, gid, gid) }
        try check("setuid") { setresuid(uid, uid, uid) }
        // Changing ids made the process dumpable again; until execve it is still ours.
        try check("dumpable") { swc_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) }
    }

    func setCapabilities(_ fields: inout PlanFields, _ flags: UInt16) throws(Failure) {
        let permitted = fields.u64()
        let effective = fields.u64()
        let inheritable = fields.u64()
        let ambient = fields.u64()
        let own = try CapabilitySets.own()
        let extra = flags & PlanFlag.keepAdmin != 0 ? adminCapability : 0
        try CapabilitySets(
            effective: (effective | extra) & own.permitted, permitted: (permitted | extra) & own.permitted,
            inheritable: inheritable & own.permitted
        ).apply()
        if swc_prctl(PR_CAP_AMBIENT, UInt(PR_CAP_AMBIENT_CLEAR_ALL), 0, 0, 0) != 0, ambient != 0 {
            throw Failure("ambient capabilities")
        }
        for capability in UInt64(0)..<64 where ambient & inheritable & own.permitted >> capability & 1 == 1 {
            try check("ambient capabilities") {
                swc_prctl(PR_CAP_AMBIENT, UInt(PR_CAP_AMBIENT_RAISE), UInt(capability), 0, 0)
            }
        }
    }

    /// A pty of the container's own devpts, made in here so that its name is right there and nowhere else.
    mutating func makeTerminal(_ fields: inout PlanFields, _ flags: UInt16) throws(Failure) {
        let rows = fields.u16()
        let columns = fields.u16()
        let uid = fields.u32()
        let master = try root.open(
            literal("/dev/pts/ptmx"), O_RDWR | O_NOCTTY | O_CLOEXEC)
        defer { close(master) }
        var fileSystem = statfs()
        try check("fstatfs") { fstatfs(master, &fileSystem) }
        guard fileSystem.f_type == __fsword_t(DEVPTS_SUPER_MAGIC) else { throw Failure("devpts", ENOTTY) }
        try check("unlock terminal") { swc_lock_pty(master, 0) }
        let terminal = try check("open terminal") { swc_open_pty_peer(master, O_RDWR | O_NOCTTY | O_CLOEXEC) }
        if rows != 0, columns != 0 {
            var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
            try check("terminal size") { swc_ioctl_ptr(master, UInt(TIOCSWINSZ), &size) }
        }
        if uid != 0 { try check("chown terminal") { fchown(terminal, uid, gid_t.max) } }
        if flags & PlanFlag.console != 0 {
            let tree = try check("open_tree") {
                swc_open_tree(terminal, "", UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC) | UInt32(AT_EMPTY_PATH))
            }
            defer { close(tree) }
            let (console, _) = try root.make(literal("/dev/console"), .file, mode: 0o600)
            defer { close(console) }
            try move(tree, onto: console)
        }
        guard Packet(LaunchMessage.terminal).send(channel, descriptor: master) else { throw Failure("send terminal") }
        for descriptor in CInt(0)...2 { try check("dup2") { dup2(terminal, descriptor) } }
        close(terminal)
        try check("controlling terminal") { swc_ioctl_int(0, UInt(TIOCSCTTY), 0) }
    }

    /// Searches PATH like a shell and executes.
    mutating func execute(_ fields: inout PlanFields) throws(Failure) {
        let argv = fields.pointers()
        let envp = fields.pointers()
        guard fields.isAtEnd, let argv, let envp, let file = argv[0] else { throw Failure("plan", EBADMSG) }
        announceExecution()
        // Whatever is open is closed by execve; 0, 1 and 2 stay.
        _ = swc_close_range(3, .max, UInt32(CLOSE_RANGE_CLOEXEC))
        if strchr(file, CInt(UInt8(ascii: "/"))) != nil {
            execve(file, argv, envp)
            throw failedExec(file, swc_errno())
        }
        var search: CPath = literal("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        var at = envp
        while let variable = at.pointee {
            if strncmp(variable, "PATH=", 5) == 0 { search = CPath(variable) + 5 }
            at += 1
        }
        var error = ENOENT
        var candidate = TextBuffer(capacity: Int(PATH_MAX))
        while true {
            var end = search
            while end.pointee != 0, end.pointee != CChar(UInt8(ascii: ":")) { end += 1 }
            candidate.clear()
            candidate.append(search, count: end - search)
            candidate.append(end == search ? "./" : "/")
            candidate.append(CPath(file))
            if !candidate.overflowed {
                execve(candidate.path, argv, envp)
                let found = swc_errno()
                switch found {
                case ENOENT where failedExec(candidate.path, found).errno != found:
                    throw failedExec(candidate.path, found)
                case ENOENT, ENOTDIR: break
                case EACCES: error = EACCES
                default: throw Failure("execve", found)
                }
            }
            if end.pointee == 0 { throw Failure("execve", error) }
            search = end + 1
        }
    }

    /// ENOENT of a file that is there is about its interpreter.
    private func failedExec(_ path: CPath, _ error: CInt) -> Failure {
        let missing = error == ENOENT && access(path, F_OK) == 0
        return Failure("execve", missing ? error | CInt(LaunchMessage.interpreterMissing) : error)
    }
}

extension PlanFields {
    /// A list of strings as execve wants it: pointers into the plan, and a null at the end.
    mutating func pointers() -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
        let count = listCount()
        let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: count + 1)
        for i in 0..<count { list[i] = UnsafeMutablePointer(mutating: string()) }
        list[count] = nil
        return isBroken ? nil : list
    }
}
