import Glibc
import LinuxSystem
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Networking

extension OwnedDescriptor {
    /// For NIO, which closes what it is given.
    func leak() throws -> CInt {
        let copy = dup(raw)
        return try check("dup") { copy }
    }
}

/// A served container on loopback and its files, gone when the closure returns.
private struct ServedContainer {
    let server: DNSServer
    let address: SocketAddress

    static func run(
        _ view: DNSView = DNSView(networks: ["net"]), resolvConf: String = "nameserver 127.0.0.1\n",
        upstreamPort: Int = 1, limits: UpstreamClient.Limits = .init(), _ body: (ServedContainer) async throws -> Void
    ) async throws {
        let path = "/tmp/swcompose-dns-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try Files.replace(path, with: Array(resolvConf.utf8))
        defer { unlink(path) }
        let loopback = IPAddress("127.0.0.1")!
        let tcp = try PortSocket(.tcp, loopback, 0)
        let udp = try PortSocket(.udp, loopback, tcp.port)
        let server = DNSServer(
            group: MultiThreadedEventLoopGroup.singleton, resolvConf: path, upstreamPort: upstreamPort, limits: limits)
        try await server.serve(container: "c", view: view, udp: udp.descriptor, tcp: tcp.descriptor)
        let served = ServedContainer(
            server: server, address: try SocketAddress(ipAddress: "127.0.0.1", port: Int(tcp.port)))
        do {
            try await body(served)
            await server.stopAll()
        } catch {
            await server.stopAll()
            throw error
        }
    }

    func ask(
        _ name: String, _ type: UInt16 = DNSType.a, overTCP: Bool = false, udpSize: UInt16? = nil
    ) async throws -> DNSMessage {
        var query = DNSMessage(id: .random(in: 0 ... .max), flags: [.recursionDesired])
        query.questions = [DNSQuestion(name: DNSName(name)!, type: type)]
        if let udpSize { query.additionals = [DNSExtension(udpSize: udpSize).record] }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let exchange = overTCP ? UpstreamExchange.tcp : UpstreamExchange.udp
        return try DNSMessage(parsing: try await exchange(query.serialised(), address, .seconds(10), loop).get())
    }
}

@Suite("DNS server") struct DNSServerTests {
    static let quick = UpstreamClient.Limits(timeout: .milliseconds(300))

    @Test(arguments: [false, true]) func ownNames(overTCP: Bool) async throws {
        try await ServedContainer.run { (served) async throws -> Void in
            served.server.set(
                container: "c", network: "net", names: ["web"], addresses: [IPAddress("172.18.0.2")!])
            #expect(try await served.ask("WEB", overTCP: overTCP).answers.map(\.data) == [[172, 18, 0, 2]])
            #expect(try await served.ask("web", DNSType.aaaa, overTCP: overTCP).flags.responseCode == 0)
            try served.server.update(container: "c", view: DNSView(networks: ["other"], forwards: false))
            #expect(try await served.ask("web", overTCP: overTCP).flags.responseCode == 3)
        }
    }

    @Test func manyAddressesAreCutForUDPOnly() async throws {
        try await ServedContainer.run { (served) async throws -> Void in
            served.server.setRecords([
                "net": (0..<100).map {
                    NameRecord(names: ["web"], addresses: [IPAddress("10.0.0.\($0)")!], container: "c\($0)")
                }
            ])
            let cut = try await served.ask("web")
            #expect(cut.flags.contains(.truncated) && cut.answers.count == 30)
            #expect(try await served.ask("web", udpSize: 4096).answers.count == 100)
            #expect(try await served.ask("web", overTCP: true).answers.count == 100)
        }
    }

    @Test func otherNamesAreForwarded() async throws {
        let ids = Mutex<Set<UInt16>>([])
        let upstream = try await DNSFakeUpstream { query, _ in
            ids.withLock { _ = $0.insert(query.id) }
            return query.answered()
        }
        try await ServedContainer.run(upstreamPort: upstream.port) { (served) async throws -> Void in
            for _ in 0..<10 {
                #expect(try await served.ask("example.com").answers.map(\.data) == [[192, 0, 2, 0]])
            }
            #expect(try await served.ask("example.com", overTCP: true).answers.count == 1)
        }
        #expect(ids.withLock { $0.count } > 8)
        await upstream.stop()
    }

    @Test func internalNetworksForwardNothing() async throws {
        let asked = Mutex(false)
        let upstream = try await DNSFakeUpstream { query, _ in
            asked.withLock { $0 = true }
            return query.answered()
        }
        try await ServedContainer.run(
            DNSView(networks: ["net"], forwards: false), upstreamPort: upstream.port
        ) { (served) async throws -> Void in
            #expect(try await served.ask("example.com").flags.responseCode == 2)
        }
        #expect(!asked.withLock { $0 })
        await upstream.stop()
    }

    @Test func silentAndFailingServersArePassedOver() async throws {
        let good = try await DNSFakeUpstream("127.0.0.3") { query, _ in query.answered() }
        let failing = try await DNSFakeUpstream("127.0.0.2", port: UInt16(good.port)) { query, _ in
            query.answered(0, code: 2)
        }
        let unanswered = Mutex(0)
        let silent = try await DNSFakeUpstream("127.0.0.1", port: UInt16(good.port)) { _, _ in
            unanswered.withLock { $0 += 1 }
            return nil
        }
        let conf = "nameserver 127.0.0.1\nnameserver 127.0.0.2\nnameserver 127.0.0.3\n"
        try await ServedContainer.run(resolvConf: conf, upstreamPort: good.port, limits: Self.quick) {
            (served) async throws -> Void in
            for _ in 0..<3 { #expect(try await served.ask("a.example").answers.count == 1) }
        }
        // Known after the first time.
        #expect(unanswered.withLock { $0 } == 1)
        for upstream in [good, failing, silent] { await upstream.stop() }
    }

    @Test func nobodyAnswers() async throws {
        let asked = Mutex(false)
        let silent = try await DNSFakeUpstream { _, _ in
            asked.withLock { $0 = true }
            return nil
        }
        let limits = UpstreamClient.Limits(timeout: .seconds(4), rounds: 1, inFlightPerAsker: 1)
        var view = DNSView(networks: ["net"])
        view.searchDomains = ["corp.example"]
        try await ServedContainer.run(view, upstreamPort: silent.port, limits: limits) {
            (served) async throws -> Void in
            served.server.set(container: "c", network: "net", names: ["web"], addresses: [IPAddress("10.0.0.1")!])
            async let slow = served.ask("a.example")
            // One is under way already.
            for _ in 0..<1000 where !asked.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
            let start = ContinuousClock.now
            #expect(try await served.ask("b.example").flags.responseCode == 2)
            #expect(ContinuousClock.now - start < .seconds(3))
            #expect(try await slow.flags.responseCode == 2)
            #expect(try await served.ask("web.corp.example").answers.count == 1)
        }
        await silent.stop()
    }

    @Test func cutAnswersAreFetchedOverTCP() async throws {
        let upstream = try await DNSFakeUpstream { query, overTCP in
            if overTCP { return query.answered(60) }
            var cut = query.answered(2)
            cut.flags.insert(.truncated)
            return cut
        }
        try await ServedContainer.run(upstreamPort: upstream.port) { (served) async throws -> Void in
            #expect(try await served.ask("a.example", udpSize: 2000).answers.count == 60)
            let small = try await served.ask("a.example")
            #expect(small.flags.contains(.truncated) && small.answers.count > 2)
        }
        await upstream.stop()
    }

    @Test func serversOfTheContainerAndChangesOfTheFile() async throws {
        let own = try await DNSFakeUpstream("127.0.0.4") { query, _ in query.answered(2) }
        try await ServedContainer.run(
            DNSView(networks: ["net"], upstreams: ["127.0.0.4"]), upstreamPort: own.port
        ) { (served) async throws -> Void in
            #expect(try await served.ask("a.example").answers.count == 2)
            #expect(throws: DNSServerError.badServer("dns.example")) {
                try served.server.update(container: "c", view: DNSView(networks: [], upstreams: ["dns.example"]))
            }
        }
        await own.stop()
        let path = "/tmp/swcompose-dns-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        defer { unlink(path) }
        try Files.replace(path, with: Array("nameserver 192.0.2.1\n".utf8))
        let resolvers = HostResolvers(path: path, port: 53)
        #expect(resolvers.current().map(\.ipAddress) == ["192.0.2.1"])
        try Files.replace(path, with: Array("nameserver 192.0.2.2\n".utf8))
        try await Task.sleep(for: .milliseconds(1100))
        #expect(resolvers.current().map(\.ipAddress) == ["192.0.2.2"])
    }

    @Test func stoppedServersLeaveTheirSockets() async throws {
        let loopback = IPAddress("127.0.0.1")!
        let udp = try PortSocket(.udp, loopback, 0)
        let tcp = try PortSocket(.tcp, loopback, 0)
        let server = DNSServer(group: MultiThreadedEventLoopGroup.singleton)
        for _ in 0..<2 {
            try await server.serve(
                container: "c", view: DNSView(networks: []), udp: udp.descriptor, tcp: tcp.descriptor)
        }
        await server.stop(container: "c")
        // Still bound, by the descriptors that are ours.
        #expect(throws: SystemError.self) { try PortSocket(.udp, loopback, udp.port) }
    }
}
