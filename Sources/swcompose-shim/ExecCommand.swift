// `swcompose-shim exec`: runs a process in a container that runs already. Descriptors as in run; 0, 1 and 2 are the
// process's own where it has no terminal. Its exit code is ours.
import CLinux

func execCommand() -> Never {
    isolateProcess()
    do {
        try runProcess()
    } catch {
        sendFailure(3, error)
        _exit(125)
    }
}

private func runProcess() throws(Failure) -> Never {
    let plan = try PlanMemory(descriptor: 4)
    close(4)
    let settings = try Settings(plan)
    let target = try check("pidfd_open") { swc_pidfd_open(settings.target, 0) }
    _ = swc_fcntl_int(target, F_SETFD, FD_CLOEXEC)
    // The pidfd is of whoever has the pid now; the start time says whether that is still the container's.
    guard startTime(of: settings.target) == settings.targetStart else { throw Failure("pidfd_open", ESRCH) }
    let signals = try childSignals()
    try check("setns pid") { setns(target, CLONE_NEWPID) }
    let channel = try socketPair()

    let pid = try cloneProcess(flags: 0, cgroup: settings.cgroupDirectory)
    if pid == 0 {
        resetSignals()
        setsid()
        closeAll(3, signals, channel.monitor)
        var child = Child(channel: channel.child, sourceLimit: 0)
        child.target = target
        child.run(plan)
    }
    close(channel.child)
    close(target)
    // The caller's: the process alone is to hold them, so that their end is seen when it ends.
    for descriptor in CInt(0)...2 {
        let null = swc_open("/dev/null", O_RDWR | O_CLOEXEC, 0)
        dup2(null, descriptor)
        close(null)
    }
    var packet = Packet(LaunchMessage.created)
    packet.add(UInt32(bitPattern: pid))
    packet.add(startTime(of: pid))
    packet.add(UInt32(bitPattern: getpid()))
    packet.add(startTime(of: getpid()))
    packet.send(3)
    if let (index, failure) = try enterCgroups(plan, pid) {
        kill(pid, SIGKILL)
        sendFailure(3, failure, index: index)
        _exit(125)
    }
    Packet(LaunchMessage.placed).send(channel.monitor)
    Packet(LaunchMessage.go).send(channel.monitor)
    watch(pid, channel.monitor, signals)
}

private func watch(_ pid: pid_t, _ childChannel: CInt, _ signals: CInt) -> Never {
    var channel = childChannel
    var caller: CInt = 3
    var isExecuting = false
    let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: LaunchMessage.maximumSize)
    let entries = UnsafeMutablePointer<pollfd>.allocate(capacity: 3)
    while true {
        entries[0] = pollfd(fd: channel, events: Int16(POLLIN), revents: 0)
        entries[1] = pollfd(fd: caller, events: Int16(POLLIN), revents: 0)
        entries[2] = pollfd(fd: signals, events: Int16(POLLIN), revents: 0)
        guard poll(entries, 3, -1) > 0 else { continue }
        if entries[0].revents != 0 {
            var descriptor: CInt = -1
            let count = swc_receive_fd(channel, buffer, LaunchMessage.maximumSize, &descriptor, CInt(MSG_DONTWAIT))
            if count == 0 {
                close(channel)
                channel = -1
                if isExecuting {
                    Packet(LaunchMessage.started).send(3)
                } else {
                    sendFailure(3, Failure("the process died during set-up", ECHILD))
                }
            } else if count > 0, buffer[0] == LaunchMessage.executing {
                isExecuting = true
            } else if count > 0 {
                _ = swc_send_fd(3, buffer, count, descriptor, 0)
                if descriptor >= 0 { close(descriptor) }
                if buffer[0] == LaunchMessage.failed { _exit(125) }
            }
        }
        if entries[1].revents != 0 {
            var kind: UInt8 = 0
            let count = recv(caller, &kind, 1, CInt(MSG_DONTWAIT))
            if count == 1, kind == LaunchMessage.detach {
                close(caller)
                caller = -1
                continue
            }
            if count == 0 || (count == 1 && kind == LaunchMessage.kill) {
                // Its own session's group, and itself in case it left that.
                kill(-pid, SIGKILL)
                kill(pid, SIGKILL)
            }
            if count == 0 {
                close(caller)
                caller = -1
            }
        }
        if entries[2].revents != 0 {
            drainSignals(signals)
            var status: CInt = 0
            if waitpid(pid, &status, WNOHANG) == pid {
                // What the child had to say last.
                if channel >= 0 { reportOutcome(channel, buffer, isExecuting) }
                _exit(exitCode(ofStatus: status))
            }
        }
    }
}

/// The process ended in the same moment as its channel closed: tell the caller which it was.
private func reportOutcome(_ channel: CInt, _ buffer: UnsafeMutablePointer<UInt8>, _ wasExecuting: Bool) {
    var isExecuting = wasExecuting
    while true {
        var descriptor: CInt = -1
        let count = swc_receive_fd(channel, buffer, LaunchMessage.maximumSize, &descriptor, CInt(MSG_DONTWAIT))
        if count <= 0 { break }
        if buffer[0] == LaunchMessage.executing {
            isExecuting = true
        } else {
            _ = swc_send_fd(3, buffer, count, descriptor, 0)
            if buffer[0] == LaunchMessage.failed { _exit(125) }
        }
    }
    if isExecuting {
        Packet(LaunchMessage.started).send(3)
    } else {
        sendFailure(3, Failure("the process died during set-up", ECHILD))
    }
}
