public enum PortProtocol: String, Sendable, Hashable, Codable {
    case tcp, udp
}

/// A host port that is to be held.
public struct PortRequest: Sendable, Hashable {
    /// nil: all addresses of both families.
    public var hostIP: String?
    /// The first free one is taken; nil: any free one.
    public var ports: ClosedRange<UInt16>?
    public var transport: PortProtocol
    /// For whom, as it is to be named to others who want the port: `container shop-web-1`.
    public var owner: String

    public init(hostIP: String? = nil, ports: ClosedRange<UInt16>?, transport: PortProtocol, owner: String) {
        self.hostIP = hostIP
        self.ports = ports
        self.transport = transport
        self.owner = owner
    }
}

/// Where connections to a held port go.
public struct PortTarget: Sendable, Hashable {
    public var address: IPAddress
    public var port: UInt16

    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

/// Why a port cannot be held.
public enum PortError: Error, Sendable, Equatable, CustomStringConvertible {
    /// - Parameters:
    ///   - address: `0.0.0.0:80/tcp`; with a range of ports where all of these are taken.
    ///   - holder: `nginx (pid 123)` or `container shop-web-1`, where that could be found out.
    case taken(address: String, holder: String?)
    /// No interface of this host has the address.
    case notOurAddress(String)
    case badAddress(String)
    /// Ports below `net.ipv4.ip_unprivileged_port_start` need CAP_NET_BIND_SERVICE.
    case notPermitted(String)

    public var description: String {
        switch self {
        case .taken(let address, let holder):
            "port \(address) is already allocated" + (holder.map { ": held by \($0)" } ?? "")
        case .notOurAddress(let address):
            "cannot publish a port on \(address): no interface of this host has that address"
        case .badAddress(let text): "cannot publish a port on \"\(text)\": expected an IPv4 or IPv6 address"
        case .notPermitted(let address): "cannot publish port \(address): binding it needs CAP_NET_BIND_SERVICE"
        }
    }
}
