internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// Which container has which address of a network: one file per address, named after it, made so that only one can
/// succeed; and one per container that lists its addresses, so that releasing needs no search.
struct LeaseStore {
    let network: String
    /// `<networks>/<name>`
    let directory: String

    var leases: String { "\(directory)/leases" }
    private var owners: String { "\(directory)/owners" }

    /// Where the leases are while the network is being removed.
    private var closed: String { "\(directory)/leases.closed" }

    /// Lets addresses be taken; done already is no error.
    func open() throws {
        // A removal that was cut short is undone.
        if !Files.exists(leases), Files.exists(closed) { rename(closed, leases) }
        try Files.makeDirectories(leases, mode: 0o700)
        try Files.makeDirectories(owners, mode: 0o700)
    }

    /// Lets no more addresses be taken if none is: the directory goes out of the way before the look, so that nobody
    /// takes one in between.
    /// - Returns: containers that have an address here; nothing has changed where there are any.
    func close() throws -> [String] {
        try open()
        try Files.removeTree(closed)
        try check("rename", leases) { rename(leases, closed) }
        let users = try containers(in: closed)
        if !users.isEmpty { try check("rename", closed) { rename(closed, leases) } }
        return users
    }

    /// Containers that have an address here.
    func containers() throws -> [String] { try containers(in: leases) }

    private func containers(in directory: String) throws -> [String] {
        Array(Set(try Files.list(directory).compactMap { holder(of: $0, in: directory) })).sorted()
    }

    private func holder(of lease: String, in directory: String? = nil) -> String? {
        guard !lease.hasPrefix(".") else { return nil }
        return try? Files.readString("\(directory ?? leases)/\(lease)")
    }

    /// Addresses `container` has, by family. It has some already where it was attached before and not released, as
    /// after a crash.
    private func held(by container: String) throws -> [IPAddress] {
        guard let text = try? Files.readString("\(owners)/\(container)") else { return [] }
        return text.split(separator: "\n").compactMap { IPAddress($0) }.filter {
            holder(of: $0.description) == container
        }
    }

    /// Gives `container` an address of each subnet, or the static ones.
    /// - Throws: ``NetworkError``; then nothing is held that was not before.
    func acquire(container: String, subnets: [NetworkRecord.Subnet], fixed: [IPAddress]) throws -> [IPAddress] {
        let before = try held(by: container)
        var result: [IPAddress] = []
        var new: [IPAddress] = []
        do {
            for subnet in subnets {
                let wanted = fixed.first { $0.family == subnet.cidr.family }
                if let kept = before.first(where: { $0.family == subnet.cidr.family }), wanted == nil || wanted == kept,
                    subnet.cidr.contains(kept)
                {
                    result.append(kept)
                    continue
                }
                let address =
                    try wanted.map { try claim($0, in: subnet, for: container) } ?? claimAny(in: subnet, for: container)
                result.append(address)
                new.append(address)
            }
            if !new.isEmpty {
                try Files.replace(
                    "\(owners)/\(container)", with: Array(result.map(\.description).joined(separator: "\n").utf8),
                    mode: 0o600)
            }
        } catch {
            for address in new { unlink("\(leases)/\(address)") }
            throw error
        }
        for address in before where !result.contains(address) { unlink("\(leases)/\(address)") }
        return result
    }

    private func claim(_ address: IPAddress, in subnet: NetworkRecord.Subnet, for container: String) throws -> IPAddress
    {
        guard subnet.cidr.contains(address) else {
            throw NetworkError.addressOutside(address, network: network, subnet: subnet.cidr)
        }
        if let reason = reserved(address, in: subnet) {
            throw NetworkError.reservedAddress(address, network: network, reason: reason)
        }
        if try link(address, to: container) { return address }
        let other = holder(of: address.description) ?? "?"
        guard other == container else { throw NetworkError.addressInUse(address, network: network, holder: other) }
        return address
    }

    private func reserved(_ address: IPAddress, in subnet: NetworkRecord.Subnet) -> String? {
        if address == subnet.gateway { return "the gateway" }
        if !subnet.cidr.hosts.contains(address) { return "the network's or the broadcast address" }
        if let name = subnet.auxiliaryAddresses.first(where: { $0.value == address })?.key {
            return "reserved under aux_addresses (\(name))"
        }
        return nil
    }

    /// The lowest free address. The directory is read once; a race for one address is lost without harm.
    private func claimAny(in subnet: NetworkRecord.Subnet, for container: String) throws -> IPAddress {
        var taken = Set(try Files.list(leases).compactMap { IPAddress($0) })
        taken.insert(subnet.gateway)
        taken.formUnion(subnet.auxiliaryAddresses.values)
        let range = subnet.ipRange ?? subnet.cidr
        let hosts = subnet.cidr.hosts
        var candidate: IPAddress? = max(range.base, hosts.lowerBound)
        let end = min(range.last, hosts.upperBound)
        while let address = candidate, address <= end {
            if !taken.contains(address), try link(address, to: container) { return address }
            candidate = address.advanced(by: 1)
        }
        throw NetworkError.noFreeAddress(network: network, range: range)
    }

    /// Makes the lease, whole or not at all: a file that a crash left without its container's name could never be
    /// given back. False where another has it.
    private func link(_ address: IPAddress, to container: String) throws -> Bool {
        let temporary = "\(leases)/.\(container).\(UInt32.random(in: 0 ... .max))"
        defer { unlink(temporary) }
        do {
            let file = try OwnedDescriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            try Files.writeAll(file.raw, Array(container.utf8), subject: temporary)
            try check("link", "\(leases)/\(address)") { CLinux.link(temporary, "\(leases)/\(address)") }
        } catch let error as SystemError {
            switch error.errno {
            case .fileExists: return false
            // The directory is moved away while the network is being removed.
            case .noSuchFileOrDirectory: throw NetworkError.notFound(network)
            default: throw error
            }
        }
        return true
    }

    /// Gives back all addresses of a container. None there is no error.
    func release(container: String) throws {
        let list = "\(owners)/\(container)"
        let known = try held(by: container).map(\.description)
        // Without its list a crash may have left leases all the same.
        let names = Files.exists(list) ? known : try Files.list(leases).filter { holder(of: $0) == container }
        for name in names { unlink("\(leases)/\(name)") }
        unlink(list)
    }
}
