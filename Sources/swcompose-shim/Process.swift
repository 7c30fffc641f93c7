// Starting and describing processes.
import CLinux

/// Of a plan, what concerns the process that starts the child and stays.
struct Settings {
    var runDirectory: CPath?
    var logPath: CPath?
    var logMaximumSize: UInt64 = 0
    var logMaximumFiles: UInt32 = 1
    var stdio: UInt16 = 0
    var cloneFlags: UInt64 = 0
    var pidNamespace: CPath?
    var cgroupDirectory: CPath?
    var memoryEvents: CPath?
    var target: pid_t = 0
    var targetStart: UInt64 = 0
    var sourceCount = 0

    init(_ plan: PlanMemory) throws(Failure) {
        var records = try plan.records()
        while let record = records.next() {
            var fields = record.payload
            switch Opcode(rawValue: record.opcode) {
            case .runDirectory: runDirectory = fields.string()
            case .log:
                logPath = fields.string()
                logMaximumSize = fields.u64()
                logMaximumFiles = fields.u32()
            case .stdio: stdio = record.flags
            case .namespaces: cloneFlags = fields.u64()
            case .joinPidNamespace: pidNamespace = fields.string()
            case .cgroupDirectory: cgroupDirectory = fields.string()
            case .memoryEvents: memoryEvents = fields.string()
            case .target:
                target = pid_t(bitPattern: fields.u32())
                targetStart = fields.u64()
            case .bindSource: sourceCount += 1
            default: continue
            }
            if fields.isBroken { throw Failure("plan", EBADMSG) }
        }
        guard records.isComplete else { throw Failure("plan", EBADMSG) }
    }
}

/// What every mode begins with: nothing of the caller's but descriptors 0 to 4, and nothing of ours to be seen.
func isolateProcess() {
    _ = swc_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    _ = swc_close_range(5, .max, 0)
    _ = swc_fcntl_int(3, F_SETFD, FD_CLOEXEC)
    _ = swc_fcntl_int(4, F_SETFD, FD_CLOEXEC)
    chdir("/")
    umask(0)
    for number in CInt(1)..<32 where number != SIGKILL && number != SIGSTOP && number != SIGCHLD {
        _ = swc_sigaction_ignore(number)
    }
}

/// A child must not inherit what the monitor ignores and blocks.
func resetSignals() {
    for number in CInt(1)...64 { _ = swc_sigaction_default(number) }
    var none = sigset_t()
    sigemptyset(&none)
    sigprocmask(SIG_SETMASK, &none, nil)
}

/// SIGCHLD as a descriptor to poll.
func childSignals() throws(Failure) -> CInt {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGCHLD)
    sigprocmask(SIG_BLOCK, &set, nil)
    return try check("signalfd") { signalfd(-1, &set, CInt(SFD_CLOEXEC | SFD_NONBLOCK)) }
}

func drainSignals(_ descriptor: CInt) {
    var info = signalfd_siginfo()
    while read(descriptor, &info, MemoryLayout<signalfd_siginfo>.size) > 0 {}
}

/// clone3 as fork is: 0 in the child. `cgroup` puts it into that one at once.
func cloneProcess(flags: UInt64, cgroup: CPath?) throws(Failure) -> pid_t {
    var arguments = clone_args()
    arguments.flags = flags
    arguments.exit_signal = UInt64(SIGCHLD)
    var directory: CInt = -1
    if let cgroup {
        directory = try check("open cgroup") { swc_open(cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC, 0) }
        arguments.flags |= UInt64(CLONE_INTO_CGROUP)
        arguments.cgroup = UInt64(directory)
    }
    defer { if directory >= 0 { close(directory) } }
    return try check("clone3") { pid_t(truncatingIfNeeded: swc_clone3(&arguments, MemoryLayout<clone_args>.size)) }
}

/// Puts the child into all v1 hierarchies. The first write after a pause waits for the kernel (an RCU grace period,
/// 7 to 10 ms); meanwhile the child mounts.
/// - Returns: the record that failed.
func enterCgroups(_ plan: PlanMemory, _ pid: pid_t) throws(Failure) -> (index: UInt32, failure: Failure)? {
    var records = try plan.records()
    while let record = records.next() {
        guard record.opcode == Opcode.cgroupProcs.rawValue else { continue }
        var fields = record.payload
        if !writeControl(AT_FDCWD, fields.string(), UInt64(pid)) {
            return (record.index, Failure("write"))
        }
    }
    return nil
}

/// Reports a failure of the shim's own on the launch channel.
func sendFailure(_ channel: CInt, _ failure: Failure, index: UInt32 = LaunchMessage.noRecord) {
    var packet = Packet(LaunchMessage.failed)
    packet.add(index)
    packet.add(UInt32(bitPattern: failure.errno))
    packet.add(text: literal(failure.step))
    packet.send(channel)
}
