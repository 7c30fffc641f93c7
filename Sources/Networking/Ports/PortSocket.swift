internal import LinuxSystem
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
        let isIPv6 = address.family == .v6
        descriptor = try InternetSocket.make(
            transport == .tcp ? .stream : .datagram, isIPv6: isIPv6, subject: subject)
        // UDP would share the port with anyone.
        if transport == .tcp { try InternetSocket.allowReuse(descriptor, subject: subject) }
        try InternetSocket.bind(descriptor, address: address.bytes, port: port, subject: subject)
        if transport == .tcp { try InternetSocket.listen(descriptor, backlog: 1024, subject: subject) }
        self.address = address
        self.port = port == 0 ? try InternetSocket.port(of: descriptor) : port
    }

    static func describe(_ transport: PortProtocol, _ address: IPAddress, _ port: String) -> String {
        let host = address.family == .v4 ? address.description : "[\(address)]"
        return "\(host):\(port)/\(transport.rawValue)"
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
