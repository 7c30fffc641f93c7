/// A network as the user wants it.
public struct NetworkRequest: Sendable, Equatable {
    /// Unique on the host.
    public var name: String
    public var labels: [String: String]
    /// At most one per address family. Empty: a free pool is picked.
    public var subnets: [SubnetRequest]
    /// Without a way out of the host.
    public var isInternal: Bool
    public var enableIPv6: Bool
    /// nil: a name derived from the network's.
    public var bridgeName: String?
    /// nil: that of the host's uplink.
    public var mtu: Int?
    /// Driver options: `com.docker.network.driver.mtu`, `com.docker.network.bridge.name`. Others are an error, unless they
    /// ask for what is done anyway.
    public var options: [String: String]

    public init(
        name: String, labels: [String: String] = [:], subnets: [SubnetRequest] = [], isInternal: Bool = false,
        enableIPv6: Bool = false, bridgeName: String? = nil, mtu: Int? = nil, options: [String: String] = [:]
    ) {
        self.name = name
        self.labels = labels
        self.subnets = subnets
        self.isInternal = isInternal
        self.enableIPv6 = enableIPv6
        self.bridgeName = bridgeName
        self.mtu = mtu
        self.options = options
    }
}

/// One entry of `ipam.config`.
public struct SubnetRequest: Sendable, Equatable, Codable {
    /// CIDR.
    public var subnet: String
    /// nil: the subnet's first address.
    public var gateway: String?
    /// Part of the subnet, in CIDR, from which addresses are given.
    public var ipRange: String?
    /// Addresses never given, by what has them.
    public var auxiliaryAddresses: [String: String]

    public init(
        subnet: String, gateway: String? = nil, ipRange: String? = nil, auxiliaryAddresses: [String: String] = [:]
    ) {
        self.subnet = subnet
        self.gateway = gateway
        self.ipRange = ipRange
        self.auxiliaryAddresses = auxiliaryAddresses
    }
}

/// A network that exists: what `network.json` holds.
public struct NetworkRecord: Codable, Sendable, Equatable {
    public struct Subnet: Codable, Sendable, Equatable {
        public var cidr: IPPrefix
        /// The bridge's own address.
        public var gateway: IPAddress
        public var ipRange: IPPrefix?
        public var auxiliaryAddresses: [String: IPAddress]
    }

    /// 64 hexadecimal digits, made anew with each network.
    public var id: String
    public var name: String
    /// Interface on the host.
    public var bridge: String
    public var labels: [String: String]
    public var isInternal: Bool
    public var enableIPv6: Bool
    public var subnets: [Subnet]
    public var mtu: Int
    public var options: [String: String]
    /// Seconds since 1970.
    public var createdAt: Double
    /// What was asked for, to tell whether a later request is the same.
    var requested: Requested

    struct Requested: Codable, Sendable, Equatable {
        var subnets: [SubnetRequest]
        var bridgeName: String?
        var mtu: Int?
    }

    public func subnet(_ family: IPAddress.Family) -> Subnet? { subnets.first { $0.cidr.family == family } }
}

/// A container to be put on networks, before its process has started.
public struct AttachRequest: Sendable {
    public var containerID: String
    /// A process in the container's network namespace.
    public var pid: Int32
    public var interfaces: [InterfaceRequest]
    /// Whether names are to be answered at 127.0.0.11.
    public var dns: Bool

    public init(containerID: String, pid: Int32, interfaces: [InterfaceRequest], dns: Bool) {
        self.containerID = containerID
        self.pid = pid
        self.interfaces = interfaces
        self.dns = dns
    }
}

public struct InterfaceRequest: Sendable, Equatable {
    public var network: String
    /// Static addresses; nil: any free one.
    public var ipv4: String?
    public var ipv6: String?
    /// nil: derived from container and network.
    public var mac: String?
    /// nil: eth0, eth1… in order.
    public var name: String?
    /// The default route goes by the network with the highest; the first where several have that.
    public var gatewayPriority: Double

    public init(
        network: String, ipv4: String? = nil, ipv6: String? = nil, mac: String? = nil, name: String? = nil,
        gatewayPriority: Double = 0
    ) {
        self.network = network
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.mac = mac
        self.name = name
        self.gatewayPriority = gatewayPriority
    }
}

public struct AttachResult: Sendable {
    public var interfaces: [AttachedInterface]
    /// Where asked for. Must be served or closed.
    public var dns: DNSSockets?
}

public struct AttachedInterface: Sendable, Equatable, Codable {
    public var network: String
    /// In the container.
    public var name: String
    public var ipv4: IPAddress?
    public var ipv4PrefixLength: Int?
    public var ipv4Gateway: IPAddress?
    public var ipv6: IPAddress?
    public var ipv6PrefixLength: Int?
    public var ipv6Gateway: IPAddress?
    public var mac: MACAddress
}
