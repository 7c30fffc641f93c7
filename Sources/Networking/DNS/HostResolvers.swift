internal import CLinux
internal import LinuxSystem
internal import NIOCore
internal import Synchronization

/// The servers that the host itself asks, read again when the file has changed.
final class HostResolvers: Sendable {
    private struct State {
        var servers: [SocketAddress] = []
        /// Of the file as read last: device, inode, size and time of change.
        var identity: [Int]?
        var nextCheck = NIODeadline.uptimeNanoseconds(0)
    }
    private let path: String
    private let port: Int
    private let state = Mutex(State())

    init(path: String, port: Int) {
        self.path = path
        self.port = port
    }

    /// Looks at the file at most once a second. That is one `stat` of a small local file, cheap enough for an event
    /// loop.
    func current() -> [SocketAddress] {
        state.withLock { state in
            guard NIODeadline.now() >= state.nextCheck else { return state.servers }
            state.nextCheck = .now() + .seconds(1)
            var info = stat()
            let identity: [Int] =
                stat(path, &info) == 0
                ? [
                    Int(bitPattern: UInt(info.st_dev)), Int(bitPattern: UInt(info.st_ino)), Int(info.st_size),
                    info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                ] : []
            if identity != state.identity {
                state.identity = identity
                let text = (try? Files.readString(path)) ?? ""
                state.servers = Self.servers(ResolverConfiguration(parsing: text), port: port)
            }
            return state.servers
        }
    }

    /// The first three, as glibc takes them; the host itself where there is none, again as glibc does. 127.0.0.11
    /// is never asked: on a host that is itself a container it may be ourselves.
    static func servers(_ configuration: ResolverConfiguration, port: Int) -> [SocketAddress] {
        let named = configuration.nameservers.isEmpty ? ["127.0.0.1"] : configuration.nameservers
        return Array(named.filter { $0 != "127.0.0.11" }.compactMap { serverAddress($0, port: port) }.prefix(3))
    }

    /// nil where `text` is no address. A zone (`fe80::1%eth0`) is looked up among the host's interfaces.
    static func serverAddress(_ text: String, port: Int) -> SocketAddress? {
        let parts = text.split(separator: "%", maxSplits: 1)
        guard let first = parts.first, let address = IPAddress(first),
            let socketAddress = try? SocketAddress(ipAddress: address.description, port: port)
        else { return nil }
        guard parts.count == 2, case .v6(let zoned) = socketAddress else { return socketAddress }
        let zone = if_nametoindex(String(parts[1]))
        var raw = zoned.address
        // sin6_scope_id, which is behind family, port, flow and address. It goes by no name here: the type is seen
        // through NIO's C module.
        withUnsafeMutableBytes(of: &raw) { $0.storeBytes(of: zone, toByteOffset: 24, as: UInt32.self) }
        return zone == 0 ? nil : SocketAddress(raw, host: "")
    }
}
