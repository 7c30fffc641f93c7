internal import CLinux
internal import LinuxSystem
internal import NIOCore
internal import SystemPackage

/// A bound socket and what it is bound to.
struct PortSocket: Sendable {
    let descriptor: OwnedDescriptor
    let address: IPAddress
    let port: UInt16

    static let any4 = IPAddress(.v4, 0)
    static let any6 = IPAddress(.v6, 0)

    /// Binds, and listens where the transport does.
    /// - Parameter port: 0: any free one.
    /// - Throws: ``SystemError`` of `socket`, `bind` or `listen`.
    init(_ transport: PortProtocol, _ address: IPAddress, _ port: UInt16) throws {
        let subject = Self.describe(transport, address, "\(port)")
        let kind = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let flags = CInt(kind.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let raw = try check("socket", subject) { socket(address.family == .v4 ? AF_INET : AF_INET6, flags, 0) }
        descriptor = OwnedDescriptor(raw)
        if address.family == .v6 { try Self.enable(raw, CInt(IPPROTO_IPV6), IPV6_V6ONLY, subject) }
        // Lets TCP bind beside connections in TIME_WAIT, not beside a listener. UDP would share the port with anyone.
        if transport == .tcp { try Self.enable(raw, SOL_SOCKET, SO_REUSEADDR, subject) }
        let wanted = try SocketAddress(ipAddress: address.description, port: Int(port))
        _ = try wanted.withSockAddr { pointer, size in
            try check("bind", subject) { bind(raw, __CONST_SOCKADDR_ARG(__sockaddr__: pointer), socklen_t(size)) }
        }
        if transport == .tcp { try check("listen", subject) { listen(raw, 1024) } }
        self.address = address
        self.port = port == 0 ? try Self.boundPort(raw, subject) : port
    }

    static func describe(_ transport: PortProtocol, _ address: IPAddress, _ port: String) -> String {
        let host = address.family == .v4 ? address.description : "[\(address)]"
        return "\(host):\(port)/\(transport.rawValue)"
    }

    private static func enable(_ raw: CInt, _ level: CInt, _ option: CInt, _ subject: String) throws {
        var on: CInt = 1
        try check("setsockopt", subject) { setsockopt(raw, level, option, &on, socklen_t(MemoryLayout<CInt>.size)) }
    }

    private static func boundPort(_ raw: CInt, _ subject: String) throws -> UInt16 {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return try withUnsafeMutableBytes(of: &storage) { bytes in
            let pointer = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            try check("getsockname", subject) { getsockname(raw, __SOCKADDR_ARG(__sockaddr__: pointer), &size) }
            // Both families have their port, in network byte order, behind the family.
            return UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
        }
    }
}

extension PortSocket {
    /// The sockets that a request stands for: one, or one of each family with the same port.
    /// - Throws: ``PortError``, or ``SystemError``.
    static func open(_ request: PortRequest) throws -> [PortSocket] {
        let addresses = try request.addresses()
        guard let ports = request.ports else { return try openAnyPort(request.transport, addresses) }
        for port in ports.dropLast() {
            do { return try open(request.transport, addresses, port) } catch PortError.taken { continue }
        }
        do { return try open(request.transport, addresses, ports.upperBound) } catch PortError.taken
            where ports.count > 1
        {
            let range = "\(ports.lowerBound)-\(ports.upperBound)"
            throw PortError.taken(address: describe(request.transport, addresses[0], range), holder: nil)
        }
    }

    /// The kernel picks for one family, and what it picked may be taken in the other: then it picks again.
    private static func openAnyPort(_ transport: PortProtocol, _ addresses: [IPAddress]) throws -> [PortSocket] {
        var attempts = 0
        while true {
            let chosen = try PortSocket(transport, checked: addresses[0], 0)
            do { return try [chosen] + openBeside(chosen, transport, addresses) } catch PortError.taken
                where attempts < 64
            {
                attempts += 1
            }
        }
    }

    private static func open(
        _ transport: PortProtocol, _ addresses: [IPAddress], _ port: UInt16
    ) throws -> [PortSocket] {
        let first = try PortSocket(transport, checked: addresses[0], port)
        return try [first] + openBeside(first, transport, addresses)
    }

    /// The rest of several addresses. A host without IPv6 is no reason not to publish on IPv4, where both are meant.
    private static func openBeside(
        _ first: PortSocket, _ transport: PortProtocol, _ addresses: [IPAddress]
    ) throws -> [PortSocket] {
        try addresses.dropFirst().compactMap { address in
            do { return try PortSocket(transport, checked: address, first.port) } catch PortError.notOurAddress {
                return nil
            }
        }
    }

    private init(_ transport: PortProtocol, checked address: IPAddress, _ port: UInt16) throws {
        do { try self.init(transport, address, port) } catch let error as SystemError {
            let subject = Self.describe(transport, address, "\(port)")
            switch error.errno {
            case .addressInUse: throw PortError.taken(address: subject, holder: nil)
            case .addressFamilyNotSupported, .addressNotAvailable:
                throw PortError.notOurAddress(address.description)
            case .permissionDenied: throw PortError.notPermitted(subject)
            default: throw error
            }
        }
    }
}

extension PortRequest {
    /// All addresses to bind; the first must succeed.
    /// - Throws: ``PortError/badAddress(_:)``.
    func addresses() throws(PortError) -> [IPAddress] {
        guard let hostIP, !hostIP.isEmpty else { return [PortSocket.any4, PortSocket.any6] }
        let isBracketed = hostIP.hasPrefix("[") && hostIP.hasSuffix("]")
        guard let address = IPAddress(isBracketed ? hostIP.dropFirst().dropLast() : hostIP[...]) else {
            throw .badAddress(hostIP)
        }
        return [address]
    }
}
