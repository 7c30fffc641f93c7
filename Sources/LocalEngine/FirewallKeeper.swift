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
            state.published += ports
            try firewall.publish(ports)
        }
    }

    func unpublish(_ ports: [PublishedPort]) throws {
        guard !ports.isEmpty else { return }
        try wanted.withLock { state in
            state.published.removeAll { ports.contains($0) }
            try firewall.unpublish(ports)
        }
    }

    /// All of it at once: at adoption, and after somebody else flushed the rules.
    func apply(networks: [NetworkRecord], published: [PublishedPort]) throws {
        try wanted.withLock { state in
            state = FirewallState(bridges: networks.map(BridgeRule.init), published: published)
            try Self.put(state, into: firewall)
        }
    }

    func reapplyIfMissing() throws {
        try wanted.withLock { state in
            if try !state.isEmpty && !firewall.isPresent() { try Self.put(state, into: firewall) }
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
        if state.isEmpty { try firewall.remove() } else { try firewall.apply(state) }
    }
}
