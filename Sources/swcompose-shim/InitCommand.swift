// `swcompose-shim init -- command…`: a PID 1 that passes signals on and reaps, for programs that do neither.
import CLinux

func initCommand(_ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Never {
    guard let separator = arguments[2], same(CPath(separator), "--"), let program = arguments[3] else {
        complain("usage: swcompose-shim init -- command [argument…]\n")
        exit(64)
    }
    var all = sigset_t()
    sigfillset(&all)
    sigprocmask(SIG_SETMASK, &all, nil)

    let child = fork()
    if child < 0 {
        perror("fork")
        _exit(125)
    }
    if child == 0 {
        setpgid(0, 0)
        // With a terminal the command is its foreground, as it would be without this process. SIGTTOU is blocked.
        if isatty(0) != 0 { tcsetpgrp(0, getpgrp()) }
        var none = sigset_t()
        sigemptyset(&none)
        sigprocmask(SIG_SETMASK, &none, nil)
        execvp(program, arguments + 3)
        let error = swc_errno()
        let isMissing = error == ENOENT
        if isMissing, strchr(program, CInt(UInt8(ascii: "/"))) == nil {
            complain(program, literal("executable file not found in $PATH"))
        } else {
            complain(program, strerror(error))
        }
        _exit(isMissing ? 127 : 126)
    }
    setpgid(child, child)
    while true {
        var number: CInt = 0
        guard sigwait(&all, &number) == 0 else { continue }
        if number != SIGCHLD {
            // Without a process group (it made its own session) it is still reached itself.
            if kill(-child, number) != 0 { kill(child, number) }
            continue
        }
        var status: CInt = 0
        var code: CInt?
        while true {
            let reaped = waitpid(-1, &status, WNOHANG)
            if reaped <= 0 { break }
            if reaped == child { code = exitCode(ofStatus: status) }
        }
        if let code { _exit(code) }
    }
}

private func complain(_ program: CPath, _ reason: CPath) {
    var text = TextBuffer(capacity: 512)
    defer { text.free() }
    text.append("exec: \"")
    text.append(program)
    text.append("\": ")
    text.append(reason)
    text.append("\n")
    _ = write(2, text.base, text.count)
}
