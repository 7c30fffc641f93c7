internal import CLinux
internal import CNetlink

/// The rules of one project, as messages of one transaction. The number of rules is the same whatever the project has:
/// bridges, subnets and ports are elements of sets and maps.
///
///     set bridges, internal; set v4nets, v6nets (bridge . subnet); map same (bridge . bridge : accept)
///     map pub4any, pub6any (protocol . port : address . port), pub4addr, pub6addr (address . protocol . port : …)
struct Ruleset {
    let table: NFTTable
    let state: FirewallState

    private static let first = NFTRegister(0)

    func messages() -> [NetlinkMessage] {
        [table.create(), table.delete(), table.create()] + sets() + chains() + rules()
    }

    // MARK: sets and their elements

    private static let portMaps: [NFTSet] = [IPAddress.Family.v4, .v6].flatMap { family in
        let address = family == .v4 ? NFTType.ipv4 : .ipv6
        let digit = family == .v4 ? "4" : "6"
        let target = NFTSet.Data.value([address, .port])
        return [
            NFTSet(name: "pub\(digit)any", key: [.transportProtocol, .port], data: target),
            NFTSet(name: "pub\(digit)addr", key: [address, .transportProtocol, .port], data: target),
        ]
    }

    private func sets() -> [NetlinkMessage] {
        let sets =
            [
                NFTSet(name: "bridges", key: [.interfaceName]), NFTSet(name: "internal", key: [.interfaceName]),
                NFTSet(name: "v4nets", key: [.interfaceName, .ipv4], hasIntervals: true),
                NFTSet(name: "v6nets", key: [.interfaceName, .ipv6], hasIntervals: true),
                NFTSet(name: "same", key: [.interfaceName, .interfaceName], data: .verdict),
            ] + Self.portMaps
        var elements: [String: [NFTElement]] = [:]
        for bridge in Set(state.bridges) {
            let name = NFTElement.interface(bridge.name)
            elements["bridges", default: []].append(NFTElement(key: name))
            if bridge.isInternal { elements["internal", default: []].append(NFTElement(key: name)) }
            elements["same", default: []].append(
                NFTElement(key: NFTElement.join(name, name), data: .verdict(.accept)))
            for subnet in bridge.subnets {
                elements[subnet.family == .v4 ? "v4nets" : "v6nets", default: []].append(
                    NFTElement(
                        key: NFTElement.join(name, subnet.base.bytes), keyEnd: NFTElement.join(name, subnet.last.bytes))
                )
            }
        }
        elements.merge(Self.elements(of: state.published)) { $0 + $1 }
        return sets.enumerated().flatMap { index, set in
            [table.set(set, id: UInt32(index + 1))] + table.elements(elements[set.name] ?? [], of: set.name)
        }
    }

    /// Elements by map. One key is there once: the last one given holds.
    static func elements(of ports: [PublishedPort]) -> [String: [NFTElement]] {
        var maps: [String: [[UInt8]: NFTElement]] = [:]
        for port in ports {
            guard let (map, element) = port.element else { continue }
            maps[map, default: [:]][element.key] = element
        }
        return maps.mapValues { Array($0.values) }
    }

    // MARK: chains

    private func chains() -> [NetlinkMessage] {
        let (prerouting, output) = (Int(NF_INET_PRE_ROUTING.rawValue), Int(NF_INET_LOCAL_OUT.rawValue))
        return [
            table.baseChain("raw_pre", type: "filter", hook: prerouting, priority: -300),
            table.chain("publish"),
            table.baseChain("nat_pre", type: "nat", hook: prerouting, priority: -100),
            table.baseChain("nat_out", type: "nat", hook: output, priority: -100),
            table.baseChain("nat_post", type: "nat", hook: Int(NF_INET_POST_ROUTING.rawValue), priority: 100),
            table.baseChain("forward", type: "filter", hook: Int(NF_INET_FORWARD.rawValue), priority: 0),
            table.baseChain("input", type: "filter", hook: Int(NF_INET_LOCAL_IN.rawValue), priority: 0),
        ]
    }

    // MARK: rules

    private func rules() -> [NetlinkMessage] {
        // What is said of loopback addresses at prerouting is the price of route_localnet. Replies to connections from
        // 127.0.0.1 pass: their addresses are translated back later.
        rules(
            "raw_pre",
            [
                Self.interface(.inputInterface, in: "bridges") + Self.destinationIsLoopback4 + [.verdict(.drop)],
                Self.notLoopbackInterface + Self.destinationIsLoopback4 + [.verdict(.drop)],
                // A container does not speak with another network's address. 0.0.0.0 asks for one (DHCP).
                Self.interface(.inputInterface, in: "bridges") + Self.isFamily(.v4)
                    + Self.subnet(.inputInterface, .v4, negated: true)
                    + [
                        .payload(.network, offset: 12, length: 4, Self.first),
                        .compare(Self.first, equal: false, [0, 0, 0, 0]),
                    ]
                    + [.verdict(.drop)],
                // In IPv6 link-local addresses are the neighbours' language, and :: that of one without an address.
                Self.interface(.inputInterface, in: "bridges") + Self.isFamily(.v6)
                    + Self.subnet(.inputInterface, .v6, negated: true)
                    + [
                        .payload(.network, offset: 8, length: 16, Self.first),
                        .compare(Self.first, equal: false, Array(repeating: 0, count: 16)),
                        .mask(Self.first, [0xff, 0xc0] + Array(repeating: 0, count: 14)),
                        .compare(Self.first, equal: false, [0xfe, 0x80] + Array(repeating: 0, count: 14)),
                    ] + [.verdict(.drop)],
            ])
            // What is published on one address comes before what is on all.
            + rules(
                "publish",
                [
                    Self.publish(.v4, toAddress: true), Self.publish(.v6, toAddress: true),
                    Self.publish(.v4, toAddress: false), Self.publish(.v6, toAddress: false),
                ])
            + rules("nat_pre", [Self.destinationIsLocal + [.verdict(.jump("publish"))]])
            + rules(
                "nat_out",
                [
                    // Nothing leads from ::1 into another network: who holds the port serves it.
                    Self.isFamily(.v6) + [
                        .payload(.network, offset: 24, length: 16, Self.first),
                        .compare(Self.first, equal: true, IPAddress(.v6, 1).bytes), .verdict(.return),
                    ],
                    Self.destinationIsLocal + [.verdict(.jump("publish"))],
                ])
            + rules(
                "nat_post",
                [
                    // From 127.0.0.1 to a published port.
                    Self.interface(.outputInterface, in: "bridges") + Self.isTranslated + Self.isFamily(.v4)
                        + [
                            .payload(.network, offset: 12, length: 1, Self.first),
                            .compare(Self.first, equal: true, [127]),
                            .masquerade,
                        ],
                    // From a container to a port published by one of its own network, or by itself: its answer must come
                    // back through here.
                    Self.interface(.outputInterface, in: "bridges") + Self.isTranslated + Self.isFamily(.v4)
                        + Self.subnet(.outputInterface, .v4) + [.masquerade],
                    Self.interface(.outputInterface, in: "bridges") + Self.isTranslated + Self.isFamily(.v6)
                        + Self.subnet(.outputInterface, .v6) + [.masquerade],
                    Self.interface(.outputInterface, in: "bridges") + [.verdict(.return)],
                    Self.interface(.inputInterface, in: "bridges") + Self.isFamily(.v4)
                        + Self.subnet(.inputInterface, .v4)
                        + [.masquerade],
                    Self.interface(.inputInterface, in: "bridges") + Self.isFamily(.v6)
                        + Self.subnet(.inputInterface, .v6)
                        + [.masquerade],
                ])
            + rules(
                "forward",
                [
                    Self.interface(.inputInterface, notIn: "bridges")
                        + Self.interface(.outputInterface, notIn: "bridges")
                        + [.verdict(.accept)],
                    Self.isEstablished + [.verdict(.accept)],
                    Self.state(bits: 1) + [.verdict(.drop)],
                    Self.interface(.inputInterface, in: "internal")
                        + Self.interface(.outputInterface, notIn: "internal")
                        + [.verdict(.drop)],
                    Self.interface(.outputInterface, in: "internal")
                        + Self.interface(.inputInterface, notIn: "internal")
                        + [.verdict(.drop)],
                    [
                        .meta(.inputInterface, NFTRegister(0)), .meta(.outputInterface, NFTRegister(4)),
                        .map(NFTRegister(0), map: "same", into: .verdict),
                    ],
                    Self.isTranslated + Self.interface(.outputInterface, in: "bridges") + [.verdict(.accept)],
                    Self.interface(.outputInterface, in: "bridges") + [.verdict(.drop)],
                ])
            + rules(
                "input",
                [
                    Self.interface(.inputInterface, in: "bridges") + Self.isEstablished + [.verdict(.accept)],
                    Self.interface(.inputInterface, in: "internal") + Self.state(bits: 8) + [.verdict(.drop)],
                ])
    }

    private func rules(_ chain: String, _ rules: [[NFTExpression]]) -> [NetlinkMessage] {
        rules.map { table.rule(in: chain, $0) }
    }
}

/// Pieces of rules. Each may use the registers as it likes.
extension Ruleset {
    fileprivate static func interface(_ key: NFTExpression.Meta, in set: String) -> [NFTExpression] {
        [.meta(key, first), .lookup(first, set: set, negated: false)]
    }
    fileprivate static func interface(_ key: NFTExpression.Meta, notIn set: String) -> [NFTExpression] {
        [.meta(key, first), .lookup(first, set: set, negated: true)]
    }

    fileprivate static let notLoopbackInterface: [NFTExpression] = [
        .meta(.inputInterface, first), .compare(first, equal: false, NFTElement.interface("lo")),
    ]

    fileprivate static func isFamily(_ family: IPAddress.Family) -> [NFTExpression] {
        [.meta(.protocolFamily, first), .compare(first, equal: true, [family.rawValue])]
    }

    fileprivate static var destinationIsLoopback4: [NFTExpression] {
        isFamily(.v4) + [.payload(.network, offset: 16, length: 1, first), .compare(first, equal: true, [127])]
    }

    fileprivate static var destinationIsLocal: [NFTExpression] {
        [.destinationType(first), .compare(first, equal: true, host(UInt32(RTN_LOCAL)))]
    }

    /// Whether the packet's source is in a subnet of the interface.
    fileprivate static func subnet(_ key: NFTExpression.Meta, _ family: IPAddress.Family, negated: Bool = false)
        -> [NFTExpression]
    {
        [
            .meta(key, NFTRegister(0)), source(family, NFTRegister(4)),
            .lookup(NFTRegister(0), set: family == .v4 ? "v4nets" : "v6nets", negated: negated),
        ]
    }

    private static func source(_ family: IPAddress.Family, _ register: NFTRegister) -> NFTExpression {
        family == .v4
            ? .payload(.network, offset: 12, length: 4, register) : .payload(.network, offset: 8, length: 16, register)
    }

    fileprivate static func publish(_ family: IPAddress.Family, toAddress: Bool) -> [NFTExpression] {
        let words: UInt32 = toAddress ? (family == .v4 ? 1 : 4) : 0
        let address: NFTExpression =
            family == .v4
            ? .payload(.network, offset: 16, length: 4, first) : .payload(.network, offset: 24, length: 16, first)
        return isFamily(family) + (toAddress ? [address] : [])
            + [
                .meta(.transportProtocol, NFTRegister(words)),
                .payload(.transport, offset: 2, length: 2, NFTRegister(words + 1)),
                .map(first, map: "pub\(family == .v4 ? "4" : "6")\(toAddress ? "addr" : "any")", into: first),
                .destinationNAT(family, address: first, port: NFTRegister(family == .v4 ? 1 : 4)),
            ]
    }

    /// Whether the connection's destination was translated.
    fileprivate static var isTranslated: [NFTExpression] {
        bits(.connTrack(.status, first), UInt32(IPS_DST_NAT.rawValue))
    }

    /// Established or related.
    fileprivate static var isEstablished: [NFTExpression] { state(bits: 2 | 4) }

    /// Bits of connection states: 1 invalid, 2 established, 4 related, 8 new.
    fileprivate static func state(bits: UInt32) -> [NFTExpression] { self.bits(.connTrack(.state, first), bits) }

    private static func bits(_ load: NFTExpression, _ bits: UInt32) -> [NFTExpression] {
        [load, .mask(first, host(bits)), .compare(first, equal: false, [0, 0, 0, 0])]
    }

    private static func host(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }
}
