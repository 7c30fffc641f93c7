internal import CLinux
internal import CNetlink
internal import LinuxSystem
internal import SystemPackage

/// Route netlink of one network namespace: links, addresses, routes.
final class RouteSocket {
    let socket: NetlinkSocket

    /// Opened in the calling thread's network namespace.
    init() throws(NetlinkError) { socket = try NetlinkSocket(NETLINK_ROUTE) }

    // MARK: queries

    func links() throws -> [LinkInfo] {
        let message = NetlinkMessage("list links", type: RTM_GETLINK, flags: 0)
        message.append(header: ifinfomsg())
        return try socket.dump(message).compactMap(LinkInfo.init)
    }

    /// nil where there is no such link.
    func link(named name: String) throws -> LinkInfo? {
        let message = NetlinkMessage("look for link \(name)", type: RTM_GETLINK, flags: 0)
        message.append(header: ifinfomsg())
        message.put(IFLA_IFNAME, name)
        do { return LinkInfo(try socket.query(message)) } catch {
            if error.errno == Errno(rawValue: ENODEV) { return nil }
            throw error
        }
    }

    func addresses() throws -> [InterfaceAddress] {
        let message = NetlinkMessage("list addresses", type: RTM_GETADDR, flags: 0)
        message.append(header: ifaddrmsg())
        return try socket.dump(message).compactMap(InterfaceAddress.init)
    }

    /// Unicast routes of all tables but the one of local addresses.
    func routes() throws -> [RouteInfo] {
        let message = NetlinkMessage("list routes", type: RTM_GETROUTE, flags: 0)
        message.append(header: rtmsg())
        return try socket.dump(message).compactMap(RouteInfo.init)
    }
}

/// Messages of route netlink that change something. Sent with ``NetlinkSocket/send(_:ignoring:)``, many at a time.
enum RouteMessage {
    private static func link(
        _ operation: String, type: Int = RTM_NEWLINK, flags: CInt = 0, up: Bool = false, index: UInt32 = 0
    )
        -> NetlinkMessage
    {
        let message = NetlinkMessage(operation, type: type, flags: Int(flags))
        var header = ifinfomsg()
        header.ifi_index = Int32(bitPattern: index)
        if up {
            header.ifi_flags = UInt32(IFF_UP)
            header.ifi_change = UInt32(IFF_UP)
        }
        message.append(header: header)
        return message
    }

    /// A bridge without spanning tree, that floods multicast: group learning delays IPv6's neighbour discovery. Its
    /// MAC address is given, because one taken from its ports would change as these come and go.
    static func createBridge(_ name: String, mac: MACAddress) -> NetlinkMessage {
        let message = link("create bridge \(name)", flags: NLM_F_CREATE | NLM_F_EXCL)
        message.put(IFLA_IFNAME, name)
        message.put(IFLA_ADDRESS, bytes: mac.bytes)
        message.nest(IFLA_LINKINFO) {
            message.put(IFLA_INFO_KIND, "bridge")
            message.nest(IFLA_INFO_DATA) {
                message.put(IFLA_BR_MCAST_SNOOPING, UInt8(0))
            }
        }
        return message
    }

    /// A veth pair: `name` here, up and a port of `bridge`; its peer at once in another namespace, still down.
    static func createVeth(_ name: String, bridge: UInt32, mtu: Int, peer: VethPeer) -> NetlinkMessage {
        let message = link(
            "create interface \(name) for \(peer.name)", flags: NLM_F_CREATE | NLM_F_EXCL, up: true)
        message.put(IFLA_IFNAME, name)
        message.put(IFLA_MASTER, bridge)
        message.put(IFLA_MTU, UInt32(mtu))
        message.nest(IFLA_LINKINFO) {
            message.put(IFLA_INFO_KIND, "veth")
            message.nest(IFLA_INFO_DATA) {
                message.nest(VETH_INFO_PEER) {
                    message.append(header: ifinfomsg())
                    message.put(IFLA_IFNAME, peer.name)
                    message.put(IFLA_ADDRESS, bytes: peer.mac.bytes)
                    message.put(IFLA_MTU, UInt32(mtu))
                    message.put(IFLA_NET_NS_FD, UInt32(peer.namespace.descriptor.raw))
                }
            }
        }
        return message
    }

    /// Lets a bridge send a frame back out of the port it came from: a container that reaches itself through a
    /// published port needs it.
    static func hairpin(_ name: String) -> NetlinkMessage {
        let message = link("switch hairpin on for \(name)")
        message.put(IFLA_IFNAME, name)
        message.nest(IFLA_LINKINFO) {
            message.put(IFLA_INFO_SLAVE_KIND, "bridge")
            message.nest(IFLA_INFO_SLAVE_DATA) {
                message.put(IFLA_BRPORT_MODE, UInt8(1))
            }
        }
        return message
    }

    static func up(_ name: String) -> NetlinkMessage {
        let message = link("set \(name) up", up: true)
        message.put(IFLA_IFNAME, name)
        return message
    }

    static func setMTU(_ name: String, _ mtu: Int) -> NetlinkMessage {
        let message = link("set MTU \(mtu) of \(name)")
        message.put(IFLA_IFNAME, name)
        message.put(IFLA_MTU, UInt32(mtu))
        return message
    }

    static func delete(_ name: String) -> NetlinkMessage {
        let message = link("delete interface \(name)", type: RTM_DELLINK)
        message.put(IFLA_IFNAME, name)
        return message
    }

    /// Adds an address, or leaves it where it is there already. IPv6 is usable at once: nobody else can have it,
    /// and duplicate detection would take a second or two.
    static func addAddress(_ address: IPAddress, prefixLength: Int, to interface: String, index: UInt32)
        -> NetlinkMessage
    {
        let message = NetlinkMessage(
            "add address \(address)/\(prefixLength) to \(interface)", type: RTM_NEWADDR,
            flags: Int(NLM_F_CREATE | NLM_F_REPLACE))
        var header = ifaddrmsg()
        header.ifa_family = address.family.rawValue
        header.ifa_prefixlen = UInt8(prefixLength)
        header.ifa_index = index
        header.ifa_flags = address.family == .v6 ? UInt8(IFA_F_NODAD) : 0
        message.append(header: header)
        message.put(IFA_LOCAL, bytes: address.bytes)
        message.put(IFA_ADDRESS, bytes: address.bytes)
        if address.family == .v4, prefixLength < 31 {
            message.put(IFA_BROADCAST, bytes: IPPrefix(address, length: prefixLength).last.bytes)
        }
        return message
    }

    static func deleteAddress(_ address: InterfaceAddress, of interface: String) -> NetlinkMessage {
        let message = NetlinkMessage(
            "remove address \(address.address)/\(address.prefixLength) from \(interface)", type: RTM_DELADDR, flags: 0)
        var header = ifaddrmsg()
        header.ifa_family = address.address.family.rawValue
        header.ifa_prefixlen = UInt8(address.prefixLength)
        header.ifa_index = address.interfaceIndex
        message.append(header: header)
        message.put(IFA_LOCAL, bytes: address.address.bytes)
        return message
    }

    static func addDefaultRoute(via gateway: IPAddress, interface: String, index: UInt32) -> NetlinkMessage {
        let message = NetlinkMessage(
            "add default route via \(gateway) on \(interface)", type: RTM_NEWROUTE,
            flags: Int(NLM_F_CREATE | NLM_F_REPLACE))
        var header = rtmsg()
        header.rtm_family = gateway.family.rawValue
        header.rtm_table = UInt8(RT_TABLE_MAIN.rawValue)
        header.rtm_protocol = UInt8(RTPROT_STATIC)
        header.rtm_scope = UInt8(RT_SCOPE_UNIVERSE.rawValue)
        header.rtm_type = UInt8(RTN_UNICAST)
        message.append(header: header)
        message.put(Int(RTA_GATEWAY.rawValue), bytes: gateway.bytes)
        message.put(Int(RTA_OIF.rawValue), index)
        return message
    }
}

/// The end of a veth pair that a container sees.
struct VethPeer {
    var name: String
    var mac: MACAddress
    var namespace: NetworkNamespace
}
