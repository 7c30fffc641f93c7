// `swcompose-shim watch PROGRAM PROJECT`: starts `PROGRAM supervise --project PROJECT` and starts it again when a signal
// that nobody sends in kindness ended it. The containers outlive their supervisor, but without it nobody answers their
// DNS questions, restarts them or probes them.
import CLinux

/// Descriptor on which the supervisor says once that it listens.
private let readyDescriptor: CInt = 3
/// A supervisor that ran this long, in seconds, was in order; one that did not counts as failed.
private let soundAfter = 10
/// Failures in a row after which the next command is left to try. The pauses between add up to two minutes.
private let patience: CUnsignedInt = 8

func watchCommand(_ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Never {
    guard let program = arguments[2], let project = arguments[3] else {
        complain("usage: swcompose-shim watch program project\n")
        exit(64)
    }
    let nobody = swc_open(literal("/dev/null"), O_WRONLY | O_CLOEXEC, 0)
    if nobody < 0 {
        perror("/dev/null")
        _exit(125)
    }
    var failures: CUnsignedInt = 0
    while true {
        let begun = secondsSinceBoot()
        let child = startSupervisor(program, project)
        // Who waits for it to listen is to see its end, and so the pipe is its alone. Those after it tell nobody.
        dup2(nobody, readyDescriptor)
        var status: CInt = 0
        while waitpid(child, &status, 0) < 0, swc_errno() == EINTR {}
        guard swc_wifexited(status) == 0, isViolent(swc_wtermsig(status)) else { _exit(exitCode(ofStatus: status)) }
        complain("the supervisor was killed; starting another\n")
        if secondsSinceBoot() - begun >= soundAfter { failures = 0 }
        if failures == patience { _exit(exitCode(ofStatus: status)) }
        // At once, then after 1 s, 2 s, 4 s …
        if failures > 0 { sleep(1 << (failures - 1)) }
        failures += 1
    }
}

/// - Returns: its process id.
private func startSupervisor(_ program: UnsafeMutablePointer<CChar>, _ project: UnsafeMutablePointer<CChar>) -> pid_t {
    let child = fork()
    if child < 0 {
        perror("fork")
        _exit(125)
    }
    if child == 0 {
        let arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: 5)
        arguments[0] = program
        arguments[1] = UnsafeMutablePointer(mutating: literal("supervise"))
        arguments[2] = UnsafeMutablePointer(mutating: literal("--project"))
        arguments[3] = project
        arguments[4] = nil
        execv(program, arguments)
        perror(program)
        _exit(127)
    }
    return child
}

/// Of a crash, the kernel's out-of-memory killer, or `kill -9`; what asks politely means it.
private func isViolent(_ signal: CInt) -> Bool {
    switch signal {
    case SIGKILL, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSYS: true
    default: false
    }
}

private func secondsSinceBoot() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_BOOTTIME, &now)
    return Int(now.tv_sec)
}
