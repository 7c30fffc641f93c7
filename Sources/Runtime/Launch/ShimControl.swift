internal import CLinux
internal import LaunchPlan
internal import LinuxSystem

/// A connection to a container's shim: its live output, its stdin, its terminal's size. One thread reads, others may
/// send. Who does not read fast enough is disconnected by the shim; the log has everything all the same.
public final class ShimControl: Sendable {
    /// What a shim sends.
    public enum Event: Sendable, Equatable {
        /// Of the terminal, where there is one.
        case stdout([UInt8])
        case stderr([UInt8])
        case pong
        /// The container has ended; nothing follows.
        case exited(code: Int32)
        /// The shim has hung up, or has gone.
        case disconnected
    }

    private let socket: OwnedDescriptor
    /// For poll: readable when `next()` would not block.
    public var descriptor: Int32 { socket.raw }

    /// - Throws: ``SystemError`` where there is no shim to talk to.
    public init(runDirectory: String) throws {
        let directory = try OwnedDescriptor.open(runDirectory, O_PATH | O_DIRECTORY)
        socket = OwnedDescriptor(
            try check("socket") {
                CLinux.socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0)
            })
        // Through the directory's descriptor: a socket's path is limited to 107 bytes.
        var address = sockaddr_un()
        try check("shim.sock") { swc_unix_address(&address, "/proc/self/fd/\(directory.raw)/shim.sock") }
        let raw = socket.raw
        try check("connect", "\(runDirectory)/shim.sock") { swc_connect_unix(raw, &address) }
    }

    /// From now on output arrives.
    public func attach() throws { try send([ShimMessage.attach]) }

    public func resize(_ size: TerminalSize) throws {
        let fields = [size.rows, size.columns].flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        try send([ShimMessage.resize] + fields)
    }

    /// Blocks while the program takes its input slowly.
    public func send(stdin bytes: some Collection<UInt8>) throws {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let part = rest.prefix(ShimMessage.maximumSize - 1)
            try send([ShimMessage.stdin] + part)
            rest = rest.dropFirst(part.count)
        }
    }

    public func closeStdin() throws { try send([ShimMessage.closeStdin]) }
    public func ping() throws { try send([ShimMessage.ping]) }

    /// Blocks until something comes.
    public func next() throws -> Event {
        var buffer = [UInt8](repeating: 0, count: ShimMessage.maximumSize)
        var none: Int32 = -1
        while true {
            let count = try socket.receivePacket(&buffer, descriptor: &none, subject: "shim.sock")
            guard count > 0 else { return .disconnected }
            switch buffer[0] {
            case ShimMessage.stdout: return .stdout(Array(buffer[1..<count]))
            case ShimMessage.stderr: return .stderr(Array(buffer[1..<count]))
            case ShimMessage.ping: return .pong
            case ShimMessage.exited where count == 5:
                return .exited(
                    code: buffer.withUnsafeBytes {
                        Int32(littleEndian: $0.loadUnaligned(fromByteOffset: 1, as: Int32.self))
                    })
            default: continue
            }
        }
    }

    private func send(_ packet: [UInt8]) throws {
        try check("send", "shim.sock") { swc_send_fd(socket.raw, packet, packet.count, -1, 0) }
    }
}
