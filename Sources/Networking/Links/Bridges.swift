internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// The bridges of networks, in the calling thread's network namespace.
enum Bridges {
    /// MTU of the interface of the host's default route; 1500 where there is none.
    static func uplinkMTU() throws -> Int {
        let socket = try RouteSocket()
        let uplink = try socket.routes().filter { $0.destination.length == 0 && $0.interfaceIndex != nil }
            .min { ($0.destination.family.rawValue, $0.metric) < ($1.destination.family.rawValue, $1.metric) }
        let link = try uplink.flatMap { route in try socket.links().first { $0.index == route.interfaceIndex } }
        return link.map(\.mtu) ?? 1500
    }

    /// Makes the bridge of a network, or puts right what is there: addresses, MTU, settings, up.
    /// - Throws: ``NetworkError/invalid(network:reason:)`` where an interface of another kind has the name.
    static func ensure(_ record: NetworkRecord) throws {
        let socket = try RouteSocket()
        let name = record.bridge
        if try socket.link(named: name) == nil {
            let mac = MACAddress(derivedFrom: Naming.hash(record.id, "bridge"))
            try socket.socket.send([RouteMessage.createBridge(name, mac: mac)]) { $1 == .fileExists }
        }
        guard let link = try socket.link(named: name), link.kind == "bridge" else {
            throw NetworkError.invalid(network: record.name, reason: "interface \(name) exists and is no bridge")
        }
        try NetworkSysctl.enableForwarding(
            ipv6: record.enableIPv6 && !record.isInternal, ours: Naming.isOurs(interface:))
        try NetworkSysctl.writeIfPresent(NetworkSysctl.path(.v6, name, "accept_ra"), 0)
        try NetworkSysctl.writeIfPresent(NetworkSysctl.path(.v6, name, "accept_dad"), 0)
        try NetworkSysctl.writeIfPresent(NetworkSysctl.path(.v6, name, "disable_ipv6"), record.enableIPv6 ? 0 : 1)

        let wanted = record.subnets.map { ($0.gateway, $0.cidr.length) }
        let stale = try socket.addresses().filter { present in
            present.interfaceIndex == link.index && !present.address.isLinkLocal
                && !wanted.contains { $0 == (present.address, present.prefixLength) }
        }
        // Set by itself, not at creation: only then does the kernel keep it when ports come and go.
        var messages = link.mtu == record.mtu ? [] : [RouteMessage.setMTU(name, record.mtu)]
        messages += stale.map { RouteMessage.deleteAddress($0, of: name) }
        messages += wanted.map { RouteMessage.addAddress($0, prefixLength: $1, to: name, index: link.index) }
        messages.append(RouteMessage.up(name))
        try socket.socket.send(messages)
    }

    /// Removes the bridge. None there, or something else of that name, is left alone.
    static func delete(_ name: String) throws {
        let socket = try RouteSocket()
        guard try socket.link(named: name)?.kind == "bridge" else { return }
        try socket.socket.send([RouteMessage.delete(name)]) { $1 == Errno(rawValue: ENODEV) }
    }
}
