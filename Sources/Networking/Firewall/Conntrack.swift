internal import CLinux
internal import CNetlink
internal import SystemPackage

/// Entries of connection tracking. Translation is decided with the first packet of a connection; a stream of UDP is one
/// connection as long as it does not pause, and keeps its old target over any change of the rules. So such entries are
/// deleted with the change.
enum Conntrack {
    struct Entry {
        var transport: UInt8
        var source: IPAddress
        var destination: IPAddress
        var destinationPort: UInt16
        /// Where answers come from: the container, where the destination was translated.
        var answerer: IPAddress
        var answererPort: UInt16
        /// The original direction as the kernel sent it, which names the entry.
        var original: ArraySlice<UInt8>
        var family: UInt8
        var zone: UInt16?
        var id: UInt32?
    }

    /// Streams led to a container by a port that is no longer published.
    static func forgetTranslated(by ports: [PublishedPort]) throws {
        try forget(ports) { entry, port in
            entry.answerer == port.containerIP && entry.answererPort == port.containerPort
        }
    }

    /// Streams to a port, begun before it was published.
    static func forgetUntranslated(to ports: [PublishedPort]) throws {
        let own = ports.contains { $0.transport == .udp } ? Set(try RouteSocket().addresses().map(\.address)) : []
        try forget(ports) { entry, _ in
            entry.answerer == entry.destination && (own.contains(entry.destination) || entry.destination.isLoopback)
        }
    }

    private static func forget(_ ports: [PublishedPort], where matches: (Entry, PublishedPort) -> Bool) throws {
        let ports = ports.filter { $0.transport == .udp }
        guard !ports.isEmpty else { return }
        let byPort = Dictionary(grouping: ports, by: \.port)
        let socket = try NetlinkSocket(NETLINK_NETFILTER)
        let doomed = try list(socket).filter { entry in
            entry.transport == UInt8(IPPROTO_UDP)
                && (byPort[entry.destinationPort] ?? []).contains { port in
                    let anyAddress = port.hostIP?.isUnspecified ?? true
                    return port.containerIP.family == entry.destination.family
                        && (anyAddress || port.hostIP == entry.destination) && matches(entry, port)
                }
        }
        // One that has ended by itself meanwhile is what is wanted.
        for entry in doomed { try socket.send([delete(entry)]) { $1 == .noSuchFileOrDirectory } }
    }

    private static func list(_ socket: NetlinkSocket) throws -> [Entry] {
        let message = NetlinkMessage(
            "list tracked connections", type: Int(NFNL_SUBSYS_CTNETLINK) << 8 | Int(IPCTNL_MSG_CT_GET.rawValue),
            flags: 0)
        message.append(header: NFTBatch.Header(family: 0))
        return try socket.dump(message).compactMap(Entry.init)
    }

    private static func delete(_ entry: Entry) -> NetlinkMessage {
        let message = NetlinkMessage(
            "forget a tracked connection to port \(entry.destinationPort)",
            type: Int(NFNL_SUBSYS_CTNETLINK) << 8 | Int(IPCTNL_MSG_CT_DELETE.rawValue), flags: 0)
        message.append(header: NFTBatch.Header(family: entry.family))
        message.nest(Int(CTA_TUPLE_ORIG.rawValue)) {
            for attribute in NetlinkAttributes(entry.original).all {
                let nested = attribute.type == Int(CTA_TUPLE_ZONE.rawValue) ? 0 : Int(NLA_F_NESTED)
                message.put(attribute.type | nested, bytes: Array(attribute.value))
            }
        }
        if let zone = entry.zone { message.putBig(Int(CTA_ZONE.rawValue), zone) }
        // Only this very one, should another have taken its place.
        if let id = entry.id { message.putBig(Int(CTA_ID.rawValue), id) }
        return message
    }
}

extension Conntrack.Entry {
    init?(_ reply: NetlinkReply) {
        guard let family = reply.payload.first else { return nil }
        let attributes = reply.attributes(after: 4)
        guard let original = attributes[Int(CTA_TUPLE_ORIG.rawValue)],
            let forth = Conntrack.Tuple(NetlinkAttributes(original)),
            let back = attributes.nested(Int(CTA_TUPLE_REPLY.rawValue)).flatMap(Conntrack.Tuple.init)
        else { return nil }
        self.init(
            transport: forth.transport, source: forth.source, destination: forth.destination,
            destinationPort: forth.destinationPort, answerer: back.source, answererPort: back.sourcePort,
            original: original,
            family: family, zone: attributes.integer(Int(CTA_ZONE.rawValue), UInt16.self).map(UInt16.init(bigEndian:)),
            id: attributes.integer(Int(CTA_ID.rawValue), UInt32.self).map(UInt32.init(bigEndian:)))
    }
}

extension Conntrack {
    fileprivate struct Tuple {
        var transport: UInt8
        var source: IPAddress
        var destination: IPAddress
        var sourcePort: UInt16
        var destinationPort: UInt16

        /// nil where the protocol has no ports.
        init?(_ attributes: NetlinkAttributes) {
            guard let addresses = attributes.nested(Int(CTA_TUPLE_IP.rawValue)),
                let transport = attributes.nested(Int(CTA_TUPLE_PROTO.rawValue)),
                let number: UInt8 = transport.integer(Int(CTA_PROTO_NUM.rawValue)),
                let from = transport.integer(Int(CTA_PROTO_SRC_PORT.rawValue), UInt16.self),
                let to = transport.integer(Int(CTA_PROTO_DST_PORT.rawValue), UInt16.self),
                let source = addresses[Int(CTA_IP_V4_SRC.rawValue)] ?? addresses[Int(CTA_IP_V6_SRC.rawValue)],
                let destination = addresses[Int(CTA_IP_V4_DST.rawValue)] ?? addresses[Int(CTA_IP_V6_DST.rawValue)],
                let sourceAddress = IPAddress(bytes: source), let destinationAddress = IPAddress(bytes: destination)
            else { return nil }
            self.transport = number
            self.source = sourceAddress
            self.destination = destinationAddress
            sourcePort = UInt16(bigEndian: from)
            destinationPort = UInt16(bigEndian: to)
        }
    }
}
