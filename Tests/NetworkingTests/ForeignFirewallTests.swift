import CLinux
import LinuxSystem
import Synchronization
import Testing

@testable import Networking

extension PrivilegedTests {
    /// Beside Docker, ufw, and whoever else filters forwarded packets.
    @Suite struct ForeignFirewallTests {
        private static let docker = """
            for i in iptables ip6tables; do $i -P FORWARD DROP; $i -N DOCKER-USER; $i -A DOCKER-USER -s 192.0.2.99 -j DROP 2>/dev/null || true
            $i -A DOCKER-USER -j RETURN; $i -A FORWARD -j DOCKER-USER; done
            """

        @Test func besideDocker() throws {
            try withPrivateHost { networks, lan in
                let net = try Topology(networks, lan: lan)
                try net.firewall.apply(FirewallState(bridges: net.bridges, published: [net.port(nil, 8080, to: "a1")]))
                let a1 = try Probe.server(in: net["a1"], 80)
                let onLAN = try Probe.server(in: lan, 80)
                let onLANv6 = try Probe.server(in: lan, 80, on: IPAddress("2001:db8::1")!)
                func works() throws -> [Bool] {
                    [
                        try Probe.reaches(a1, from: lan, "192.0.2.2", 8080) != nil,
                        try Probe.reaches(onLAN, from: net["a1"], "192.0.2.1", 80) != nil,
                        try Probe.reaches(onLANv6, from: net["a1"], "2001:db8::1", 80) != nil,
                    ]
                }
                #expect(try Firewall.reconcileForeign(bridges: net.bridges).changes == 0, "nobody is in the way")
                // First without Docker's chain for users, as ufw.
                try run("iptables -P FORWARD DROP; ip6tables -P FORWARD DROP")
                #expect(try works() == [false, false, false])
                // Four bridges in IPv4, two in IPv6, two rules each.
                #expect(try Firewall.reconcileForeign(bridges: net.bridges).changes == 12)
                #expect(try works() == [true, true, true])
                #expect(try Firewall.reconcileForeign(bridges: net.bridges).changes == 0)
                // In a shape that iptables understands and shows.
                let (bridge, rules) = (net.records["a"]!.bridge, try run("iptables -S FORWARD"))
                #expect(
                    rules.contains("-A FORWARD -i \(bridge) -m comment --comment \"swcompose \(bridge) in\" -j ACCEPT"),
                    "\(rules)")
                // Then Docker starts.
                try run(Self.docker)
                #expect(try Firewall.reconcileForeign(bridges: net.bridges).changes == 24, "moved into DOCKER-USER")
                #expect(try works() == [true, true, true])
                let user = try run("iptables -S DOCKER-USER").split(separator: "\n")
                #expect(user[1] == "-A DOCKER-USER -s 192.0.2.99/32 -j DROP", "the user's own rules come first")
                #expect(user.last == "-A DOCKER-USER -j RETURN" && user.count == 11)
                #expect(try !run("iptables -S FORWARD").contains("swcb"))
                // It isolates no less for that.
                let b1 = try Probe.server(in: net["b1"], 80)
                #expect(try Probe.reaches(b1, from: net["a1"], net.ipv4("b1").description, 80) == nil)
                // A network that goes takes its rules along; another project's call leaves them.
                #expect(try Firewall.reconcileForeign(bridges: []).changes == 0)
                try net.manager.release(container: "j1", networks: ["j"])
                try net.manager.remove("j")
                #expect(try !run("iptables -S").contains(net.records["j"]!.bridge))
                // One that went without us is noticed.
                try run("ip link del \(net.records["b"]!.bridge)")
                #expect(try Firewall.reconcileForeign(bridges: []).changes == 4)
            }
        }

        /// A filter of the administrator's own, in nft.
        @Test func besideOwnNftables() throws {
            try withPrivateHost { networks, lan in
                let net = try Topology(networks, lan: lan)
                try run(
                    "nft 'table inet filter { chain through { type filter hook forward priority 0; policy drop; ct state established accept; }; chain input { type filter hook input priority 0; policy drop; }; }'"
                )
                #expect(try Firewall.reconcileForeign(bridges: net.bridges).changes == 8)
                let rules = try run("nft list chain inet filter through")
                #expect(
                    rules.contains("iifname \"\(net.records["a"]!.bridge)\"")
                        && rules.contains("comment \"swcompose \(net.records["a"]!.bridge) in\""), "\(rules)")
                #expect(try Firewall.reconcileForeign(bridges: net.bridges).changes == 0)
            }
        }

        @Test func watch() throws {
            try withPrivateHost { _, _ in
                let seen = Seen()
                let watch = try Firewall.watchFlush { seen.add($0) }
                let firewall = Firewall(owner: "watched")
                try firewall.apply(FirewallState())
                try firewall.apply(FirewallState())
                try run("nft add table ip somebody")
                #expect(seen.wait(for: 1) == [.foreign], "our own changes are no news")
                try run("nft flush ruleset")
                #expect(seen.wait(for: 3) == [.foreign, .removed(owner: "watched"), .foreign])
                withExtendedLifetime(watch) {}
            }
        }

        @Test func replacementIsNoRemoval() throws {
            var transaction = FirewallTransaction()
            func reply(_ type: Message, _ payload: [UInt8]) -> NetlinkReply {
                NetlinkReply(type: 10 << 8 | type.rawValue, flags: 0, sequence: 0, payload: payload[...])
            }
            let header: [UInt8] = [1, 0, 0, 0]
            let name: [UInt8] = [16, 0, 1, 0] + Array("swcompose-x".utf8) + [0]
            let pid: [UInt8] = [8, 0, 2, 0, 0, 0, 0x12, 0x34]
            #expect(transaction.take(reply(.deleteTable, header + name), isOwn: { $0 == 1 }).isEmpty)
            #expect(transaction.take(reply(.newTable, header + name), isOwn: { $0 == 1 }).isEmpty)
            #expect(transaction.take(reply(.newGeneration, header + pid), isOwn: { $0 == 1 }).isEmpty)
            _ = transaction.take(reply(.deleteTable, header + name), isOwn: { $0 == 1 })
            #expect(transaction.take(reply(.newGeneration, header + pid), isOwn: { $0 == 1 }) == [.removed(owner: "x")])
            _ = transaction.take(reply(.deleteTable, header + name), isOwn: { $0 == 1 })
            #expect(transaction.take(reply(.newGeneration, header + pid), isOwn: { $0 == 0x1234 }).isEmpty)
        }

        enum Message: Int { case newTable = 0, deleteTable = 2, newGeneration = 15 }
    }
}

private final class Seen: Sendable {
    private let changes = Mutex<[FirewallChange]>([])
    func add(_ change: FirewallChange) { changes.withLock { $0.append(change) } }

    /// What has come once there are `count`, or two seconds have gone by.
    func wait(for count: Int) -> [FirewallChange] {
        for _ in 0..<200 {
            let now = changes.withLock { $0 }
            if now.count >= count { return now }
            usleep(10_000)
        }
        return changes.withLock { $0 }
    }
}
