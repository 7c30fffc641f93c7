internal import CLinux
internal import LaunchPlan
internal import LinuxSystem
internal import SystemPackage

/// A shim that was started and has not said yet how it went.
struct ShimProcess {
    /// What it reports, with what came along.
    enum Message {
        case created(pid: Int32, startTime: UInt64, shimPid: Int32, shimStartTime: UInt64)
        case warning(String)
        case started
        case failed(record: UInt32, errno: UInt32, step: String)
        case terminal(OwnedDescriptor)
        case closed
    }

    let pid: Int32
    let channel: OwnedDescriptor

    /// Starts `shim mode` with the plan. Nothing of this process runs in the child (posix_spawn), so any thread may
    /// call this at any time; nothing but the descriptors named here is inherited.
    /// - Throws: ``SystemError``.
    static func start(
        _ mode: String, _ binary: ShimBinary, plan: [UInt8], stdio: [Int32]?
    ) throws -> ShimProcess {
        var own: Int32 = -1
        var other: Int32 = -1
        try check("socketpair") { swc_packet_pair(&own, &other) }
        let channel = OwnedDescriptor(own)
        let theirs = try OwnedDescriptor(other).movedUp()
        let memory = try OwnedDescriptor(
            try check("memfd_create") { swc_memfd_create("launch-plan", UInt32(MFD_CLOEXEC)) }
        ).movedUp()
        try Files.writeAll(memory.raw, plan, subject: "launch plan")
        let null = try OwnedDescriptor.open("/dev/null", O_RDWR).movedUp()

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The caller's may be 0, 1 and 2 in any order, so all are taken out of the way first.
        let standard = try (stdio ?? []).map { descriptor in
            OwnedDescriptor(try check("dup") { swc_fcntl_int(descriptor, F_DUPFD_CLOEXEC, 10) })
        }
        for target in Int32(0)...2 {
            let source = standard.isEmpty ? null : standard[Int(target)]
            posix_spawn_file_actions_adddup2(&actions, source.raw, target)
        }
        posix_spawn_file_actions_adddup2(&actions, theirs.raw, 3)
        posix_spawn_file_actions_adddup2(&actions, memory.raw, 4)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var pid: pid_t = 0
        // The actions have the descriptors' numbers alone: the owners have to live until then.
        let result = withExtendedLifetime((theirs, memory, null, standard)) {
            withCString("swcompose-shim", mode) { name, mode in
                let arguments: [UnsafeMutablePointer<CChar>?] = [name, mode, nil]
                let environment: [UnsafeMutablePointer<CChar>?] = [nil]
                return posix_spawn(&pid, binary.executablePath, &actions, &attributes, arguments, environment)
            }
        }
        guard result == 0 else { throw SystemError("posix_spawn", Errno(rawValue: result), binary.path) }
        return ShimProcess(pid: pid, channel: channel)
    }

    func send(_ message: UInt8) {
        var byte = message
        _ = swc_send_fd(channel.raw, &byte, 1, -1, 0)
    }

    /// Blocks.
    func receive() throws -> Message {
        var buffer = [UInt8](repeating: 0, count: LaunchMessage.maximumSize)
        var descriptor: Int32 = -1
        let count = try channel.receivePacket(&buffer, descriptor: &descriptor, subject: "launch channel")
        let received = descriptor >= 0 ? OwnedDescriptor(descriptor) : nil
        guard count > 0 else { return .closed }
        func number<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
            guard offset + MemoryLayout<T>.size <= count else { return 0 }
            return buffer.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
        }
        func text(from offset: Int) -> String {
            String(decoding: buffer[min(offset, count)..<count], as: UTF8.self)
        }
        switch buffer[0] {
        case LaunchMessage.created:
            return .created(
                pid: number(1, Int32.self), startTime: number(5, UInt64.self), shimPid: number(13, Int32.self),
                shimStartTime: number(17, UInt64.self))
        case LaunchMessage.warning: return .warning(text(from: 1))
        case LaunchMessage.started: return .started
        case LaunchMessage.failed:
            return .failed(record: number(1, UInt32.self), errno: number(5, UInt32.self), step: text(from: 9))
        case LaunchMessage.terminal:
            guard let received else { throw SystemError("recvmsg", .badMessage, "terminal") }
            return .terminal(received)
        default: throw SystemError("recvmsg", .badMessage, "launch channel")
        }
    }

    /// Waits for the process that was spawned. Code as a shell has it.
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            if swc_errno() != EINTR { return 255 }
        }
        return swc_wifexited(status) != 0 ? swc_wexitstatus(status) : 128 + swc_wtermsig(status)
    }
}

extension LaunchError {
    /// What the shim reported, told by what the plan wanted at that place.
    init(_ plan: LaunchPlan, record: UInt32, errno: UInt32, step: String) {
        let error = Int32(errno & 0xFFFF)
        guard Int(record) < plan.operations.count else {
            self = .setup(step: step.isEmpty ? "swcompose-shim" : step, errno: error)
            return
        }
        switch plan.operations[Int(record)] {
        case .execute(let arguments, _):
            self = .exec(
                errno: error, path: arguments.first ?? "",
                interpreterMissing: errno & LaunchMessage.interpreterMissing != 0)
        case .bindSource(let path, _) where error == ENOENT:
            self = .invalid("invalid mount config for type \"bind\": bind source path does not exist: \(path)")
        case .bind(_, let target, _, _, _, _) where error == ENOTDIR,
            .file(let target, _, _, _, _, _) where error == ENOTDIR:
            self = .invalid(
                "mount \(target): not a directory: a directory cannot be mounted onto a file, or a file onto a "
                    + "directory; check that the path on the host is what the target is")
        case let operation: self = .setup(step: "\(operation.step) (\(step))", errno: error)
        }
    }

    init(_ error: any Error) {
        switch error {
        case let error as LaunchError: self = error
        case let error as SystemError:
            let step = error.subject.isEmpty ? error.call : "\(error.call) \(error.subject)"
            self = .setup(step: step, errno: error.errno.rawValue)
        case let error as PlanError: self = .invalid("\(error)")
        default: self = .caller(error)
        }
    }
}

extension OwnedDescriptor {
    /// A packet from a shim, and the descriptor that came with it or -1. Blocks.
    /// - Returns: its length; 0: the shim has hung up.
    func receivePacket(_ buffer: inout [UInt8], descriptor: inout Int32, subject: String) throws -> Int {
        try check("recvmsg", subject) {
            let count = swc_receive_fd(raw, &buffer, buffer.count, &descriptor, 0)
            // The shim went before it read all we said; what it said itself comes after this error.
            return count < 0 && swc_errno() == ECONNRESET
                ? swc_receive_fd(raw, &buffer, buffer.count, &descriptor, 0) : count
        }
    }

    /// The same file at a number that is not among those a spawned shim gets.
    func movedUp() throws -> OwnedDescriptor {
        OwnedDescriptor(try check("dup") { swc_fcntl_int(raw, F_DUPFD_CLOEXEC, 10) })
    }
}

private func withCString<R>(
    _ a: String, _ b: String, _ body: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<CChar>) -> R
) -> R {
    a.withCString { a in
        b.withCString { b in body(UnsafeMutablePointer(mutating: a), UnsafeMutablePointer(mutating: b)) }
    }
}
