/// What a project's packet filter is to do.
public struct FirewallState: Sendable, Equatable {
    public var bridges: [BridgeRule]
    public var published: [PublishedPort]

    public init(bridges: [BridgeRule] = [], published: [PublishedPort] = []) {
        self.bridges = bridges
        self.published = published
    }
}

/// A network's bridge: kept apart from all others.
public struct BridgeRule: Sendable, Equatable, Hashable {
    /// The interface's name.
    public var name: String
    public var subnets: [IPPrefix]
    /// No way out of the host, nor into it.
    public var isInternal: Bool

    public init(name: String, subnets: [IPPrefix], isInternal: Bool) {
        self.name = name
        self.subnets = subnets
        self.isInternal = isInternal
    }

    public init(_ record: NetworkRecord) {
        self.init(name: record.bridge, subnets: record.subnets.map(\.cidr), isInternal: record.isInternal)
    }
}

/// A port of the host that leads to a container. An entry whose host address and container address are of different
/// families is none of the kernel's business (no translation leads from one to the other): it is passed over here and
/// left to whoever holds the port.
public struct PublishedPort: Sendable, Equatable, Hashable {
    public enum Transport: UInt8, Sendable, Codable {
        case tcp = 6
        case udp = 17
        case sctp = 132
    }

    /// nil, `0.0.0.0`, `::`: any of the host's addresses.
    public var hostIP: IPAddress?
    public var port: UInt16
    public var transport: Transport
    public var containerIP: IPAddress
    public var containerPort: UInt16

    public init(hostIP: IPAddress?, port: UInt16, transport: Transport, containerIP: IPAddress, containerPort: UInt16) {
        self.hostIP = hostIP
        self.port = port
        self.transport = transport
        self.containerIP = containerIP
        self.containerPort = containerPort
    }

    /// The map it is in, and its element there. nil where the families differ.
    var element: (map: String, element: NFTElement)? {
        if let hostIP, hostIP.family != containerIP.family { return nil }
        let digit = containerIP.family == .v4 ? "4" : "6"
        let data = NFTElement.join(containerIP.bytes, NFTElement.port(containerPort))
        guard let hostIP, !hostIP.isUnspecified else {
            return (
                "pub\(digit)any",
                NFTElement(key: NFTElement.join([transport.rawValue], NFTElement.port(port)), data: .value(data))
            )
        }
        return (
            "pub\(digit)addr",
            NFTElement(
                key: NFTElement.join(hostIP.bytes, [transport.rawValue], NFTElement.port(port)), data: .value(data))
        )
    }
}
