internal import FoundationEssentials
public import LinuxSystem
internal import SystemPackage

/// The networks of this host: records on disk, bridges in the kernel, and containers' places on them. All calls block.
/// Any number of these, in any number of processes, may work on the same host at once.
public struct NetworkManager: Sendable {
    let paths: HostPaths

    public init(paths: HostPaths) { self.paths = paths }

    func directory(_ name: String) -> String { "\(paths.networks)/\(name)" }
    func leases(_ name: String) -> LeaseStore { LeaseStore(network: name, directory: directory(name)) }
    private func recordPath(_ name: String) -> String { "\(directory(name))/network.json" }

    /// Held while subnets are picked, and while a network goes.
    private func allocationLock() throws -> FileLock { try FileLock("\(paths.networks)/.lock") }

    // MARK: records

    /// nil where there is no such network.
    public func get(_ name: String) throws -> NetworkRecord? {
        guard Self.isValid(name: name) else { return nil }
        guard let bytes = try Files.readIfThere(recordPath(name)) else { return nil }
        return try JSONDecoder().decode(NetworkRecord.self, from: Data(bytes))
    }

    /// In order of name.
    public func list() throws -> [NetworkRecord] {
        try Files.list(paths.networks).compactMap { $0.hasPrefix(".") ? nil : try get($0) }
    }

    /// As Docker has it; keeps names usable as file names.
    static func isValid(name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 200 else { return false }
        func alphanumeric(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        }
        return alphanumeric(first)
            && name.utf8.allSatisfy { alphanumeric($0) || "_.-".utf8.contains($0) }
    }

    // MARK: making and removing

    /// Makes the network and its bridge. One of the same name and configuration is returned as it is (labels may differ),
    /// its bridge made again where that is gone.
    /// - Throws: ``NetworkError``, ``NetlinkError``, ``SystemError``.
    public func create(_ request: NetworkRequest) throws -> NetworkRecord {
        guard Self.isValid(name: request.name) else {
            throw NetworkError.invalid(
                network: request.name, reason: "invalid name: only [a-zA-Z0-9][a-zA-Z0-9_.-]* are allowed")
        }
        let lock = try allocationLock()
        defer { withExtendedLifetime(lock) {} }
        if let existing = try get(request.name) {
            if let difference = try Self.difference(existing, request) {
                throw NetworkError.differs(network: request.name, difference: difference)
            }
            try ensure(existing)
            return existing
        }
        let record = try plan(request)
        try leases(record.name).open()
        // The record first: what a crash leaves is then found, and made whole, under its name.
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try Files.replace(recordPath(record.name), with: try encoder.encode(record), durable: true)
        do { try ensure(record) } catch {
            try? Bridges.delete(record.bridge)
            try? Files.removeTree(directory(record.name))
            throw error
        }
        return record
    }

    /// Removes network, bridge and record. No such bridge is no error.
    /// - Throws: ``NetworkError/inUse(network:containers:)`` while containers have addresses there;
    ///   ``NetworkError/notFound(_:)``.
    public func remove(_ name: String) throws {
        let lock = try allocationLock()
        defer { withExtendedLifetime(lock) {} }
        guard let record = try get(name) else { throw NetworkError.notFound(name) }
        let users = try leases(name).close()
        guard users.isEmpty else { throw NetworkError.inUse(network: name, containers: users) }
        try Bridges.delete(record.bridge)
        try Firewall.removeForeign(bridge: record.bridge)
        try Files.removeTree(directory(name))
    }

    /// What keeps `request` from being the same network; nil where nothing does.
    private static func difference(_ record: NetworkRecord, _ request: NetworkRequest) throws -> String? {
        if record.isInternal != request.isInternal { return "internal" }
        if record.enableIPv6 != request.enableIPv6 { return "enable_ipv6" }
        if record.requested.subnets != request.subnets { return "ipam" }
        if record.requested.bridgeName != request.bridgeName || record.requested.mtu != request.mtu
            || record.options != request.options
        {
            return "driver options"
        }
        return nil
    }

    /// Decides everything about a new network.
    private func plan(_ request: NetworkRequest) throws -> NetworkRecord {
        func invalid(_ reason: String) -> NetworkError { .invalid(network: request.name, reason: reason) }
        try Self.checkOptions(request)
        let others = try list()
        let bridge = try bridgeName(request, others: others)
        let mtu = try mtu(request)
        var subnets = try request.subnets.map { try AddressPools.subnet($0, network: request.name) }
        for family in [IPAddress.Family.v4, .v6] where subnets.count(where: { $0.cidr.family == family }) > 1 {
            throw invalid("only one \(family == .v4 ? "IPv4" : "IPv6") subnet per network is supported")
        }
        let byNetworks = others.flatMap { other in
            other.subnets.map { AddressPools.Taken(prefix: $0.cidr, holder: "network \(other.name)") }
        }
        let byHost = try AddressPools.takenByHost(except: bridge)
        for subnet in subnets {
            // A route to a part of the world (a VPN's 10/8) is no obstacle; the host's own addresses are.
            let conflicts =
                byNetworks + byHost.filter { subnet.cidr.contains($0.prefix) && $0.holder.hasPrefix("interface") }
            if let conflict = conflicts.first(where: { $0.prefix.overlaps(subnet.cidr) }) {
                throw NetworkError.overlap(
                    network: request.name, subnet: subnet.cidr, with: conflict.prefix, holder: conflict.holder)
            }
        }
        func add(_ pool: IPPrefix?) throws {
            guard let pool else { throw NetworkError.noFreePool(network: request.name) }
            subnets.append(.init(cidr: pool, gateway: pool.hosts.lowerBound, ipRange: nil, auxiliaryAddresses: [:]))
        }
        if !subnets.contains(where: { $0.cidr.family == .v4 }) {
            try add(AddressPools.free4(taken: byNetworks + byHost))
        }
        if request.enableIPv6, !subnets.contains(where: { $0.cidr.family == .v6 }) {
            try add(AddressPools.free6(network: request.name, root: paths.data, taken: byNetworks + byHost))
        }
        if !request.enableIPv6, subnets.contains(where: { $0.cidr.family == .v6 }) {
            throw invalid("it has an IPv6 subnet but enable_ipv6 is not set")
        }
        return NetworkRecord(
            id: RandomHex.digits(), name: request.name, bridge: bridge,
            labels: request.labels, isInternal: request.isInternal, enableIPv6: request.enableIPv6,
            subnets: subnets.sorted { $0.cidr < $1.cidr }, mtu: mtu, options: request.options,
            createdAt: Date().timeIntervalSince1970,
            requested: .init(subnets: request.subnets, bridgeName: request.bridgeName, mtu: request.mtu))
    }

    static let mtuOption = "com.docker.network.driver.mtu"
    static let bridgeOption = "com.docker.network.bridge.name"

    /// Options that say what is done anyway are fine; others of the driver's would be silently disobeyed.
    private static func checkOptions(_ request: NetworkRequest) throws {
        let always = [
            "com.docker.network.bridge.enable_icc": "true", "com.docker.network.bridge.enable_ip_masquerade": "true",
            "com.docker.network.bridge.default_bridge": "false",
        ]
        for (key, value) in request.options.sorted(by: { $0.key < $1.key })
        where key != mtuOption && key != bridgeOption && always[key] != value {
            throw NetworkError.invalid(
                network: request.name,
                reason: "driver option \(key)=\(value) is not supported; supported are \(mtuOption) and \(bridgeOption)"
            )
        }
    }

    private func bridgeName(_ request: NetworkRequest, others: [NetworkRecord]) throws -> String {
        guard let name = request.bridgeName ?? request.options[Self.bridgeOption] else {
            return Naming.bridge(network: request.name, root: paths.data)
        }
        guard (1...15).contains(name.utf8.count), name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x2f && $0 < 0x7f }),
            name != ".",
            name != ".."
        else {
            throw NetworkError.invalid(
                network: request.name,
                reason: "bridge name \"\(name)\" must have 1 to 15 characters, without / or space")
        }
        if let other = others.first(where: { $0.bridge == name }) {
            throw NetworkError.invalid(
                network: request.name, reason: "bridge name \(name) is that of network \(other.name)")
        }
        if try RouteSocket().link(named: name) != nil {
            throw NetworkError.invalid(network: request.name, reason: "an interface named \(name) exists already")
        }
        return name
    }

    private func mtu(_ request: NetworkRequest) throws -> Int {
        let option = request.options[Self.mtuOption]
        guard
            let mtu = try request.mtu
                ?? option.map({ text in
                    guard let number = Int(text) else {
                        throw NetworkError.invalid(network: request.name, reason: "MTU \"\(text)\" is no number")
                    }
                    return number
                })
        else { return try Bridges.uplinkMTU() }
        let least = request.enableIPv6 ? 1280 : 68
        guard (least...65535).contains(mtu) else {
            throw NetworkError.invalid(network: request.name, reason: "MTU \(mtu) is not in \(least)…65535")
        }
        return mtu
    }
}
