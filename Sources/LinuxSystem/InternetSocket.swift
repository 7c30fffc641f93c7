internal import CLinux
internal import SystemPackage

/// Making and binding sockets of IPv4 and IPv6, without the C structures of addresses: in a module that also imports
/// NIO, whose C module declares them too, it depends on the order of compilation whether their fields can be seen.
public enum InternetSocket {
    public enum Kind: Sendable {
        case stream, datagram
    }

    /// Closed on exec, and not blocking. An IPv6 socket takes no IPv4.
    /// - Throws: ``SystemError``; `EAFNOSUPPORT` where the host lacks the family.
    public static func make(_ kind: Kind, isIPv6: Bool, subject: String = "") throws -> OwnedDescriptor {
        let type = kind == .stream ? SOCK_STREAM : SOCK_DGRAM
        let flags = CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let descriptor = OwnedDescriptor(
            try check("socket", subject) { socket(isIPv6 ? AF_INET6 : AF_INET, flags, 0) })
        if isIPv6 { try enable(descriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY, subject) }
        return descriptor
    }

    /// Lets a TCP socket be bound beside connections that are not quite over; not beside a listener.
    public static func allowReuse(_ descriptor: OwnedDescriptor, subject: String = "") throws {
        try enable(descriptor, SOL_SOCKET, SO_REUSEADDR, subject)
    }

    /// - Parameters:
    ///   - address: 4 or 16 bytes in network order, as the socket's family has them.
    ///   - port: 0: any free one.
    /// - Throws: ``SystemError``; `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`.
    public static func bind(
        _ descriptor: OwnedDescriptor, address: [UInt8], port: UInt16, subject: String = ""
    ) throws {
        if address.count == 4 {
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &name.sin_addr) { $0.copyBytes(from: address) }
            try bind(descriptor, &name, MemoryLayout<sockaddr_in>.size, subject)
        } else {
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address) }
            try bind(descriptor, &name, MemoryLayout<sockaddr_in6>.size, subject)
        }
    }

    /// - Throws: ``SystemError``; `EADDRINUSE` where another has come first since the socket was bound.
    public static func listen(_ descriptor: OwnedDescriptor, backlog: Int32, subject: String = "") throws {
        try check("listen", subject) { startListening(descriptor.raw, backlog) }
    }

    /// The port a socket is bound to.
    public static func port(of descriptor: OwnedDescriptor) throws -> UInt16 {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return try withUnsafeMutableBytes(of: &storage) { bytes in
            let pointer = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            try check("getsockname") { getsockname(descriptor.raw, .init(__sockaddr__: pointer), &size) }
            // Both families have their port, in network byte order, behind the family.
            return UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
        }
    }

    private static func bind(
        _ descriptor: OwnedDescriptor, _ name: UnsafeRawPointer, _ size: Int, _ subject: String
    ) throws {
        let pointer = name.assumingMemoryBound(to: sockaddr.self)
        try check("bind", subject) { bindSocket(descriptor.raw, pointer, size) }
    }

    private static func enable(_ descriptor: OwnedDescriptor, _ level: CInt, _ option: CInt, _ subject: String) throws {
        var on: CInt = 1
        try check("setsockopt", subject) {
            setsockopt(descriptor.raw, level, option, &on, socklen_t(MemoryLayout<CInt>.size))
        }
    }
}

// Within the type its own methods of these names hide the system calls.
private func startListening(_ fd: CInt, _ backlog: Int32) -> CInt { listen(fd, backlog) }
private func bindSocket(_ fd: CInt, _ name: UnsafePointer<sockaddr>, _ size: Int) -> CInt {
    bind(fd, .init(__sockaddr__: name), socklen_t(size))
}
