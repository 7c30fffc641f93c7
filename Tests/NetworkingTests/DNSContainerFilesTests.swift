import NIOCore
import Testing

@testable import Networking

@Suite("Files of a container about names") struct DNSContainerFilesTests {
    static let host = """
        # comment
        nameserver 127.0.0.53 ; stub
        nameserver 192.0.2.1
        domain old.example
        search corp.example example
        options edns0 trust-ad

        """

    @Test func embeddedKeepsTheHostsSearchAndOptions() {
        #expect(
            ContainerFiles.resolvConf(dns: ["192.0.2.9"], search: [], options: [], host: Self.host) == """
                nameserver 127.0.0.11
                search corp.example example
                options edns0 trust-ad ndots:0

                """)
    }

    @Test func givenSearchAndOptionsReplaceTheHosts() {
        #expect(
            ContainerFiles.resolvConf(dns: [], search: ["."], options: ["ndots:3"], host: Self.host) == """
                nameserver 127.0.0.11
                options ndots:3

                """)
    }

    @Test func hostNetworkHasTheHostsFile() {
        #expect(ContainerFiles.resolvConf(.host, dns: [], search: [], options: [], host: Self.host) == Self.host)
        #expect(
            ContainerFiles.resolvConf(.host, dns: ["192.0.2.9"], search: ["a"], options: [], host: Self.host) == """
                nameserver 192.0.2.9
                search a
                options edns0 trust-ad

                """)
    }

    @Test func withoutNetworkNoLoopbackServer() {
        let text = ContainerFiles.resolvConf(.unreachable, dns: [], search: ["a"], options: ["b"], host: Self.host)
        #expect(text == "nameserver 192.0.2.1\nsearch a\noptions b\n")
    }

    @Test func hosts() throws {
        let text = try ContainerFiles.hosts(
            hostname: "web", domainname: "example", addresses: [IPAddress("172.18.0.2")!, IPAddress("fd00::2")!],
            extraHosts: ["a=192.0.2.1", "b:192.0.2.2", "c=[fd00::9]", "d=::1", "gw=host-gateway"],
            hostGateway: [IPAddress("172.18.0.1")!])
        #expect(
            text == """
                127.0.0.1\tlocalhost
                ::1\tlocalhost ip6-localhost ip6-loopback
                fe00::\tip6-localnet
                ff00::\tip6-mcastprefix
                ff02::1\tip6-allnodes
                ff02::2\tip6-allrouters
                192.0.2.1\ta
                192.0.2.2\tb
                fd00::9\tc
                ::1\td
                172.18.0.1\tgw
                172.18.0.2\tweb.example web
                fd00::2\tweb.example web

                """)
        #expect(
            try ContainerFiles.hosts(host: "127.0.0.1 x", extraHosts: ["a=192.0.2.1"], hostGateway: [])
                == "127.0.0.1 x\n192.0.2.1\ta\n")
    }

    @Test(arguments: ["a", "=192.0.2.1", "a=", "a=name", "a b=192.0.2.1", "a=192.0.2.1\n10.0.0.1 b", "a\n=192.0.2.1"])
    func badExtraHosts(entry: String) {
        #expect(throws: ContainerFileError.badExtraHost(entry)) {
            try ContainerFiles.hosts(host: "", extraHosts: [entry], hostGateway: [])
        }
    }

    @Test func hostGatewayNeedsANetwork() {
        #expect(throws: ContainerFileError.noHostGateway("a=host-gateway")) {
            try ContainerFiles.hosts(host: "", extraHosts: ["a=host-gateway"], hostGateway: [])
        }
    }

    @Test func hostServers() {
        func servers(_ text: String) -> [String] {
            HostResolvers.servers(ResolverConfiguration(parsing: text), port: 53).map { "\($0.ipAddress!)" }
        }
        #expect(servers(Self.host) == ["127.0.0.53", "192.0.2.1"])
        #expect(servers("") == ["127.0.0.1"])
        #expect(servers("nameserver 127.0.0.11\nnameserver fd00::1\nnameserver nonsense\n") == ["fd00::1"])
        #expect(servers("nameserver fe80::1%lo\nnameserver fe80::2%nosuchif\n").count == 1)
        #expect(servers((1...5).map { "nameserver 192.0.2.\($0)\n" }.joined()).count == 3)
    }
}
