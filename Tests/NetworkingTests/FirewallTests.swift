import CLinux
import LinuxSystem
import TestSupport
import Testing

@testable import Networking

/// One host with two ordinary networks (a: two containers), an internal one, and a LAN.
final class Topology {
    let manager: NetworkManager
    let firewall = Firewall(owner: "proof")
    let host: NetworkNamespace
    let lan: NetworkNamespace
    var records: [String: NetworkRecord] = [:]
    var containers: [String: (namespace: NetworkNamespace, interface: AttachedInterface)] = [:]

    init(_ networks: TestNetworks, lan: NetworkNamespace) throws {
        manager = NetworkManager(paths: networks.paths)
        host = try .current()
        self.lan = lan
        records["a"] = try manager.create(NetworkRequest(name: "a", enableIPv6: true))
        records["b"] = try manager.create(NetworkRequest(name: "b", enableIPv6: true))
        records["i"] = try manager.create(NetworkRequest(name: "i", isInternal: true))
        records["j"] = try manager.create(NetworkRequest(name: "j", isInternal: true))
        for (name, network) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("i1", "i"), ("i2", "i"), ("j1", "j")] {
            let pid = try networks.makeContainer()
            let result = try manager.attach(
                AttachRequest(containerID: name, pid: pid, interfaces: [.init(network: network)], dns: true))
            containers[name] = (try NetworkNamespace(ofProcess: pid), result.interfaces[0])
        }
    }

    subscript(_ name: String) -> NetworkNamespace { containers[name]!.namespace }
    func ipv4(_ name: String) -> IPAddress { containers[name]!.interface.ipv4! }
    func ipv6(_ name: String) -> IPAddress { containers[name]!.interface.ipv6! }
    var bridges: [BridgeRule] { records.values.map(BridgeRule.init).sorted { $0.name < $1.name } }

    func port(
        _ host: String?, _ port: UInt16, to container: String, _ inside: UInt16 = 80,
        _ transport: PublishedPort.Transport = .tcp,
        v6: Bool = false
    ) -> PublishedPort {
        PublishedPort(
            hostIP: host.map { IPAddress($0)! }, port: port, transport: transport,
            containerIP: v6 ? ipv6(container) : ipv4(container), containerPort: inside)
    }
}

extension PrivilegedTests {
    @Suite @BlockingTests struct FirewallTests {
        @Test func publishedPorts() throws {
            try withPrivateHost { networks, lan in
                let net = try Topology(networks, lan: lan)
                try net.firewall.apply(
                    FirewallState(
                        bridges: net.bridges,
                        published: [
                            net.port(nil, 8080, to: "a1"), net.port(nil, 8080, to: "a1", v6: true),
                            net.port("127.0.0.1", 8081, to: "a1"), net.port("192.0.2.2", 8082, to: "a1"),
                            net.port("2001:db8::2", 8083, to: "a1", v6: true),
                            net.port("0.0.0.0", 9090, to: "a1", 53, .udp),
                        ]))
                let a1 = try Probe.server(in: net["a1"], 80)
                let a1v6 = try Probe.server(in: net["a1"], 80, on: net.ipv6("a1"))
                let gateway = net.records["a"]!.subnets[0].gateway
                // From the LAN the container sees the real address.
                #expect(
                    try Probe.reaches(a1, from: lan, "192.0.2.2", 8080, wait: Probe.patience)?.description
                        == "192.0.2.1")
                #expect(
                    try Probe.reaches(a1, from: lan, "192.0.2.2", 8082, wait: Probe.patience)?.description
                        == "192.0.2.1")
                #expect(try Probe.reaches(a1, from: lan, "192.0.2.2", 8081) == nil, "published on 127.0.0.1 only")
                #expect(
                    try Probe.reaches(a1v6, from: lan, "2001:db8::2", 8080, wait: Probe.patience)?.description
                        == "2001:db8::1")
                #expect(
                    try Probe.reaches(a1v6, from: lan, "2001:db8::2", 8083, wait: Probe.patience)?.description
                        == "2001:db8::1")
                // From the host itself, by all of its addresses.
                #expect(try Probe.reaches(a1, from: net.host, "127.0.0.1", 8080, wait: Probe.patience) == gateway)
                #expect(try Probe.reaches(a1, from: net.host, "127.0.0.1", 8081, wait: Probe.patience) == gateway)
                #expect(try Probe.reaches(a1, from: net.host, "127.0.0.1", 8082) == nil)
                #expect(try Probe.reaches(a1, from: net.host, "192.0.2.2", 8080, wait: Probe.patience) != nil)
                #expect(try Probe.reaches(a1v6, from: net.host, "2001:db8::2", 8080, wait: Probe.patience) != nil)
                // From another container of the network, from itself, and from another network.
                #expect(try Probe.reaches(a1, from: net["a2"], "192.0.2.2", 8080, wait: Probe.patience) == gateway)
                #expect(try Probe.reaches(a1, from: net["a1"], "192.0.2.2", 8080, wait: Probe.patience) == gateway)
                #expect(
                    try Probe.reaches(a1, from: net["a1"], gateway.description, 8080, wait: Probe.patience) == gateway)
                #expect(try Probe.reaches(a1v6, from: net["a2"], "2001:db8::2", 8080, wait: Probe.patience) != nil)
                #expect(try Probe.reaches(a1, from: net["b1"], "192.0.2.2", 8080, wait: Probe.patience) != nil)
                #expect(try Probe.reaches(a1, from: net["i1"], "192.0.2.2", 8080) == nil, "internal is internal")
                // UDP, with the answer.
                let udp = try Probe.server(in: net["a1"], 53, .udp)
                for (source, target) in [
                    (lan, "192.0.2.2"), (net.host, "127.0.0.1"), (net["a2"], "192.0.2.2"), (net["a1"], "192.0.2.2"),
                ] {
                    #expect(
                        try Probe.exchanges(
                            udp, Probe.client(in: source, .udp, to: IPAddress(target)!, 9090), wait: Probe.patience)
                            != nil,
                        "\(target)")
                }
            }
        }

        @Test func isolation() throws {
            try withPrivateHost { networks, lan in
                let net = try Topology(networks, lan: lan)
                let a1 = try Probe.server(in: net["a1"], 80)
                let i1 = try Probe.server(in: net["i1"], 80)
                let j1 = try Probe.server(in: net["j1"], 80)
                let a1v6 = try Probe.server(in: net["a1"], 80, on: net.ipv6("a1"))
                let onLAN = try Probe.server(in: lan, 80)
                let onHost = try Probe.server(in: net.host, 80)
                let local = try Probe.server(in: net.host, 7000, on: IPAddress("127.0.0.1")!)
                let onLANv6 = try Probe.server(in: lan, 80, on: IPAddress("2001:db8::1")!)
                let (address, address6) = (net.ipv4("a1").description, net.ipv6("a1").description)
                func gateway(_ network: String) -> String {
                    net.records[network]!.subnet(.v4)!.gateway.description
                }

                // Everybody does their worst: routes to where they have no business, and wrong addresses.
                func toLoopback(via gateway: String) -> String {
                    """
                    ip route add 127.0.0.0/8 via \(gateway) table 99; ip rule add to 127.0.0.0/8 table 99 pref 1
                    ip rule add from all lookup local pref 10; ip rule del pref 0
                    echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
                    """
                }
                try lan.run {
                    try run("ip route add 172.16.0.0/12 via 192.0.2.2; ip -6 route add fd00::/8 via 2001:db8::2")
                    try run(toLoopback(via: "192.0.2.2"))
                    try run("ip route add 10.66.0.1 via 192.0.2.2")
                }
                try run(
                    "echo 1 > /proc/sys/net/ipv4/conf/up0/route_localnet; ip route add 10.66.0.1 via \(net.ipv4("b1"))")
                try net["i1"].run { try run("ip route add default via \(gateway("i"))") }
                try net["j1"].run { try run("ip route add default via \(gateway("j"))") }
                try net["a2"].run { try run(toLoopback(via: gateway("a"))) }
                let spoofer = net["b1"]
                try spoofer.run {
                    try run("ip addr add 10.66.0.1/32 dev lo; ip route add 192.0.2.1 via \(gateway("b")) src 10.66.0.1")
                }
                let forbidden: [(String, OwnedDescriptor, NetworkNamespace, String, UInt16)] = [
                    ("network to network", a1, net["b1"], address, 80),
                    ("network to network, IPv6", a1v6, net["b1"], address6, 80),
                    ("LAN to what is not published", a1, lan, address, 80),
                    ("LAN to what is not published, IPv6", a1v6, lan, address6, 80),
                    ("internal to LAN", onLAN, net["i1"], "192.0.2.1", 80),
                    ("internal to network", a1, net["i1"], address, 80),
                    ("network to internal", i1, net["a1"], net.ipv4("i1").description, 80),
                    ("internal to internal", j1, net["i1"], net.ipv4("j1").description, 80),
                    ("internal to host", onHost, net["i1"], gateway("i"), 80),
                    ("LAN to 127.0.0.1", local, lan, "127.0.0.1", 7000),
                    ("container to the host's 127.0.0.1", local, net["a2"], "127.0.0.1", 7000),
                    ("with a wrong address", onLAN, spoofer, "192.0.2.1", 80),
                ]
                for record in net.records.values {
                    try run("echo 1 > /proc/sys/net/ipv4/conf/\(record.bridge)/route_localnet")
                }
                for (what, server, source, target, port) in forbidden {
                    #expect(
                        try Probe.reaches(server, from: source, target, port, wait: Probe.patience) != nil,
                        "without rules: \(what)")
                }
                // Connections made until now would count as established.
                try run("conntrack -F 2>/dev/null")
                try net.firewall.apply(
                    FirewallState(bridges: net.bridges, published: [net.port("127.0.0.1", 8081, to: "a1")]))
                for (what, server, source, target, port) in forbidden {
                    #expect(try Probe.reaches(server, from: source, target, port) == nil, "\(what)")
                }
                #expect(try Probe.reaches(a1, from: lan, "127.0.0.1", 8081) == nil)

                // And what must go on. Neighbours see each other as they are.
                #expect(try Probe.reaches(a1, from: net["a2"], address, 80, wait: Probe.patience) == net.ipv4("a2"))
                #expect(try Probe.reaches(a1v6, from: net["a2"], address6, 80, wait: Probe.patience) == net.ipv6("a2"))
                #expect(
                    try Probe.reaches(i1, from: net["i2"], net.ipv4("i1").description, 80, wait: Probe.patience)
                        == net.ipv4("i2"))
                #expect(
                    try Probe.reaches(a1, from: net.host, address, 80, wait: Probe.patience) != nil,
                    "the host reaches containers")
                #expect(
                    try Probe.reaches(i1, from: net.host, net.ipv4("i1").description, 80, wait: Probe.patience) != nil)
                // Out to the LAN, behind the host's address.
                #expect(
                    try Probe.reaches(onLAN, from: net["a1"], "192.0.2.1", 80, wait: Probe.patience)?.description
                        == "192.0.2.2")
                #expect(
                    try Probe.reaches(onLANv6, from: net["a1"], "2001:db8::1", 80, wait: Probe.patience)?.description
                        == "2001:db8::2")
                #expect(
                    try Probe.reaches(onHost, from: net["a1"], "192.0.2.2", 80, wait: Probe.patience) != nil,
                    "the host's own services")
            }
        }

        @Test func nftAgrees() throws {
            try withPrivateHost { networks, lan in
                let net = try Topology(networks, lan: lan)
                #expect(try !net.firewall.isPresent())
                let first = net.port(nil, 8080, to: "a1")
                #expect(throws: NetworkError.firewallNotApplied(table: "swcompose-proof")) {
                    try net.firewall.publish([first])
                }
                try net.firewall.apply(FirewallState(bridges: net.bridges, published: []))
                #expect(try net.firewall.isPresent())
                try net.firewall.publish([
                    first, net.port("192.0.2.2", 53, to: "a2", 53, .udp), net.port(nil, 443, to: "b1", v6: true),
                ])
                var rules = try run("nft list ruleset")
                #expect(rules.contains("tcp . 8080 : \(net.ipv4("a1")) . 80"), "\(rules)")
                #expect(rules.contains("192.0.2.2 . udp . 53 : \(net.ipv4("a2")) . 53"))
                #expect(rules.contains("tcp . 443 : \(net.ipv6("b1")) . 80"))
                #expect(
                    try run("nft list set inet swcompose-proof internal").contains("\"\(net.records["i"]!.bridge)\""))
                for line in [
                    "iifname @bridges ip daddr 127.0.0.0/8 drop",
                    "iifname . ip saddr != @v4nets ip saddr != 0.0.0.0 drop",
                    "dnat ip to ip daddr . meta l4proto . th dport map @pub4addr", "fib daddr type local jump publish",
                    "oifname @bridges ct status dnat ip saddr 127.0.0.0/8 masquerade", "iifname . oifname vmap @same",
                    "ct state established,related accept", "oifname @bridges drop",
                    "iifname @internal ct state new drop",
                    "iifname . ip6 saddr != @v6nets ip6 saddr != :: ip6 saddr != fe80::/10 drop",
                ] { #expect(rules.contains(line), "\(line)\n\(rules)") }
                // A container that takes over a port: one transaction. The same again is nothing new.
                let moved = net.port(nil, 8080, to: "a2")
                try net.firewall.publish([moved])
                try net.firewall.publish([moved])
                rules = try run("nft list map inet swcompose-proof pub4any")
                #expect(rules.contains(net.ipv4("a2").description) && !rules.contains(net.ipv4("a1").description))
                // Whatever was done to the table, a change puts it right.
                try run("nft delete element inet swcompose-proof pub4any '{ tcp . 8080 }'")
                try net.firewall.unpublish([moved])
                try run("nft flush ruleset")
                #expect(try !net.firewall.isPresent())
                try net.firewall.publish([first])
                #expect(try run("nft list ruleset").contains("tcp . 8080 : \(net.ipv4("a1")) . 80"))
                try net.firewall.unpublish([first])
                #expect(try !run("nft list map inet swcompose-proof pub4any").contains("8080"))
                try net.firewall.remove()
                try net.firewall.remove()
                #expect(try !run("nft list ruleset").contains("swcompose"))
            }
        }

        /// A stream of UDP follows its port, though it never pauses.
        @Test func udpStreamsFollow() throws {
            try withPrivateHost { networks, lan in
                let net = try Topology(networks, lan: lan)
                let onHost = try Probe.server(in: net.host, 5353, .udp)
                let one = try Probe.server(in: net["a1"], 53, .udp)
                let two = try Probe.server(in: net["a2"], 53, .udp)
                let client = try Probe.client(in: lan, .udp, to: IPAddress("192.0.2.2")!, 5353)
                try net.firewall.apply(FirewallState(bridges: net.bridges, published: []))
                #expect(try Probe.exchanges(onHost, client, wait: Probe.patience) != nil)
                let first = net.port(nil, 5353, to: "a1", 53, .udp)
                try net.firewall.publish([first])
                #expect(
                    try Probe.exchanges(one, client, wait: Probe.patience) != nil, "the stream was the host's before")
                try net.firewall.unpublish([first])
                try net.firewall.publish([net.port(nil, 5353, to: "a2", 53, .udp)])
                #expect(try Probe.exchanges(two, client, wait: Probe.patience) != nil)
            }
        }

        @Test func dnsIsRedirected() throws {
            try withPrivateHost { networks, _ in
                let manager = NetworkManager(paths: networks.paths)
                let pid = try networks.makeContainer()
                let inside = try NetworkNamespace(ofProcess: pid)
                var result: AttachResult? = try manager.attach(
                    AttachRequest(containerID: "c", pid: pid, interfaces: [], dns: true))
                let resolver = IPAddress("127.0.0.11")!
                func works(_ sockets: DNSSockets) throws {
                    let client = try Probe.client(in: inside, .udp, to: resolver, 53)
                    #expect(try Probe.exchanges(sockets.udp, client, wait: Probe.patience) != nil)
                    #expect(try Probe.reaches(sockets.tcp, from: inside, "127.0.0.11", 53, wait: Probe.patience) != nil)
                }
                try works(#require(result?.dns))
                // A DNS server of the container's own has port 53 for itself.
                let own = try Probe.server(in: inside, 53, .udp)
                #expect(
                    try Probe.exchanges(
                        own, Probe.client(in: inside, .udp, to: IPAddress("127.0.0.1")!, 53), wait: Probe.patience)
                        != nil)
                result = nil
                let again = try manager.openDNSSockets(pid: pid)
                #expect(again.port == 61053)
                try works(again)
                // The port lost to somebody else meanwhile.
                let other = try manager.openDNSSockets(pid: pid)
                #expect(other.port == 61054)
                try works(other)
            }
        }
    }
}
