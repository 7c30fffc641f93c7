internal import LinuxSystem
internal import Networking
internal import Synchronization

/// The project's rules as they should be, kept in step with the kernel's. All calls block.
final class FirewallKeeper: Sendable {
    private let firewall: Firewall
    private let wanted = Mutex(FirewallState())

    init(project: String) { firewall = Firewall(owner: project) }

    /// Rules for a network of the project's.
    func add(_ network: NetworkRecord) throws {
        try change { state in
            state.bridges.removeAll { $0.name == network.bridge }
            state.bridges.append(BridgeRule(network))
        }
    }

    func removeNetwork(bridge: String) throws {
        try change { state in state.bridges.removeAll { $0.name == bridge } }
    }

    func publish(_ ports: [PublishedPort]) throws {
        guard !ports.isEmpty else { return }
        try wanted.withLock { state in
            // A project whose networks are all another's has no table before its first port.
            let hasTable = !state.isEmpty
            state.published += ports
            if hasTable { try firewall.publish(ports) } else { try Self.put(state, into: firewall) }
        }
    }

    func unpublish(_ ports: [PublishedPort]) throws {
        guard !ports.isEmpty else { return }
        try wanted.withLock { state in
            state.published.removeAll { ports.contains($0) }
            try firewall.unpublish(ports)
            if state.isEmpty { try firewall.remove() }
        }
    }

    /// Takes back what was published for these ports; nothing where that never happened.
    func withdraw(_ bindings: [PortBinding]) throws {
        let addresses = Set(bindings.map(\.port.port))
        let own = wanted.withLock { state in state.published.filter { addresses.contains($0.port) } }
        try unpublish(own.filter { port in bindings.contains { $0.matches(port) } })
    }

    /// All of it at once: at adoption, and after somebody else flushed the rules.
    func apply(networks: [NetworkRecord], published: [PublishedPort]) throws {
        try wanted.withLock { state in
            state = FirewallState(bridges: networks.map(BridgeRule.init), published: published)
            try Self.put(state, into: firewall)
        }
    }

    /// Somebody changed the packet filter: what is missing of ours is put back.
    func repair() throws {
        try wanted.withLock { state in
            guard !state.isEmpty else { return }
            if try !firewall.isPresent() { try firewall.apply(state) }
            try Self.openForeign(state)
        }
    }

    private func change(_ body: (inout FirewallState) -> Void) throws {
        try wanted.withLock { state in
            body(&state)
            try Self.put(state, into: firewall)
        }
    }

    /// A project without networks has no table.
    private static func put(_ state: FirewallState, into firewall: Firewall) throws {
        if state.isEmpty {
            try firewall.remove()
        } else {
            try firewall.apply(state)
            try openForeign(state)
        }
    }

    /// Others whose filters drop what is forwarded (Docker's, ufw's) have to let our bridges through.
    private static func openForeign(_ state: FirewallState) throws {
        for warning in try Firewall.reconcileForeign(bridges: state.bridges).warnings { EngineLog.write(warning) }
    }
}

extension FirewallState {
    fileprivate var isEmpty: Bool { bridges.isEmpty && published.isEmpty }
}
