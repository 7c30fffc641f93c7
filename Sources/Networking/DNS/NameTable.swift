/// Who has which names and addresses on which network. Every lookup is one or two hash table accesses; changing a
/// container costs its own number of names.
struct NameTable: Sendable {
    private struct Name {
        var addresses4: [Owned] = []
        var addresses6: [Owned] = []
        /// Answers given so far, by family: clients ask for A and AAAA in turns, and one counter for both would give
        /// each family every other address only.
        var turn4 = 0
        var turn6 = 0
        var owners: Set<String> = []
    }
    private struct Owned {
        let container: String
        let address: IPAddress
    }
    private struct Network {
        var names: [String: Name] = [:]
        /// The container's first name.
        var reverse: [IPAddress: (container: String, name: String)] = [:]
    }
    private struct Membership {
        let names: [String]
        let addresses: [IPAddress]
    }
    private var networks: [String: Network] = [:]
    /// By container, then by network.
    private var memberships: [String: [String: Membership]] = [:]

    /// Replaces what `container` has on `network`. The first name is what its addresses resolve to. The twelve
    /// digits that a container's id is shortened to are a name too.
    mutating func set(container: String, network: String, names: [String], addresses: [IPAddress]) {
        remove(container: container, network: network)
        var all: [String] = []
        for name in names + Self.shortID(container) {
            let key = Self.key(name)
            if !key.isEmpty, !all.contains(key) { all.append(key) }
        }
        var entry = networks[network] ?? Network()
        for name in all {
            entry.names[name, default: Name()].owners.insert(container)
            for address in addresses {
                let owned = Owned(container: container, address: address)
                switch address.family {
                case .v4: entry.names[name]?.addresses4.append(owned)
                case .v6: entry.names[name]?.addresses6.append(owned)
                }
            }
        }
        if let first = all.first {
            for address in addresses { entry.reverse[address] = (container, first) }
        }
        networks[network] = entry
        memberships[container, default: [:]][network] = Membership(names: all, addresses: addresses)
    }

    mutating func remove(container: String) {
        for network in (memberships[container] ?? [:]).keys { remove(container: container, network: network) }
    }

    mutating func remove(container: String, network: String) {
        guard let old = memberships[container]?.removeValue(forKey: network) else { return }
        if memberships[container]?.isEmpty == true { memberships[container] = nil }
        guard var entry = networks.removeValue(forKey: network) else { return }
        for name in old.names {
            guard var value = entry.names.removeValue(forKey: name) else { continue }
            value.owners.remove(container)
            if value.owners.isEmpty { continue }
            value.addresses4.removeAll { $0.container == container }
            value.addresses6.removeAll { $0.container == container }
            entry.names[name] = value
        }
        for address in old.addresses where entry.reverse[address]?.container == container {
            entry.reverse[address] = nil
        }
        if !entry.names.isEmpty { networks[network] = entry }
    }

    func has(_ name: String, in networks: [String]) -> Bool {
        networks.contains { self.networks[$0]?.names[name] != nil }
            || qualified(name, in: networks).contains { self.networks[$0.network]?.names[$0.name] != nil }
    }

    /// The addresses of a name (lower case), of the first network that has some, each call beginning with another
    /// one. `name.network` is understood too. nil where no network knows the name; empty where the name has no
    /// address of this family.
    mutating func addresses(of name: String, _ family: IPAddress.Family, in networks: [String]) -> [IPAddress]? {
        var isKnown = false
        let candidates = networks.map { (name: name, network: $0) } + qualified(name, in: networks)
        for candidate in candidates {
            guard let addresses = next(candidate.name, family, in: candidate.network) else { continue }
            if !addresses.isEmpty { return addresses }
            isKnown = true
        }
        return isKnown ? [] : nil
    }

    /// `name.network` of who has `address` on one of the networks.
    func name(of address: IPAddress, in networks: [String]) -> String? {
        for network in networks {
            if let owner = self.networks[network]?.reverse[address] { return "\(owner.name).\(network)" }
        }
        return nil
    }

    private func qualified(_ name: String, in networks: [String]) -> [(name: String, network: String)] {
        guard name.utf8.contains(UInt8(ascii: ".")) else { return [] }
        return networks.compactMap { network in
            name.droppingDomain(Self.key(network)).map { (name: $0, network: network) }
        }
    }

    private mutating func next(_ name: String, _ family: IPAddress.Family, in network: String) -> [IPAddress]? {
        // One path through both dictionaries, so that the counter is changed in place.
        func take(_ owned: [Owned], _ turn: inout Int) -> [IPAddress] {
            guard owned.count > 1 else { return owned.map(\.address) }
            let first = turn % owned.count
            turn = first + 1
            return owned[first...].map(\.address) + owned[..<first].map(\.address)
        }
        func take(_ name: inout Name?) -> [IPAddress]? {
            guard name != nil else { return nil }
            return family == .v4
                ? take(name!.addresses4, &name!.turn4) : take(name!.addresses6, &name!.turn6)
        }
        guard networks[network] != nil else { return nil }
        return take(&networks[network]!.names[name])
    }

    static func key(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }

    private static func shortID(_ container: String) -> [String] {
        let digits = container.utf8
        guard digits.count == 64, digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return [] }
        return [String(container.prefix(12))]
    }
}

extension String {
    /// What stands before `.domain` at the end of this name, if that is how it ends.
    func droppingDomain(_ domain: String) -> String? {
        guard !domain.isEmpty, utf8.count > domain.utf8.count + 1, hasSuffix(domain) else { return nil }
        let rest = dropLast(domain.count)
        return rest.last == "." ? String(rest.dropLast()) : nil
    }
}
