// The process that becomes the container's (or, for exec, the user's): it carries out the plan's records in order
// and ends in execve.
import CLinux

struct Child {
    var root = Root(descriptor: -1)
    /// Where the new root is put until it is pivoted to.
    var buildPath: CPath = literal("/")
    var scratch: CInt = -1
    /// Bind sources in order of their records.
    let sources: UnsafeMutableBufferPointer<CInt>
    var sourceCount = 0
    /// To the monitor: failure, warnings, the terminal; from it: placed, go.
    let channel: CInt
    /// pidfd of the container that exec joins.
    var target: CInt = -1
    private var proc: CInt = -1
    private var isPlaced = false
    private var mayGo = false
    private var isAnnounced = false

    init(channel: CInt, sourceLimit: Int) {
        self.channel = channel
        sources = .allocate(capacity: max(sourceLimit, 1))
    }

    /// Does not return: executes the program or reports why not.
    mutating func run(_ plan: PlanMemory) -> Never {
        var index = LaunchMessage.noRecord
        do throws(Failure) {
            var records = try plan.records()
            while let record = records.next() {
                index = record.index
                try perform(record)
            }
            throw Failure("plan without execute", EBADMSG)
        } catch {
            report(error, index)
        }
        _exit(1)
    }

    private func report(_ failure: Failure, _ index: UInt32) {
        var packet = Packet(LaunchMessage.failed)
        packet.add(index)
        packet.add(UInt32(bitPattern: failure.errno))
        packet.add(text: literal(failure.step))
        // write, as a seccomp filter may already be in force that has no sendmsg.
        _ = write(channel, packet.base, packet.count)
        packet.free()
    }

    func warn(_ text: StaticString, _ error: CInt) {
        var packet = Packet(LaunchMessage.warning)
        packet.add(text: literal(text))
        packet.add(text: ": ")
        packet.add(text: strerror(error))
        packet.send(channel)
    }

    private mutating func perform(_ record: PlanRecord) throws(Failure) {
        guard let opcode = Opcode(rawValue: record.opcode) else { throw Failure("unknown opcode", EBADMSG) }
        var fields = record.payload
        switch opcode {
        case .runDirectory, .log, .stdio, .namespaces, .joinPidNamespace, .cgroupProcs, .cgroupDirectory,
            .memoryEvents, .target:
            return  // the monitor's
        case .joinNamespace: try joinNamespace(&fields)
        case .joinTarget: try joinTarget(&fields)
        case .mountPropagation: try setPropagation(&fields)
        case .scratch: try makeScratch(&fields)
        case .rootOverlay: try mountOverlay(&fields)
        case .rootDirectory: try cloneRoot(&fields)
        case .bindSource: try openBindSource(&fields, record.flags)
        case .mount: try mountFileSystem(&fields, record.flags)
        case .bind: try bind(&fields, record.flags)
        case .file: try injectFile(&fields, record.flags, index: record.index)
        case .device: try makeDevice(&fields)
        case .symlink: try makeSymlink(&fields)
        case .mask: try mask(&fields)
        case .readOnlyPath: try makePathReadOnly(&fields)
        case .mountAttributes: try setMountAttributes(&fields)
        case .directory: try makeDirectory(&fields)
        case .terminal: try makeTerminal(&fields, record.flags)
        case .hostName:
            let name = fields.string()
            try check("sethostname") { sethostname(name, strlen(name)) }
        case .domainName:
            let name = fields.string()
            try check("setdomainname") { setdomainname(name, strlen(name)) }
        case .sysctl: try setSysctl(&fields)
        case .awaitCgroup: while !isPlaced { try receive() }
        case .awaitGo: while !mayGo { try receive() }
        case .unshare:
            let flags = fields.u64()
            try check("unshare") { unshare(CInt(truncatingIfNeeded: flags)) }
        case .pivotRoot: try pivot()
        case .rootReadOnly: try makeRootReadOnly()
        case .sessionKeyring: joinKeyring(&fields)
        case .rlimit: try setLimit(&fields)
        case .oomScoreAdjust: try adjustOOMScore(&fields)
        case .umask: umask(fields.u32())
        case .boundingSet: try dropBoundingSet(&fields)
        case .user: try becomeUser(&fields)
        case .capabilities: try setCapabilities(&fields, record.flags)
        case .noNewPrivileges: try check("no_new_privs") { swc_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }
        case .workingDirectory: try enterWorkingDirectory(&fields)
        case .seccomp: try loadFilter(&fields)
        case .execute: try execute(&fields)
        }
        if fields.isBroken { throw Failure("plan", EBADMSG) }
    }

    private mutating func receive() throws(Failure) {
        var kind: UInt8 = 0
        let count = try check("recv") { recv(channel, &kind, 1, 0) }
        // The monitor has gone: so has the supervisor, and nobody wants this container.
        guard count == 1 else { throw Failure("recv", EPIPE) }
        if kind == LaunchMessage.placed { isPlaced = true }
        if kind == LaunchMessage.go { mayGo = true }
    }

    /// A procfs of this pid namespace that no mount of the image's or a neighbour's can cover or fake.
    mutating func trustedProc() throws(Failure) -> CInt {
        if proc >= 0 { return proc }
        let context = try openFileSystem(literal("proc"))
        defer { close(context) }
        proc = try createMount(context, attributes: MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV)
        return proc
    }

    /// From here on the channel closing by itself means that execve has worked.
    mutating func announceExecution() {
        if !isAnnounced { Packet(LaunchMessage.executing).send(channel) }
        isAnnounced = true
    }

    private func joinNamespace(_ fields: inout PlanFields) throws(Failure) {
        let kind = fields.u32()
        let path = fields.string()
        let file = try check("open") { swc_open(path, O_RDONLY | O_CLOEXEC, 0) }
        defer { close(file) }
        try check("setns") { setns(file, CInt(bitPattern: kind)) }
    }

    private mutating func joinTarget(_ fields: inout PlanFields) throws(Failure) {
        let kinds = fields.u32()
        try check("setns") { setns(target, CInt(bitPattern: kinds)) }
        root.descriptor = try check("open") { swc_open("/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0) }
    }

    private mutating func setSysctl(_ fields: inout PlanFields) throws(Failure) {
        let path = fields.string()
        let value = fields.string()
        let directory = try trustedProc()
        if !writeControl(directory, path, value) { throw Failure("write") }
    }

    private func joinKeyring(_ fields: inout PlanFields) {
        // Not having keyrings (kernel, or the host's own seccomp filter) is no reason not to run.
        if swc_keyctl_join(fields.string()) < 0 { warn("no session keyring of its own", swc_errno()) }
    }

    private func setLimit(_ fields: inout PlanFields) throws(Failure) {
        let resource = __rlimit_resource_t(fields.u32())
        var limit = rlimit(rlim_cur: rlim_t(fields.u64()), rlim_max: rlim_t(fields.u64()))
        if setrlimit(resource, &limit) == 0 { return }
        guard swc_errno() == EPERM else { throw Failure("setrlimit") }
        var current = rlimit()
        try check("getrlimit") { getrlimit(resource, &current) }
        limit = rlimit(rlim_cur: min(limit.rlim_cur, current.rlim_max), rlim_max: min(limit.rlim_max, current.rlim_max))
        try check("setrlimit") { setrlimit(resource, &limit) }
        warn("a resource limit above this host's hard limit was lowered to it", EPERM)
    }

    private mutating func adjustOOMScore(_ fields: inout PlanFields) throws(Failure) {
        let value = Int32(bitPattern: fields.u32())
        var text = TextBuffer(capacity: 16)
        defer { text.free() }
        if value < 0 { text.append("-") }
        text.append(UInt64(value.magnitude))
        if writeControl(try trustedProc(), literal("self/oom_score_adj"), text.path) { return }
        guard swc_errno() == EACCES else { throw Failure("write") }
        warn("oom_score_adj cannot be lowered here", EACCES)
    }

    /// Before pivoting this path would be the host's; the plan has it after.
    private func enterWorkingDirectory(_ fields: inout PlanFields) throws(Failure) {
        let path = fields.string()
        // Nothing of ours may be reached through /proc/self/fd as a working directory.
        if root.descriptor >= 0 { close(root.descriptor) }
        try check("chdir") { chdir(path) }
        try withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { (buffer) throws(Failure) in
            let text = buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
            try check("getcwd") { swc_getcwd(text, buffer.count) }
            // The kernel says "(unreachable)…" of a directory outside the root.
            if text[0] != CChar(UInt8(ascii: "/")) { throw Failure("getcwd", EXDEV) }
        }
    }

    private mutating func loadFilter(_ fields: inout PlanFields) throws(Failure) {
        let flags = fields.u32()
        let program = fields.bytes()
        let instructionSize = MemoryLayout<sock_filter>.size
        guard program.count % instructionSize == 0, program.count / instructionSize <= 4096 else {
            throw Failure("seccomp", EINVAL)
        }
        var filter = sock_fprog(
            len: UInt16(program.count / instructionSize),
            filter: UnsafeMutableRawPointer(mutating: program.baseAddress!).assumingMemoryBound(to: sock_filter.self))
        // The last that needs anything but write and execve: a filter may deny all else.
        announceExecution()
        try check("seccomp") { swc_seccomp(UInt32(SECCOMP_SET_MODE_FILTER), flags, &filter) }
    }
}
