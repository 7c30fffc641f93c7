/// What one container sees of the names there are, and where its other questions go.
public struct DNSView: Sendable, Equatable {
    /// The container's networks by name, the preferred first. Names on no other network are answered to it.
    public var networks: [String]
    /// Names that only this container knows, each with the service or container names it stands for.
    public var links: [String: [String]]
    /// Domains that the container's resolver tries behind a name. Where the upstream servers do not know or do not
    /// answer a name below one of these, and what is before the domain is a name of ours, that is answered: so
    /// `ndots` above 0 does no harm on a host without a network.
    public var searchDomains: [String]
    /// Addresses of the servers for names that are not ours; empty: those of the host.
    public var upstreams: [String]
    /// False where all the container's networks are internal: names that are not ours are refused, not passed on.
    public var forwards: Bool
    /// False where the container's options set `ndots` above 0: A and AAAA questions for a name without a dot are
    /// then not passed on, since the container's resolver comes back with its search domains.
    public var forwardsSingleLabels: Bool

    public init(
        networks: [String], links: [String: [String]] = [:], searchDomains: [String] = [], upstreams: [String] = [],
        forwards: Bool = true, forwardsSingleLabels: Bool = true
    ) {
        self.networks = networks
        self.links = links
        self.searchDomains = searchDomains
        self.upstreams = upstreams
        self.forwards = forwards
        self.forwardsSingleLabels = forwardsSingleLabels
    }
}

/// Names and addresses of one container on one network.
public struct NameRecord: Sendable, Hashable {
    /// The container's name first: it is what the addresses resolve to. Then service, aliases.
    public var names: [String]
    public var addresses: [IPAddress]
    /// The container's id.
    public var container: String

    public init(names: [String], addresses: [IPAddress], container: String) {
        self.names = names
        self.addresses = addresses
        self.container = container
    }
}
