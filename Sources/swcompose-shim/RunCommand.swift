// `swcompose-shim run`: descriptor 3 is the launch channel, 4 the plan. Starts the container and monitors it.
import CLinux

func runCommand() -> Never {
    // The caller gets back to its work, and the monitor is nobody's child that would have to be waited for.
    switch fork() {
    case 0: break
    case -1:
        sendFailure(3, Failure("fork"))
        _exit(1)
    default: _exit(0)
    }
    isolateProcess()
    setsid()
    _ = swc_prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    do {
        var monitor = try startContainer()
        monitor.run()
    } catch {
        sendFailure(3, error)
    }
    _exit(1)
}

private func startContainer() throws(Failure) -> Monitor {
    let plan = try PlanMemory(descriptor: 4)
    close(4)
    let settings = try Settings(plan)
    guard let runPath = settings.runDirectory else { throw Failure("plan", EBADMSG) }
    let runDirectory = try check("open run directory") { swc_open(runPath, O_PATH | O_DIRECTORY | O_CLOEXEC, 0) }
    let log = try LogWriter(settings)
    let listener = try listen(in: runDirectory)
    let signals = try childSignals()

    if let path = settings.pidNamespace {
        let file = try check("open") { swc_open(path, O_RDONLY | O_CLOEXEC, 0) }
        try check("setns pid") { setns(file, CLONE_NEWPID) }
        close(file)
    }
    let channel = try socketPair()
    let hasTerminal = settings.stdio & PlanFlag.terminal != 0
    let output = hasTerminal ? Pipe.none : try Pipe.make()
    let error = hasTerminal ? Pipe.none : try Pipe.make()
    let input = !hasTerminal && settings.stdio & PlanFlag.openStdin != 0 ? try Pipe.make() : Pipe.none

    let pid = try cloneProcess(flags: settings.cloneFlags, cgroup: settings.cgroupDirectory)
    if pid == 0 {
        resetSignals()
        setsid()
        if input.read >= 0 { dup2(input.read, 0) }
        if output.write >= 0 { dup2(output.write, 1) }
        if error.write >= 0 { dup2(error.write, 2) }
        // The ends of the monitor's: only the channel and what is made from here on is the child's.
        closeAll(
            3, runDirectory, log.descriptor, listener, signals, channel.monitor, input.write, output.read, error.read,
            input.read, output.write, error.write)
        var child = Child(channel: channel.child, sourceLimit: settings.sourceCount)
        child.run(plan)
    }
    close(channel.child)
    closeAll(input.read, output.write, error.write)
    for descriptor in [input.write, output.read, error.read] where descriptor >= 0 {
        _ = swc_fcntl_int(descriptor, F_SETFL, O_NONBLOCK)
    }

    var monitor = Monitor(
        pid: pid, startTime: startTime(of: pid), plan: plan, runDirectory: runDirectory, log: log, signals: signals,
        channel: channel.monitor, clients: ClientTable(listener: listener),
        oom: OOMCounter(path: settings.memoryEvents), hasTerminal: hasTerminal)
    monitor.output = output.read
    monitor.error = error.read
    monitor.input.descriptor = input.write
    monitor.announce()
    if let (index, failure) = try enterCgroups(plan, pid) {
        monitor.giveUp(failure, index)
    }
    Packet(LaunchMessage.placed).send(channel.monitor)
    return monitor
}

struct Pipe {
    var read: CInt
    var write: CInt
    static let none = Pipe(read: -1, write: -1)

    static func make() throws(Failure) -> Pipe {
        var pipe = Pipe.none
        try check("pipe2") { swc_pipe(&pipe.read, &pipe.write) }
        return pipe
    }
}

func socketPair() throws(Failure) -> (monitor: CInt, child: CInt) {
    var monitor: CInt = -1
    var child: CInt = -1
    try check("socketpair") { swc_packet_pair(&monitor, &child) }
    return (monitor, child)
}
