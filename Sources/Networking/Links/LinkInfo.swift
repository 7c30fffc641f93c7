internal import CLinux
internal import CNetlink

/// A network interface as the kernel lists it.
struct LinkInfo: Sendable, Equatable {
    var index: UInt32
    var name: String
    var isUp: Bool
    var mtu: Int
    var mac: MACAddress?
    /// Index of the bridge it is a port of.
    var master: UInt32?
    /// "bridge", "veth"; nil for hardware.
    var kind: String?

    init?(_ reply: NetlinkReply) {
        guard reply.type == Int(RTM_NEWLINK), reply.payload.count >= 16 else { return nil }
        let attributes = reply.attributes(after: 16)
        guard let name = attributes.string(IFLA_IFNAME) else { return nil }
        self.name = name
        index = reply.payload.dropFirst(4).loadInteger(UInt32.self)
        isUp = reply.payload.dropFirst(8).loadInteger(UInt32.self) & UInt32(IFF_UP) != 0
        mtu = Int(attributes.integer(IFLA_MTU, UInt32.self) ?? 0)
        mac = attributes[IFLA_ADDRESS].flatMap { MACAddress(bytes: $0) }
        master = attributes.integer(IFLA_MASTER)
        kind = attributes.nested(IFLA_LINKINFO)?.string(IFLA_INFO_KIND)
    }
}

/// An address of an interface.
struct InterfaceAddress: Sendable, Equatable {
    var interfaceIndex: UInt32
    var address: IPAddress
    var prefixLength: Int

    init?(_ reply: NetlinkReply) {
        guard reply.type == Int(RTM_NEWADDR), reply.payload.count >= 8 else { return nil }
        let attributes = reply.attributes(after: 8)
        // On point-to-point links IFA_ADDRESS is the other end.
        guard let bytes = attributes[IFA_LOCAL] ?? attributes[IFA_ADDRESS], let address = IPAddress(bytes: bytes) else {
            return nil
        }
        self.address = address
        prefixLength = Int(reply.payload[reply.payload.startIndex + 1])
        interfaceIndex = reply.payload.dropFirst(4).loadInteger(UInt32.self)
    }
}

/// A unicast route.
struct RouteInfo: Sendable, Equatable {
    var destination: IPPrefix
    /// Interface it leaves by; nil for routes that go nowhere or have several next hops.
    var interfaceIndex: UInt32?
    var metric: UInt32

    init?(_ reply: NetlinkReply) {
        guard reply.type == Int(RTM_NEWROUTE), reply.payload.count >= 12 else { return nil }
        let header = Array(reply.payload.prefix(12))
        let attributes = reply.attributes(after: 12)
        let table = attributes.integer(Int(RTA_TABLE.rawValue), UInt32.self) ?? UInt32(header[4])
        // Blackholes and the like occupy addresses too; what the kernel keeps for broadcast and local addresses does not.
        guard let family = IPAddress.Family(rawValue: header[0]), table != UInt32(RT_TABLE_LOCAL.rawValue),
            ![RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST, RTN_MULTICAST].contains(Int(header[7]))
        else { return nil }
        let address = attributes[Int(RTA_DST.rawValue)].flatMap { IPAddress(bytes: $0) } ?? IPAddress(family, 0)
        destination = IPPrefix(address, length: Int(header[1]))
        interfaceIndex = attributes.integer(Int(RTA_OIF.rawValue))
        metric = attributes.integer(Int(RTA_PRIORITY.rawValue)) ?? 0
    }
}
