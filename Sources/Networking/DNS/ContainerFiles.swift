/// The text of what a container finds as /etc/resolv.conf, /etc/hosts and /etc/hostname.
public enum ContainerFiles {
    /// Who answers a container's questions.
    public enum Resolver: Sendable {
        /// The server at 127.0.0.11 in its namespace: networks of ours.
        case embedded
        /// The host's servers, which are reached as the host reaches them: `network_mode: host`.
        case host
        /// No network: the host's servers but for those on its loopback.
        case unreachable
    }

    /// - Parameters:
    ///   - dns: Servers of the container; with ``Resolver/embedded`` they go into ``DNSView/upstreams``, not here.
    ///   - search: Replaces the host's search domains where not empty; `.` alone stands for none.
    ///   - options: Replaces the host's options where not empty.
    ///   - host: The host's resolv.conf; empty where it has none.
    public static func resolvConf(
        _ resolver: Resolver = .embedded, dns: [String], search: [String], options: [String], host: String
    ) -> String {
        if case .host = resolver, dns.isEmpty, search.isEmpty, options.isEmpty { return host }
        let inherited = ResolverConfiguration(parsing: host)
        var nameservers = dns.isEmpty ? inherited.nameservers : dns
        var options = options.isEmpty ? inherited.options : options
        let search = (search.isEmpty ? inherited.search : search).filter { $0 != "." }
        switch resolver {
        case .embedded:
            nameservers = ["127.0.0.11"]
            // A service's name has no dot, and is to be asked for as it is before search domains are tried.
            if !options.contains(where: { $0.hasPrefix("ndots:") }) { options.append("ndots:0") }
        case .host: break
        case .unreachable where dns.isEmpty: nameservers.removeAll { IPAddress($0)?.isLoopback == true }
        case .unreachable: break
        }
        var text = nameservers.map { "nameserver \($0)\n" }.joined()
        if !search.isEmpty { text += "search \(search.joined(separator: " "))\n" }
        if !options.isEmpty { text += "options \(options.joined(separator: " "))\n" }
        return text
    }

    /// - Parameters:
    ///   - addresses: The container's own, each of which gets a line with its host name.
    ///   - extraHosts: `name=address` or `name:address`; the address may be in brackets, or `host-gateway`.
    ///   - hostGateway: What `host-gateway` stands for; nothing where the container cannot reach its host.
    ///   - ipv6Loopback: Whether the container's `lo` has `::1`.
    /// - Throws: ``ContainerFileError``.
    public static func hosts(
        hostname: String, domainname: String? = nil, addresses: [IPAddress], extraHosts: [String],
        hostGateway: [IPAddress], ipv6Loopback: Bool = true
    ) throws(ContainerFileError) -> String {
        var text = "127.0.0.1\tlocalhost\n"
        if ipv6Loopback {
            text += "::1\tlocalhost ip6-localhost ip6-loopback\n"
            text += "fe00::\tip6-localnet\nff00::\tip6-mcastprefix\n"
            text += "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
        }
        text += try lines(extraHosts, hostGateway)
        let names = domainname.map { $0.isEmpty ? hostname : "\(hostname).\($0) \(hostname)" } ?? hostname
        if !hostname.isEmpty {
            for address in addresses { text += "\(address)\t\(names)\n" }
        }
        return text
    }

    /// With the host's network: the host's own file, and the extra hosts behind it.
    /// - Throws: ``ContainerFileError``.
    public static func hosts(
        host: String, extraHosts: [String], hostGateway: [IPAddress]
    ) throws(ContainerFileError) -> String {
        let separator = host.isEmpty || host.hasSuffix("\n") ? "" : "\n"
        return host + separator + (try lines(extraHosts, hostGateway))
    }

    public static func hostname(_ name: String) -> String { name + "\n" }

    private static func lines(_ extraHosts: [String], _ gateway: [IPAddress]) throws(ContainerFileError) -> String {
        var text = ""
        for entry in extraHosts {
            guard let separator = entry.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
                throw .badExtraHost(entry)
            }
            let name = entry[..<separator]
            let target = entry[entry.index(after: separator)...]
            guard !name.isEmpty, !name.contains(where: { $0.isWhitespace || $0 == "#" }) else {
                throw .badExtraHost(entry)
            }
            if target == "host-gateway" {
                if gateway.isEmpty { throw .noHostGateway(entry) }
                for address in gateway { text += "\(address)\t\(name)\n" }
                continue
            }
            let isBracketed = target.hasPrefix("[") && target.hasSuffix("]")
            guard let address = IPAddress(isBracketed ? target.dropFirst().dropLast() : target) else {
                throw .badExtraHost(entry)
            }
            text += "\(address)\t\(name)\n"
        }
        return text
    }
}

/// An entry of `extra_hosts` that cannot be written.
public enum ContainerFileError: Error, Sendable, Equatable, CustomStringConvertible {
    case badExtraHost(String)
    case noHostGateway(String)

    public var description: String {
        switch self {
        case .badExtraHost(let entry):
            "bad extra host \"\(entry)\": expected name=address, with an IPv4 or IPv6 address or host-gateway"
        case .noHostGateway(let entry):
            "extra host \"\(entry)\": this container has no network by which it could reach the host"
        }
    }
}
