import Testing

@testable import Networking

@Suite struct AddressTests {
    @Test(arguments: [
        ("::", "::"), ("::1", "::1"), ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"), ("0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::ffff:10.1.2.3", "::ffff:10.1.2.3"),
        ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
        ("fe80::", "fe80::"), ("172.18.0.2", "172.18.0.2"), ("255.255.255.255", "255.255.255.255"),
        ("0.0.0.0", "0.0.0.0"),
    ])
    func formatsAsRFC5952(text: String, canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
        #expect(IPAddress(bytes: address.bytes) == address)
    }

    @Test(arguments: [
        "", ":", ":::", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.0.0.1", "1..2.3", "1.2.3.4 ", "+1.2.3.4", "1::2::3",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::", "1:", ":1", "1:2:3:4:5:6:7:",
        "::1%eth0",
        "[::1]", "1.2.3.4::", "::1.2.3", "::+1", "::-1",
    ])
    func refuses(text: String) { #expect(IPAddress(text) == nil) }

    @Test func prefixes() throws {
        let net = try #require(IPPrefix("172.18.5.9/16"))
        #expect(net.description == "172.18.0.0/16")
        #expect(net.last.description == "172.18.255.255")
        #expect(net.contains(IPAddress("172.18.255.255")!) && !net.contains(IPAddress("172.19.0.0")!))
        #expect(net.overlaps(IPPrefix("172.16.0.0/12")!) && net.overlaps(IPPrefix("172.18.9.0/24")!))
        #expect(!net.overlaps(IPPrefix("172.19.0.0/16")!) && !net.overlaps(IPPrefix("::/0")!))
        #expect(
            net.hosts.lowerBound.description == "172.18.0.1" && net.hosts.upperBound.description == "172.18.255.254")
        #expect(IPPrefix("fd00::/64")!.hosts.upperBound.description == "fd00::ffff:ffff:ffff:ffff")
        #expect(IPPrefix("::/0")!.last.value == .max && IPPrefix("0.0.0.0/0")!.last.description == "255.255.255.255")
        for bad in ["172.18.0.0", "172.18.0.0/33", "172.18.0.0/", "172.18.0.0/-1", "172.18.0.0/+8", "::/129", "/8"] {
            #expect(IPPrefix(bad) == nil, "\(bad)")
        }
    }

    @Test func subnetsInOrder() {
        let parts = Array(IPPrefix("192.168.0.0/16")!.subnets(ofLength: 20))
        #expect(parts.count == 16)
        #expect(parts.first?.description == "192.168.0.0/20" && parts.last?.description == "192.168.240.0/20")
        #expect(Array(IPPrefix("255.255.255.254/31")!.subnets(ofLength: 32)).count == 2)
        #expect(Array(IPPrefix("::/0")!.subnets(ofLength: 0)).count == 1)
    }

    @Test func macAddresses() {
        #expect(MACAddress("02:42:AC-11-00:02")?.description == "02:42:ac:11:00:02")
        for bad in ["", "02:42:ac:11:00", "2:42:ac:11:0:2", "02:42:ac:11:00:0g", "02:42:ac:11:00:+1"] {
            #expect(MACAddress(bad) == nil, "\(bad)")
        }
        #expect(MACAddress("01:00:5e:00:00:01")?.isUsable == false)
        #expect(MACAddress(derivedFrom: .max).isUsable)
    }
}
