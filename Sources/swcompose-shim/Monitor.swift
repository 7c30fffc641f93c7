// What stays beside the container: one thread, one poll loop, no memory that grows.
import CLinux

struct Monitor {
    let pid: pid_t
    let startTime: UInt64
    let runDirectory: CInt
    var log: LogWriter
    let signals: CInt
    var clients: ClientTable
    let oom: OOMCounter
    let hasTerminal: Bool

    /// Read ends; with a terminal `output` is its master, and there is no `error`.
    var output: CInt = -1
    var error: CInt = -1
    var input = InputQueue()

    /// Until the program runs; closed then.
    private var caller: CInt = 3
    private var channel: CInt
    private let plan: PlanMemory
    private var isExecuting = false
    private var status: CInt?
    private var isTerminalIdle = false

    private let entries: UnsafeMutablePointer<pollfd>
    /// One packet: the kind byte and what was read.
    private let buffer: UnsafeMutablePointer<UInt8>

    init(
        pid: pid_t, startTime: UInt64, plan: PlanMemory, runDirectory: CInt, log: LogWriter, signals: CInt,
        channel: CInt, clients: ClientTable, oom: OOMCounter, hasTerminal: Bool
    ) {
        self.pid = pid
        self.startTime = startTime
        self.plan = plan
        self.runDirectory = runDirectory
        self.log = log
        self.signals = signals
        self.channel = channel
        self.clients = clients
        self.oom = oom
        self.hasTerminal = hasTerminal
        entries = .allocate(capacity: 8 + ClientTable.limit)
        buffer = .allocate(capacity: ShimMessage.maximumSize)
    }

    // MARK: - Launch

    /// Leaves the pid file and tells the caller that the process is there.
    func announce() {
        let own = getpid()
        let ownStart = swcompose_shim.startTime(of: own)
        writePidFile(runDirectory, pid, startTime, own, ownStart)
        var packet = Packet(LaunchMessage.created)
        packet.add(UInt32(bitPattern: pid))
        packet.add(startTime)
        packet.add(UInt32(bitPattern: own))
        packet.add(ownStart)
        packet.send(caller)
    }

    func giveUp(_ failure: Failure, _ index: UInt32) -> Never {
        stopChild()
        sendFailure(caller, failure, index: index)
        _exit(1)
    }

    /// The launch has failed: nothing of it is to stay.
    private func stopChild() {
        if status == nil {
            kill(pid, SIGKILL)
            var ignored: CInt = 0
            while waitpid(pid, &ignored, 0) < 0, swc_errno() == EINTR {}
        }
        unlinkat(runDirectory, "pid", 0)
        unlinkat(runDirectory, "shim.sock", 0)
    }

    private mutating func heardFromCaller() {
        var kind: UInt8 = 0
        let count = recv(caller, &kind, 1, CInt(MSG_DONTWAIT))
        if count == 1, kind == LaunchMessage.go {
            Packet(LaunchMessage.go).send(channel)
        } else if count == 0 || (count < 0 && swc_errno() != EAGAIN && swc_errno() != EINTR) {
            stopChild()
            _exit(1)
        }
    }

    private mutating func heardFromChild() {
        var descriptor: CInt = -1
        let count = swc_receive_fd(channel, buffer, LaunchMessage.maximumSize, &descriptor, CInt(MSG_DONTWAIT))
        if count < 0 { return }
        if count == 0 {
            close(channel)
            channel = -1
            if !isExecuting { giveUp(Failure("the process died during set-up", ECHILD), LaunchMessage.noRecord) }
            Packet(LaunchMessage.started).send(caller)
            close(caller)
            caller = -1
            plan.unmap()
            // Most of the code has done its work by now.
            _ = swc_release_code()
            return
        }
        switch buffer[0] {
        case LaunchMessage.executing: isExecuting = true
        case LaunchMessage.terminal:
            output = descriptor
            _ = swc_fcntl_int(descriptor, F_SETFL, O_NONBLOCK)
            input.descriptor = descriptor
        case LaunchMessage.failed:
            stopChild()
            _ = swc_send_fd(caller, buffer, count, -1, 0)
            _exit(1)
        default: _ = swc_send_fd(caller, buffer, count, -1, 0)
        }
    }

    // MARK: - The loop

    /// Returns never: leaves the exit file and ends when the container has.
    mutating func run() -> Never {
        var deadline: Int64 = .max
        while true {
            // What the child had to say comes before its end.
            let hasEnded = status != nil && channel < 0
            if hasEnded {
                if deadline == .max { deadline = milliseconds() + 5000 }
                if (output < 0 && error < 0) || milliseconds() > deadline { finish() }
            }
            // Where something outside the pid namespace holds the pipes, their end may never come.
            let isQuiet = wait(timeout: hasEnded ? 100 : isTerminalIdle ? 200 : -1)
            if isQuiet, hasEnded { finish() }
        }
    }

    /// Waits for something to happen and deals with it. True where nothing did.
    private mutating func wait(timeout: CInt) -> Bool {
        var count = 0
        func add(_ descriptor: CInt, _ events: CInt) {
            entries[count] = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            count += 1
        }
        // A terminal nobody has open says "hang-up" without end.
        add(isTerminalIdle && status == nil ? -1 : output, POLLIN)
        add(error, POLLIN)
        add(channel, POLLIN)
        add(caller, POLLIN)
        add(signals, POLLIN)
        add(input.isWaiting ? input.descriptor : -1, POLLOUT)
        add(clients.listener, POLLIN)
        for i in 0..<ClientTable.limit { add(input.isWaiting ? -1 : clients.descriptor(i), POLLIN) }

        let ready = poll(entries, nfds_t(count), timeout)
        if ready < 0 { return false }
        isTerminalIdle = false
        if ready == 0 { return true }
        if entries[0].revents != 0 { output = pump(output, ShimMessage.stdout) }
        if entries[1].revents != 0 { error = pump(error, ShimMessage.stderr) }
        if entries[2].revents != 0 { heardFromChild() }
        if entries[3].revents != 0, caller >= 0 { heardFromCaller() }
        if entries[4].revents != 0 { reap() }
        if entries[5].revents != 0 { input.flush() }
        if entries[6].revents != 0 { clients.accept() }
        for i in 0..<ClientTable.limit where entries[7 + i].revents != 0 { heardFromClient(i) }
        return false
    }

    /// Reads once and passes it on. Returns the descriptor, or -1 at its end.
    private mutating func pump(_ descriptor: CInt, _ kind: UInt8) -> CInt {
        let count = read(descriptor, buffer + 1, ShimMessage.maximumSize - 1)
        if count > 0 {
            buffer[0] = kind
            clients.broadcast(buffer, count + 1)
            log.add(kind, buffer + 1, count)
            return descriptor
        }
        if count < 0, swc_errno() == EAGAIN || swc_errno() == EINTR { return descriptor }
        if count < 0, hasTerminal, status == nil {
            isTerminalIdle = true
            return descriptor
        }
        log.finish(kind)
        if input.descriptor == descriptor { input.descriptor = -1 }
        close(descriptor)
        return -1
    }

    private mutating func reap() {
        drainSignals(signals)
        var status: CInt = 0
        while true {
            let reaped = waitpid(-1, &status, WNOHANG)
            if reaped <= 0 { return }
            if reaped == pid { self.status = status }
        }
    }

    private mutating func heardFromClient(_ index: Int) {
        let count = clients.receive(index, buffer)
        guard count > 0 else { return }
        switch buffer[0] {
        case ShimMessage.resize where count == 5 && hasTerminal && output >= 0:
            var size = winsize(
                ws_row: UInt16(buffer[1]) | UInt16(buffer[2]) << 8,
                ws_col: UInt16(buffer[3]) | UInt16(buffer[4]) << 8, ws_xpixel: 0, ws_ypixel: 0)
            _ = swc_ioctl_ptr(output, UInt(TIOCSWINSZ), &size)
        case ShimMessage.stdin: input.write(buffer + 1, count - 1)
        case ShimMessage.closeStdin: if !hasTerminal { input.close() }
        case ShimMessage.attach: clients.setAttached(index)
        case ShimMessage.ping: clients.send(index, buffer, 1)
        default: break
        }
    }

    private mutating func finish() -> Never {
        log.finish(ShimMessage.stdout)
        log.finish(ShimMessage.stderr)
        let code = exitCode(ofStatus: status ?? 0)
        writeExitFile(runDirectory, pid, code, oom: oom.hasRisen)
        var packet = Packet(ShimMessage.exited)
        packet.add(UInt32(bitPattern: code))
        clients.broadcast(packet.base.assumingMemoryBound(to: UInt8.self), packet.count)
        packet.free()
        unlinkat(runDirectory, "shim.sock", 0)
        _exit(0)
    }
}

private func milliseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
}
