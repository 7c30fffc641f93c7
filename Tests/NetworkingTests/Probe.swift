import CLinux
import LinuxSystem
import Testing

@testable import Networking

/// Sockets in any network namespace, with short waits.
enum Probe {
    enum Transport { case tcp, udp }

    /// Milliseconds for what is to come about: time for neighbours to be found and lost packets to be sent again.
    static let patience: Int32 = 5000

    static func withAddress<T>(
        _ address: IPAddress, _ port: UInt16, scope: UInt32 = 0, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T
    ) -> T {
        var storage = sockaddr_storage()
        let length: Int
        switch address.family {
        case .v4:
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &name.sin_addr) { $0.copyBytes(from: address.bytes) }
            withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: withUnsafeBytes(of: name) { Array($0) }) }
            length = MemoryLayout<sockaddr_in>.size
        case .v6:
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.bytes) }
            withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: withUnsafeBytes(of: name) { Array($0) }) }
            length = MemoryLayout<sockaddr_in6>.size
        }
        return withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
        }
    }

    private static func make(_ transport: Transport, _ family: IPAddress.Family) throws -> OwnedDescriptor {
        let type = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let flags = CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        return OwnedDescriptor(try check("socket") { socket(CInt(family.rawValue), flags, 0) })
    }

    /// A server on all addresses of the namespace's family.
    static func server(
        in namespace: NetworkNamespace, _ port: UInt16, _ transport: Transport = .tcp,
        on address: IPAddress = IPAddress("0.0.0.0")!
    ) throws -> OwnedDescriptor {
        try namespace.run {
            let server = try make(transport, address.family)
            var on: CInt = 1
            setsockopt(server.raw, SOL_SOCKET, SO_REUSEADDR, &on, 4)
            try check("bind") { withAddress(address, port) { bind(server.raw, .init(__sockaddr__: $0), $1) } }
            if transport == .tcp { try check("listen") { listen(server.raw, 16) } }
            return server
        }
    }

    static func client(
        in namespace: NetworkNamespace, _ transport: Transport = .tcp, to address: IPAddress, _ port: UInt16,
        from source: UInt16 = 0
    ) throws -> OwnedDescriptor {
        try namespace.run {
            let client = try make(transport, address.family)
            if source != 0 {
                try check("bind") {
                    withAddress(IPAddress(address.family, 0), source) { bind(client.raw, .init(__sockaddr__: $0), $1) }
                }
            }
            _ = withAddress(address, port) { connect(client.raw, .init(__sockaddr__: $0), $1) }
            return client
        }
    }

    static func ready(_ descriptor: OwnedDescriptor, _ events: Int32, _ milliseconds: Int32) -> Bool {
        var request = pollfd(fd: descriptor.raw, events: Int16(events), revents: 0)
        return poll(&request, 1, milliseconds) > 0 && Int32(request.revents) & events != 0
    }

    /// Whether a connection comes about; with the address the server sees it from, if the server is the one given.
    static func reaches(
        _ server: OwnedDescriptor, from namespace: NetworkNamespace, _ text: String, _ port: UInt16, wait: Int32 = 250
    ) throws -> IPAddress? {
        let client = try client(in: namespace, to: IPAddress(text)!, port)
        guard ready(server, POLLIN, wait) else { return nil }
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let accepted = withUnsafeMutablePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                accept(server.raw, .init(__sockaddr__: $0), &length)
            }
        }
        guard accepted >= 0 else { return nil }
        // Both sides must think so, or the answers go astray.
        defer { close(accepted) }
        guard ready(client, POLLOUT, wait) else { return nil }
        return address(peer)
    }

    static func address(_ storage: sockaddr_storage) -> IPAddress? {
        withUnsafeBytes(of: storage) { bytes in
            storage.ss_family == sa_family_t(AF_INET) ? IPAddress(bytes: bytes[4..<8]) : IPAddress(bytes: bytes[8..<24])
        }
    }

    /// Sends a datagram and has the server answer it. The address the server saw, or nil where either got lost.
    static func exchanges(_ server: OwnedDescriptor, _ client: OwnedDescriptor, wait: Int32 = 250) throws -> IPAddress?
    {
        var byte: UInt8 = 7
        guard send(client.raw, &byte, 1, Int32(MSG_NOSIGNAL)) == 1, ready(server, POLLIN, wait) else { return nil }
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let ok = withUnsafeMutablePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                recvfrom(server.raw, &byte, 1, 0, .init(__sockaddr__: name), &length) == 1
                    && sendto(server.raw, &byte, 1, 0, .init(__sockaddr__: name), length) == 1
            }
        }
        guard ok, ready(client, POLLIN, wait), recv(client.raw, &byte, 1, 0) == 1 else { return nil }
        return address(peer)
    }
}
