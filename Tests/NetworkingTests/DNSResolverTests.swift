import Testing

@testable import Networking

@Suite("Names of containers") struct DNSResolverTests {
    /// web-1 and web-2 on front, db on back, proxy on both.
    static func table() -> NameTable {
        var table = NameTable()
        func set(_ id: Character, _ network: String, _ names: [String], _ addresses: [String]) {
            table.set(
                container: String(repeating: id, count: 64), network: network, names: names,
                addresses: addresses.map { IPAddress($0)! })
        }
        set("1", "shop_front", ["shop-web-1", "web"], ["172.18.0.2", "fd00::2"])
        set("2", "shop_front", ["shop-web-2", "web", "Www"], ["172.18.0.3"])
        set("3", "shop_back", ["shop-db-1", "db", "db.example.com"], ["172.19.0.2"])
        set("4", "shop_front", ["shop-proxy-1", "proxy"], ["172.18.0.4"])
        set("4", "shop_back", ["shop-proxy-1", "proxy"], ["172.19.0.4"])
        return table
    }

    static func query(_ name: String, _ type: UInt16) -> DNSQuery {
        var message = DNSMessage(id: 1, flags: [.recursionDesired])
        message.questions = [DNSQuestion(name: DNSName(name)!, type: type)]
        guard case .query(let query) = DNSQuery.parse(message.serialised()) else { fatalError("bad query") }
        return query
    }

    /// `forward`, `NXDOMAIN`-like codes, or the records' data.
    static func ask(
        _ name: String, _ type: UInt16 = DNSType.a, _ view: DNSView, _ table: inout NameTable
    ) throws -> String {
        switch NameResolver(view).decide(query(name, type), &table) {
        case .forward(let fallback): return fallback == nil ? "forward" : "forward, else own"
        case .answer(let bytes):
            let message = try DNSMessage(parsing: bytes)
            if message.flags.responseCode != 0 { return "code \(message.flags.responseCode)" }
            return message.answers.map { record in
                if record.type == DNSType.ptr { return DNSName(wire: record.data).description }
                return IPAddress(bytes: record.data)!.description
            }.joined(separator: " ")
        }
    }

    static let front = DNSView(networks: ["shop_front"])
    static let both = DNSView(networks: ["shop_front", "shop_back"])
    static let inner = DNSView(networks: ["shop_back"], searchDomains: ["corp.example"], forwards: false)

    @Test(arguments: [
        ("shop-web-1", DNSType.a, front, "172.18.0.2"),
        ("SHOP-web-1", DNSType.aaaa, front, "fd00::2"),
        ("www", DNSType.a, front, "172.18.0.3"),
        ("shop-web-2", DNSType.aaaa, front, ""),  // NODATA
        ("shop-web-2", 15, front, ""),
        ("shop-web-1", DNSType.any, front, "172.18.0.2 fd00::2"),
        ("222222222222", DNSType.a, front, "172.18.0.3"),
        ("shop-web-2.shop_front", DNSType.a, front, "172.18.0.3"),
        ("db", DNSType.a, front, "forward"),  // on another network
        ("db.shop_back", DNSType.a, front, "forward"),
        ("db", DNSType.a, both, "172.19.0.2"),
        ("db.example.com", DNSType.a, both, "172.19.0.2"),
        ("proxy", DNSType.a, both, "172.18.0.4"),
        ("proxy.shop_back", DNSType.a, both, "172.19.0.4"),
        ("example.com", DNSType.a, front, "forward"),
        ("com", 6, front, "forward"),
        ("3.0.18.172.in-addr.arpa", DNSType.ptr, front, "shop-web-2.shop_front"),
        ("2.0.19.172.in-addr.arpa", DNSType.ptr, front, "forward"),
        ("db", DNSType.a, inner, "172.19.0.2"),
        ("nobody", DNSType.a, inner, "code 3"),
        ("example.com", DNSType.a, inner, "code 2"),
        ("nobody.corp.example", DNSType.a, inner, "code 3"),
        ("db.corp.example", DNSType.a, inner, "172.19.0.2"),
    ])
    func answers(name: String, type: UInt16, view: DNSView, expected: String) throws {
        var table = Self.table()
        #expect(try Self.ask(name, type, view, &table) == expected)
    }

    @Test func replicasTakeTurnsWithinEachFamily() throws {
        var table = Self.table()
        var first: [String] = []
        for _ in 0..<4 {
            first.append(try Self.ask("web", DNSType.a, Self.front, &table))
            #expect(try Self.ask("web", DNSType.aaaa, Self.front, &table) == "fd00::2")
        }
        #expect(
            first == [
                "172.18.0.2 172.18.0.3", "172.18.0.3 172.18.0.2", "172.18.0.2 172.18.0.3", "172.18.0.3 172.18.0.2",
            ])
    }

    @Test func linksAreTheAskersAlone() throws {
        var table = Self.table()
        var linked = Self.both
        linked.links = ["Database": ["db"], "gone": ["nobody"]]
        #expect(try Self.ask("database", DNSType.a, linked, &table) == "172.19.0.2")
        #expect(try Self.ask("database", DNSType.a, Self.both, &table) == "forward")
        #expect(try Self.ask("gone", DNSType.a, linked, &table) == "forward")
        linked.networks = ["shop_front"]
        #expect(try Self.ask("database", DNSType.a, linked, &table) == "forward")
    }

    @Test func searchDomainsAndNdots() throws {
        var table = Self.table()
        var view = Self.front
        view.searchDomains = ["corp.example"]
        view.forwardsSingleLabels = false
        #expect(try Self.ask("www.corp.example", DNSType.a, view, &table) == "forward, else own")
        #expect(try Self.ask("nobody", DNSType.a, view, &table) == "code 3")
        #expect(try Self.ask("nobody", 15, view, &table) == "forward")
        #expect(try Self.ask("www", DNSType.a, view, &table) == "172.18.0.3")
    }

    @Test func removedNamesAreGone() throws {
        var table = Self.table()
        table.remove(container: String(repeating: "2", count: 64))
        #expect(try Self.ask("web", DNSType.a, Self.front, &table) == "172.18.0.2")
        #expect(try Self.ask("www", DNSType.a, Self.front, &table) == "forward")
        #expect(try Self.ask("3.0.18.172.in-addr.arpa", DNSType.ptr, Self.front, &table) == "forward")
        table.remove(container: String(repeating: "4", count: 64), network: "shop_front")
        #expect(try Self.ask("proxy", DNSType.a, Self.both, &table) == "172.19.0.4")
        table.set(
            container: String(repeating: "4", count: 64), network: "shop_back", names: ["late"],
            addresses: [IPAddress("172.19.0.9")!])
        #expect(try Self.ask("proxy", DNSType.a, Self.both, &table) == "forward")
        #expect(try Self.ask("late", DNSType.a, Self.both, &table) == "172.19.0.9")
    }
}
