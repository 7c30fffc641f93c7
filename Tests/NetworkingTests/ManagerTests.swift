import CLinux
import LinuxSystem
import TestSupport
import Testing

@testable import Networking

extension PrivilegedTests {
    @Suite @BlockingTests struct ManagerTests {
        @Test func networkAndContainer() throws {
            try withPrivateHost { networks, _ in
                let manager = NetworkManager(paths: networks.paths)
                let record = try manager.create(NetworkRequest(name: "p_default", labels: ["a": "b"]))
                #expect(record.subnets.map(\.cidr.description) == ["172.17.0.0/16"])
                #expect(record.mtu == 1400)
                #expect(record.bridge.hasPrefix("swcb") && record.bridge.utf8.count == 14)
                #expect(try manager.get("p_default") == record)
                #expect(try manager.list() == [record])
                #expect(try manager.create(NetworkRequest(name: "p_default")) == record, "same again is the same")
                #expect(throws: NetworkError.differs(network: "p_default", difference: "internal")) {
                    try manager.create(NetworkRequest(name: "p_default", isInternal: true))
                }

                let pid = try networks.makeContainer()
                let result = try manager.attach(
                    AttachRequest(containerID: "c1", pid: pid, interfaces: [.init(network: "p_default")], dns: true))
                let one = try #require(result.interfaces.first)
                #expect(one.ipv4?.description == "172.17.0.2" && one.ipv4PrefixLength == 16 && one.name == "eth0")
                #expect(one.ipv4Gateway?.description == "172.17.0.1" && one.ipv6 == nil)
                #expect(result.dns?.port == 61053)

                let inside = "nsenter --net=/proc/\(pid)/ns/net"
                let addresses = try run("\(inside) ip -br addr")
                #expect(addresses.contains("172.17.0.2/16") && !addresses.contains("fe80"), "\(addresses)")
                #expect(try run("\(inside) ip route").contains("default via 172.17.0.1 dev eth0"))
                #expect(try run("\(inside) ip link show eth0").contains("mtu 1400"))
                #expect(try run("\(inside) ip link show eth0").contains(one.mac.description))
                #expect(try run("bridge -d link").contains("hairpin on"))
                let bridge = try run("ip -d link show \(record.bridge)")
                #expect(bridge.contains("mtu 1400") && bridge.contains("mcast_snooping 0") && bridge.contains(",UP"))
                let mac = bridge.split(separator: "\n")[1].split(separator: " ")[1]
                #expect(try run("busybox ping -c1 -W2 172.17.0.2").contains("1 packets received"))
                #expect(
                    try run("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/\(record.bridge)/route_localnet")
                        == "1\n0\n")

                #expect(throws: NetworkError.inUse(network: "p_default", containers: ["c1"])) {
                    try manager.remove("p_default")
                }
                #expect(try manager.create(NetworkRequest(name: "p_default")) == record, "still there after that")
                networks.end(pid)
                try manager.release(container: "c1", networks: ["p_default", "never-was"])
                #expect(try run("ip -d link show \(record.bridge)").contains(mac), "its MAC does not depend on ports")
                try manager.remove("p_default")
                #expect(try manager.list().isEmpty)
                #expect(try !run("ip -br link").contains("swcb"))
                #expect(throws: NetworkError.notFound("p_default")) { try manager.remove("p_default") }
            }
        }

        @Test func severalNetworksAndIPv6() throws {
            try withPrivateHost { networks, _ in
                let manager = NetworkManager(paths: networks.paths)
                _ = try manager.create(NetworkRequest(name: "inner", isInternal: true))
                let a = try manager.create(NetworkRequest(name: "a", enableIPv6: true, mtu: 1300))
                _ = try manager.create(
                    NetworkRequest(
                        name: "b",
                        subnets: [
                            SubnetRequest(
                                subnet: "10.77.0.0/24", gateway: "10.77.0.254", ipRange: "10.77.0.64/30",
                                auxiliaryAddresses: ["printer": "10.77.0.65"]),
                            SubnetRequest(subnet: "fd00:77::/64"),
                        ], enableIPv6: true))
                #expect(a.subnet(.v6)?.cidr.length == 64)
                #expect(a.subnet(.v6)?.cidr.base.bytes.first == 0xfd)

                let pid = try networks.makeContainer()
                let result = try manager.attach(
                    AttachRequest(
                        containerID: "c", pid: pid,
                        interfaces: [
                            .init(network: "inner"), .init(network: "a"),
                            .init(
                                network: "b", ipv6: "fd00:77::9", mac: "02:00:00:00:00:77", name: "lan1",
                                gatewayPriority: 5),
                        ], dns: false))
                #expect(result.interfaces.map(\.name) == ["eth0", "eth1", "lan1"])
                #expect(result.interfaces[0].ipv4Gateway == nil, "an internal network leads nowhere")
                // .64 is the first of the range and no network address of the subnet.
                #expect(result.interfaces[2].ipv4?.description == "10.77.0.64")
                #expect(result.interfaces[2].ipv6?.description == "fd00:77::9")
                let inside = "nsenter --net=/proc/\(pid)/ns/net"
                let routes = try run("\(inside) sh -c 'ip route; ip -6 route'")
                #expect(routes.contains("default via 10.77.0.254 dev lan1"))
                #expect(routes.contains("default via fd00:77::1 dev lan1"))
                #expect(routes.components(of: "default").count == 2, "\(routes)")
                #expect(try run("\(inside) ip link show lan1").contains("02:00:00:00:00:77"))
                #expect(!(try run("\(inside) ip -6 addr").contains("tentative")), "usable at once")
                #expect(try run("\(inside) busybox ping6 -c1 -W2 fd00:77::1").contains("1 packets received"))
                #expect(
                    try run("cat /proc/sys/net/ipv6/conf/up0/accept_ra /proc/sys/net/ipv6/conf/all/forwarding")
                        == "2\n1\n")

                // In the range only .66 and .67 are left.
                for expected in ["10.77.0.66", "10.77.0.67"] {
                    let other = try networks.makeContainer()
                    let got = try manager.attach(
                        AttachRequest(
                            containerID: "c\(expected)", pid: other, interfaces: [.init(network: "b")], dns: false))
                    #expect(got.interfaces[0].ipv4?.description == expected)
                }
                let late = try networks.makeContainer()
                #expect(throws: NetworkError.noFreeAddress(network: "b", range: IPPrefix("10.77.0.64/30")!)) {
                    try manager.attach(
                        AttachRequest(
                            containerID: "late", pid: late, interfaces: [.init(network: "a"), .init(network: "b")],
                            dns: false))
                }
                #expect(try manager.leases("a").containers() == ["c"], "what it had taken on a is given back")
            }
        }

        @Test func staticAddressErrors() throws {
            try withPrivateHost { networks, _ in
                let manager = NetworkManager(paths: networks.paths)
                _ = try manager.create(
                    NetworkRequest(
                        name: "n",
                        subnets: [SubnetRequest(subnet: "10.9.0.0/24", auxiliaryAddresses: ["x": "10.9.0.7"])]))
                let pid = try networks.makeContainer()
                _ = try manager.attach(
                    AttachRequest(
                        containerID: "first", pid: pid, interfaces: [.init(network: "n", ipv4: "10.9.0.5")], dns: false)
                )
                func attempt(_ interface: InterfaceRequest) -> String {
                    do {
                        _ = try manager.attach(
                            AttachRequest(containerID: "second", pid: pid, interfaces: [interface], dns: false))
                        return "no error"
                    } catch { return "\(error)" }
                }
                #expect(
                    attempt(.init(network: "n", ipv4: "10.9.0.5"))
                        == "address 10.9.0.5 on network n is in use by container first")
                #expect(
                    attempt(.init(network: "n", ipv4: "10.8.0.5"))
                        == "address 10.8.0.5 is not in subnet 10.9.0.0/24 of network n")
                #expect(attempt(.init(network: "n", ipv4: "10.9.0.1")).contains("it is the gateway"))
                #expect(attempt(.init(network: "n", ipv4: "10.9.0.255")).contains("broadcast"))
                #expect(attempt(.init(network: "n", ipv4: "10.9.0.7")).contains("aux_addresses (x)"))
                #expect(attempt(.init(network: "n", ipv4: "fd00::1")).contains("is no IPv4 address"))
                #expect(attempt(.init(network: "n", ipv6: "fd00::1")).contains("no IPv6 subnet"))
                #expect(attempt(.init(network: "n", mac: "01:00:00:00:00:01")).contains("no usable MAC address"))
                #expect(attempt(.init(network: "m")) == "network m not found")
            }
        }

        @Test func poolsAvoidWhatIsThere() throws {
            try withPrivateHost { networks, _ in
                try run("ip route add 172.16.0.0/14 via 192.0.2.1; ip route add blackhole 172.20.5.0/24")
                let manager = NetworkManager(paths: networks.paths)
                let first = try manager.create(NetworkRequest(name: "one"))
                #expect(first.subnets[0].cidr.description == "172.21.0.0/16")
                #expect(try manager.create(NetworkRequest(name: "two")).subnets[0].cidr.description == "172.22.0.0/16")
                func error(_ subnet: SubnetRequest) -> String {
                    do {
                        _ = try manager.create(NetworkRequest(name: "x", subnets: [subnet]))
                        return "no error"
                    } catch { return "\(error)" }
                }
                #expect(
                    error(.init(subnet: "172.21.9.0/24"))
                        == "network x: subnet 172.21.9.0/24 overlaps with 172.21.0.0/16 of network one")
                #expect(error(.init(subnet: "192.0.2.0/24")).contains("of interface up0"))
                #expect(
                    error(.init(subnet: "10.1.0.0/24", gateway: "10.2.0.1")).contains(
                        "gateway 10.2.0.1 is not in subnet"))
                #expect(
                    error(.init(subnet: "10.1.0.0/24", ipRange: "10.0.0.0/8")).contains("ip_range 10.0.0.0/8 is not in")
                )
                #expect(error(.init(subnet: "10.1.0.0")).contains("no network in CIDR notation"))
                #expect(
                    error(.init(subnet: "172.18.0.0/24")) == "no error",
                    "a mere route is no obstacle to who asks for it")
            }
        }

        @Test func driverOptions() throws {
            try withPrivateHost { networks, _ in
                let manager = NetworkManager(paths: networks.paths)
                let (mtu, bridge) = ("com.docker.network.driver.mtu", "com.docker.network.bridge.name")
                let record = try manager.create(NetworkRequest(name: "n", options: [mtu: "1280", bridge: "br-mine"]))
                #expect(record.mtu == 1280 && record.bridge == "br-mine")
                #expect(try run("ip link show br-mine").contains("mtu 1280"))
                func error(_ options: [String: String], name: String = "x") -> String {
                    do {
                        _ = try manager.create(NetworkRequest(name: name, options: options))
                        return "no error"
                    } catch { return "\(error)" }
                }
                #expect(error([mtu: "big"]) == "network x: MTU \"big\" is no number")
                #expect(error([mtu: "7"]) == "network x: MTU 7 is not in 68…65535")
                #expect(error([bridge: "br-mine"]) == "network x: bridge name br-mine is that of network n")
                #expect(error([bridge: "up0"]) == "network x: an interface named up0 exists already")
                #expect(error([bridge: "much-too-long-name"]).contains("must have 1 to 15 characters"))
                #expect(
                    error(["com.docker.network.bridge.enable_icc": "false"]).contains(
                        "enable_icc=false is not supported"))
                #expect(error([:], name: "../x").contains("only [a-zA-Z0-9][a-zA-Z0-9_.-]* are allowed"))
                #expect(error(["com.docker.network.bridge.enable_icc": "true"]) == "no error")
            }
        }

        /// Records outlive the kernel's side, and containers what held them.
        @Test func recovery() throws {
            try withPrivateHost { networks, _ in
                let manager = NetworkManager(paths: networks.paths)
                let record = try manager.create(NetworkRequest(name: "n", enableIPv6: true))
                let held = try networks.makeContainer()
                let before = try manager.attach(
                    AttachRequest(containerID: "c", pid: held, interfaces: [.init(network: "n")], dns: false))
                // The same container again, while the old namespace still holds its interface.
                let pid = try networks.makeContainer()
                let after = try manager.attach(
                    AttachRequest(containerID: "c", pid: pid, interfaces: [.init(network: "n")], dns: false))
                #expect(after.interfaces == before.interfaces)
                #expect(try manager.leases("n").containers() == ["c"])
                try run(
                    "ip addr del \(record.subnets[0].gateway)/16 dev \(record.bridge); ip addr add 10.5.5.5/24 dev \(record.bridge); ip link set \(record.bridge) down"
                )
                try manager.ensure(record)
                let addresses = try run("ip -br addr show \(record.bridge)")
                #expect(
                    addresses.contains("172.17.0.1/16") && !addresses.contains("10.5.5.5") && addresses.contains("UP"))
                try run("ip link del \(record.bridge)")
                let next = try networks.makeContainer()
                _ = try manager.attach(
                    AttachRequest(containerID: "d", pid: next, interfaces: [.init(network: "n")], dns: false))
                #expect(try run("ip -br link show \(record.bridge)").contains("UP"), "made again by the attach")
                // A release without the container's list still finds its leases.
                unlink("\(networks.paths.networks)/n/owners/c")
                try manager.release(container: "c", networks: ["n"])
                try manager.release(container: "d", networks: ["n"])
                try run("ip link del \(record.bridge)")
                try manager.remove("n")
                #expect(try manager.get("n") == nil)
            }
        }

        @Test func concurrentLeasesAreDistinct() throws {
            try withPrivateHost { networks, _ in
                let manager = NetworkManager(paths: networks.paths)
                let record = try manager.create(NetworkRequest(name: "n"))
                let store = manager.leases("n")
                let results = Results()
                let threads = (0..<4).map { worker in
                    TestThread {
                        for number in 0..<50 {
                            let got = try? store.acquire(
                                container: "c\(worker)-\(number)", subnets: record.subnets, fixed: [])
                            results.add(got?.first)
                        }
                    }
                }
                for thread in threads { thread.join() }
                let addresses = results.all
                #expect(Set(addresses).count == 200)
                #expect(addresses.max()?.description == "172.17.0.201", "no holes")
            }
        }
    }
}

extension String {
    fileprivate func components(of word: String) -> [Substring] { split(separator: "\n").filter { $0.contains(word) } }
}
