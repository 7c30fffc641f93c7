internal import LinuxSystem

/// Picks and checks subnets. Pure: what is taken comes in.
enum AddressPools {
    struct Taken: Equatable {
        var prefix: IPPrefix
        /// For messages: "network web_default", "interface eth0".
        var holder: String
    }

    /// Docker's: 172.17 to 172.31 by /16, then 192.168 by /20.
    static let standard4: [IPPrefix] =
        IPPrefix("172.16.0.0/12")!.subnets(ofLength: 16).dropFirst()
        + Array(IPPrefix("192.168.0.0/16")!.subnets(ofLength: 20))

    static func free4(taken: [Taken]) -> IPPrefix? {
        standard4.first { pool in !taken.contains { $0.prefix.overlaps(pool) } }
    }

    /// A unique local /64 derived from the network's name. Another where that one is taken.
    static func free6(network: String, root: String, taken: [Taken]) -> IPPrefix? {
        for attempt in 0..<64 {
            let bits = Naming.hash(root, network, "ipv6 \(attempt)")
            // fd, 40 bits of global id, 16 bits of subnet id.
            let base = UInt128(0xfd) << 120 | UInt128(bits & 0xff_ffff_ffff_ffff) << 64
            let pool = IPPrefix(IPAddress(.v6, base), length: 64)
            if !taken.contains(where: { $0.prefix.overlaps(pool) }) { return pool }
        }
        return nil
    }

    /// What the host uses already: destinations of its routes, its addresses, and its name servers, which may be behind
    /// the default route.
    static func takenByHost(except bridge: String) throws -> [Taken] {
        let socket = try RouteSocket()
        let names = Dictionary(try socket.links().map { ($0.index, $0.name) }, uniquingKeysWith: { first, _ in first })
        let own = names.first { $0.value == bridge }?.key
        let routes = try socket.routes().filter {
            $0.destination.length > 0 && ($0.interfaceIndex == nil || $0.interfaceIndex != own)
        }
        .map {
            Taken(
                prefix: $0.destination,
                holder: $0.interfaceIndex.flatMap { names[$0] }.map { "interface \($0)" } ?? "a route")
        }
        let addresses = try socket.addresses().filter { $0.interfaceIndex != own }.map {
            Taken(
                prefix: IPPrefix($0.address, length: $0.prefixLength),
                holder: "interface \(names[$0.interfaceIndex] ?? "\($0.interfaceIndex)")")
        }
        return routes + addresses + nameServers()
    }

    private static func nameServers() -> [Taken] {
        guard let text = try? Files.readString("/etc/resolv.conf") else { return [] }
        return text.split(separator: "\n").compactMap { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count >= 2, words[0] == "nameserver", let address = IPAddress(words[1]) else { return nil }
            return Taken(prefix: IPPrefix(address, length: address.family.width), holder: "name server \(address)")
        }
    }

    /// Reads one entry of `ipam.config`.
    /// - Throws: ``NetworkError`` that names what is wrong.
    static func subnet(_ request: SubnetRequest, network: String) throws -> NetworkRecord.Subnet {
        func invalid(_ reason: String) -> NetworkError { .invalid(network: network, reason: reason) }
        guard let cidr = IPPrefix(request.subnet) else {
            throw invalid("subnet \"\(request.subnet)\" is no network in CIDR notation such as 172.28.0.0/16")
        }
        guard cidr.family.width - cidr.length >= 2 else {
            throw invalid("subnet \(cidr) is too small: it has no address for a container beside the gateway")
        }
        guard cidr.length >= 8, !cidr.base.isMulticast, !cidr.base.isLoopback, !cidr.base.isUnspecified else {
            throw invalid("subnet \(cidr) cannot be used for containers")
        }
        func address(_ text: String, _ what: String) throws -> IPAddress {
            guard let address = IPAddress(text), address.family == cidr.family else {
                throw invalid("\(what) \"\(text)\" is no \(cidr.family == .v4 ? "IPv4" : "IPv6") address")
            }
            guard cidr.contains(address) else { throw invalid("\(what) \(address) is not in subnet \(cidr)") }
            return address
        }
        var range: IPPrefix?
        if let text = request.ipRange {
            guard let parsed = IPPrefix(text) else {
                throw invalid("ip_range \"\(text)\" is no network in CIDR notation")
            }
            guard cidr.contains(parsed) else { throw invalid("ip_range \(parsed) is not in subnet \(cidr)") }
            range = parsed
        }
        let gateway: IPAddress
        if let text = request.gateway {
            gateway = try address(text, "gateway")
            guard cidr.hosts.contains(gateway) else {
                throw invalid("gateway \(gateway) is the network or broadcast address of \(cidr)")
            }
        } else {
            gateway = cidr.hosts.lowerBound
        }
        return NetworkRecord.Subnet(
            cidr: cidr, gateway: gateway, ipRange: range,
            auxiliaryAddresses: try request.auxiliaryAddresses.mapValues { try address($0, "aux_address") })
    }
}
