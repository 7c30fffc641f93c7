internal import CLinux
public import LinuxSystem
public import Orchestration
internal import Synchronization
internal import SystemPackage

/// A command's side of the control socket.
public struct SupervisorClient: Sendable {
    private let project: String
    private let paths: HostPaths
    private let startIfNeeded: Bool
    private let socket: OwnedDescriptor

    /// Connects to the project's supervisor. Where there is none, starts one if `startIfNeeded`, else returns nil.
    /// - Throws: ``SystemError``, or ``Failure`` where a supervisor could not be started.
    public static func connect(
        project: String, paths: HostPaths, startIfNeeded: Bool
    ) async throws -> SupervisorClient? {
        let socket = try await BlockingPool.shared.run {
            try connectSocket(project: project, paths: paths, startIfNeeded: startIfNeeded)
        }
        return socket.map {
            SupervisorClient(project: project, paths: paths, startIfNeeded: startIfNeeded, socket: $0)
        }
    }

    /// Sees to it that running containers have their supervisor back, where both it and what would have started it
    /// again were killed. Does not wait for it.
    /// - Throws: ``SystemError``, or `LaunchError` where the shim is missing.
    public static func wake(project: String, paths: HostPaths) throws {
        try SupervisorProcess.wake(project: project, paths: paths)
    }

    /// Sends the one request of this connection. The stream ends after the final message; abandoning it closes the
    /// connection, which withdraws the request.
    public func send(_ request: Request) -> AsyncThrowingStream<Message, any Error> {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: Message.self)
        let connection = Connection(socket)
        continuation.onTermination = { _ in connection.shutDown() }
        let thread = BlockingPool(limit: 1)
        Task {
            do {
                try await thread.run {
                    try exchange(request, over: connection) { continuation.yield($0) }
                }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        return stream
    }

    /// A supervisor that was just leaving may close the connection before it answers; then another is started.
    private func exchange(
        _ request: Request, over connection: Connection, deliver: (Message) -> Void
    ) throws {
        let line = try ControlProtocol.encode(request)
        // `down` is over when the supervisor has gone too.
        func deliverInTime(_ message: Message) {
            if case .down = request, case .done(let left) = message, left.isEmpty { connection.waitForPeer(seconds: 1) }
            deliver(message)
        }
        for _ in 0..<5 {
            do {
                if try connection.exchange(line, deliver: deliverInTime) { return }
            } catch let error as SystemError where error.errno == .brokenPipe || error.errno == .connectionReset {}
            guard startIfNeeded,
                let socket = try Self.connectSocket(project: project, paths: paths, startIfNeeded: true)
            else { break }
            guard connection.replace(with: socket) else { return }
        }
        throw Failure("the supervisor of project \"\(project)\" went away before it answered")
    }

    private static func connectSocket(
        project: String, paths: HostPaths, startIfNeeded: Bool
    ) throws -> OwnedDescriptor? {
        let path = paths.supervisorSocket(project)
        // Another's supervisor may still be adopting a project of many containers.
        let deadline = Waiting.now() + 30
        var pause = 0.002
        repeat {
            if let socket = try UnixSocket.connect(path) { return socket }
            guard startIfNeeded else { return nil }
            if try SupervisorProcess.start(project: project, paths: paths) { continue }
            Waiting.sleep(seconds: pause)
            pause = min(pause * 1.5, 0.1)
        } while Waiting.now() < deadline
        throw Failure("the supervisor of project \"\(project)\" does not answer on \(path)")
    }
}

/// The connected socket, which may be replaced by a new one until the first answer.
private final class Connection: Sendable {
    private let state: Mutex<(socket: OwnedDescriptor, closed: Bool)>

    init(_ socket: OwnedDescriptor) { state = Mutex((socket, false)) }

    func shutDown() {
        state.withLock { state in
            state.closed = true
            _ = shutdown(state.socket.raw, CInt(SHUT_RDWR))
        }
    }

    /// Ends the conversation and waits until the process at the other end is gone.
    func waitForPeer(seconds: Double) {
        let socket = state.withLock { $0.socket }
        // struct ucred: pid, uid, gid.
        var peer: [Int32] = [0, 0, 0]
        var size = socklen_t(12)
        guard getsockopt(socket.raw, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 else { return }
        let process = swc_pidfd_open(peer[0], 0)
        guard process >= 0 else { return }
        let owned = OwnedDescriptor(process)
        _ = shutdown(socket.raw, CInt(SHUT_RDWR))
        var waiting = pollfd(fd: owned.raw, events: Int16(POLLIN), revents: 0)
        withExtendedLifetime(owned) { _ = poll(&waiting, 1, CInt(seconds * 1000)) }
    }

    /// False where the caller has gone meanwhile.
    func replace(with socket: OwnedDescriptor) -> Bool {
        state.withLock { state in
            if !state.closed { state.socket = socket }
            return !state.closed
        }
    }

    /// - Returns: false where the other side closed without any answer.
    func exchange(_ line: [UInt8], deliver: (Message) -> Void) throws -> Bool {
        let socket = state.withLock { $0.socket }
        var sent = 0
        while sent < line.count {
            // A supervisor that has gone is an error here, not a signal.
            sent += try line.withUnsafeBytes { bytes in
                try check("send", "supervisor.sock") {
                    send(socket.raw, bytes.baseAddress! + sent, bytes.count - sent, CInt(MSG_NOSIGNAL))
                }
            }
        }
        var buffer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        var answered = false
        while true {
            let count = try check("recv", "supervisor.sock") { recv(socket.raw, &chunk, chunk.count, 0) }
            if count == 0 {
                if state.withLock({ $0.closed }) { return true }
                guard answered else { return false }
                throw Failure("the supervisor went away in the middle of the request")
            }
            buffer.append(contentsOf: chunk[0..<count])
            var start = 0
            while let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
                let message = try ControlProtocol.decode(Message.self, from: buffer[start..<end])
                answered = true
                deliver(message)
                if message.isFinal { return true }
                start = end + 1
            }
            buffer.removeFirst(start)
        }
    }
}
