internal import CLinux
internal import LinuxSystem
internal import SystemPackage

extension NetworkManager {
    /// Makes the network's bridge again, as after a restart of the host, or puts it right. Nothing to do is no error.
    public func ensure(_ record: NetworkRecord) throws {
        try leases(record.name).open()
        try Bridges.ensure(record)
    }

    /// Puts a container on networks: addresses are taken, its interfaces made and configured in its namespace. It must
    /// not have interfaces yet. What a container that was killed left on the host (addresses, an interface of the same
    /// name) is taken over.
    ///
    /// Runs on the calling thread, which visits the container's namespace and comes back.
    /// - Throws: ``NetworkError``, ``NetlinkError``, ``SystemError``; then nothing is left.
    public func attach(_ request: AttachRequest) throws -> AttachResult {
        var names: Set<String> = []
        for interface in request.interfaces where !names.insert(interface.network).inserted {
            throw NetworkError.invalid(network: interface.network, reason: "the container is to be put on it twice")
        }
        let namespace = try NetworkNamespace(ofProcess: request.pid)
        var planned: [PlannedInterface] = []
        do {
            for (index, interface) in request.interfaces.enumerated() {
                planned.append(try plan(interface, index: index, container: request.containerID))
            }
            try connect(planned, to: namespace)
            let gateway = Self.gatewayInterface(planned)
            let dns = try namespace.run {
                try Self.configure(planned, gateway: gateway)
                return request.dns ? try DNSSockets.open(pid: request.pid) : nil
            }
            return AttachResult(interfaces: planned.map(\.result), dns: dns)
        } catch {
            // The interfaces go first: their addresses may be another's in the next moment.
            if let socket = try? RouteSocket() {
                for interface in planned { try? socket.socket.send([RouteMessage.delete(interface.port)]) }
            }
            for interface in planned { try? leases(interface.record.name).release(container: request.containerID) }
            throw error
        }
    }

    /// Gives back the addresses a container has on these networks. Those gone, or without it, are passed over. Its
    /// interfaces go with its namespace.
    public func release(container id: String, networks: [String]) throws {
        for name in networks where Self.isValid(name: name) && Files.exists(directory(name)) {
            try leases(name).release(container: id)
        }
    }

    /// Makes the DNS sockets of a running container anew, and the redirection to them.
    public func openDNSSockets(pid: Int32) throws -> DNSSockets {
        try NetworkNamespace(ofProcess: pid).run { try DNSSockets.open(pid: pid) }
    }

    // MARK: steps

    struct PlannedInterface {
        var record: NetworkRecord
        /// On the host.
        var port: String
        var priority: Double
        var result: AttachedInterface
    }

    private func plan(_ request: InterfaceRequest, index: Int, container: String) throws -> PlannedInterface {
        guard let record = try get(request.network) else { throw NetworkError.notFound(request.network) }
        func invalid(_ reason: String) -> NetworkError { .invalid(network: record.name, reason: reason) }
        let fixed = try [(request.ipv4, IPAddress.Family.v4), (request.ipv6, .v6)].compactMap {
            text, family -> IPAddress? in
            guard let text, !text.isEmpty else { return nil }
            let words = family == .v4 ? "IPv4" : "IPv6"
            guard let address = IPAddress(text), address.family == family else {
                throw invalid("\"\(text)\" is no \(words) address")
            }
            guard record.subnet(family) != nil else {
                throw invalid("it has no \(words) subnet for address \(address)")
            }
            return address
        }
        let mac: MACAddress
        if let text = request.mac, !text.isEmpty {
            guard let parsed = MACAddress(text), parsed.isUsable else {
                throw invalid("\"\(text)\" is no usable MAC address")
            }
            mac = parsed
        } else {
            mac = MACAddress(derivedFrom: Naming.hash(record.id, container))
        }
        let name = request.name.flatMap { $0.isEmpty ? nil : $0 } ?? "eth\(index)"
        let addresses = try leases(record.name).acquire(container: container, subnets: record.subnets, fixed: fixed)
        var result = AttachedInterface(network: record.name, name: name, mac: mac)
        for (address, subnet) in zip(addresses, record.subnets) {
            // An internal network leads nowhere: it has no gateway.
            let gateway = record.isInternal ? nil : subnet.gateway
            switch address.family {
            case .v4:
                (result.ipv4, result.ipv4PrefixLength, result.ipv4Gateway) = (address, subnet.cidr.length, gateway)
            case .v6:
                (result.ipv6, result.ipv6PrefixLength, result.ipv6Gateway) = (address, subnet.cidr.length, gateway)
            }
        }
        return PlannedInterface(
            record: record, port: Naming.port(container: container, index: index, root: paths.data),
            priority: request.gatewayPriority, result: result)
    }

    /// Makes all veth pairs in one exchange with the kernel.
    private func connect(_ planned: [PlannedInterface], to namespace: NetworkNamespace) throws {
        guard !planned.isEmpty else { return }
        let socket = try RouteSocket()
        var messages: [NetlinkMessage] = []
        for interface in planned {
            var bridge = if_nametoindex(interface.record.bridge)
            if bridge == 0 {
                try ensure(interface.record)
                bridge = if_nametoindex(interface.record.bridge)
            }
            // Left by a container of the same identity whose namespace somebody still holds.
            if if_nametoindex(interface.port) != 0 {
                try socket.socket.send([RouteMessage.delete(interface.port)]) { $1 == Errno(rawValue: ENODEV) }
            }
            let peer = VethPeer(name: interface.result.name, mac: interface.result.mac, namespace: namespace)
            messages.append(
                RouteMessage.createVeth(interface.port, bridge: bridge, mtu: interface.record.mtu, peer: peer))
            messages.append(RouteMessage.hairpin(interface.port))
        }
        try socket.socket.send(messages)
    }

    /// The interface each family's default route goes by: highest priority, then the first of the request; internal
    /// networks have none.
    static func gatewayInterface(_ planned: [PlannedInterface]) -> [IPAddress.Family: Int] {
        var chosen: [IPAddress.Family: Int] = [:]
        for family in [IPAddress.Family.v4, .v6] {
            for (index, interface) in planned.enumerated() {
                guard (family == .v4 ? interface.result.ipv4Gateway : interface.result.ipv6Gateway) != nil else {
                    continue
                }
                if let best = chosen[family], planned[best].priority >= interface.priority { continue }
                chosen[family] = index
            }
        }
        return chosen
    }

    /// In the container's namespace: lo and the interfaces up, addresses, default routes.
    private static func configure(_ planned: [PlannedInterface], gateway: [IPAddress.Family: Int]) throws {
        let socket = try RouteSocket()
        var messages = [RouteMessage.up("lo")]
        var routes: [NetlinkMessage] = []
        for (position, interface) in planned.enumerated() {
            let result = interface.result
            let index = if_nametoindex(result.name)
            guard index != 0 else { throw SystemError("if_nametoindex", Errno(rawValue: ENODEV), result.name) }
            // Before it is up: its link-local address would be checked for duplicates, and routers asked for.
            try NetworkSysctl.writeIfPresent(NetworkSysctl.path(.v6, result.name, "accept_ra"), 0)
            try NetworkSysctl.writeIfPresent(NetworkSysctl.path(.v6, result.name, "accept_dad"), 0)
            try NetworkSysctl.writeIfPresent(
                NetworkSysctl.path(.v6, result.name, "disable_ipv6"), result.ipv6 == nil ? 1 : 0)
            if let address = result.ipv4, let length = result.ipv4PrefixLength {
                messages.append(RouteMessage.addAddress(address, prefixLength: length, to: result.name, index: index))
            }
            if let address = result.ipv6, let length = result.ipv6PrefixLength {
                messages.append(RouteMessage.addAddress(address, prefixLength: length, to: result.name, index: index))
            }
            messages.append(RouteMessage.up(result.name))
            for case let (family, via?) in [(IPAddress.Family.v4, result.ipv4Gateway), (.v6, result.ipv6Gateway)]
            where gateway[family] == position {
                routes.append(RouteMessage.addDefaultRoute(via: via, interface: result.name, index: index))
            }
        }
        try socket.socket.send(messages + routes)
    }
}
