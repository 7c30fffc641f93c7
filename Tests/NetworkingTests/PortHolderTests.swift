import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import Networking

@Suite("Held ports") struct PortHolderTests {
    let group = MultiThreadedEventLoopGroup.singleton
    let loopback = IPAddress("127.0.0.1")!

    func held(
        _ request: PortRequest, to target: PortTarget? = nil, idle: TimeAmount = .seconds(90),
        _ body: (PortHolder, HeldPort) async throws -> Void
    ) async throws {
        let holder = PortHolder(group: group, udpIdleTime: idle) { _ in nil }
        let port = try await holder.hold(request, target: target)
        do {
            try await body(holder, port)
            await holder.releaseAll()
        } catch {
            await holder.releaseAll()
            throw error
        }
    }

    func local(_ transport: PortProtocol = .tcp, _ ports: ClosedRange<UInt16>? = nil) -> PortRequest {
        PortRequest(hostIP: "127.0.0.1", ports: ports, transport: transport, owner: "container shop-web-1")
    }

    @Test(arguments: [PortProtocol.tcp, .udp]) func anyPortIsTheSameInBothFamilies(transport: PortProtocol) async throws
    {
        let request = PortRequest(ports: nil, transport: transport, owner: "x")
        try await held(request) { (_, port) async throws -> Void in
            #expect(port.port != 0)
            #expect(port.addresses.first == PortSocket.any4)
            for address in port.addresses {
                #expect(throws: PortError.self) {
                    try PortSocket.open(
                        PortRequest(
                            hostIP: "\(address)", ports: port.port...port.port, transport: transport, owner: "y"))
                }
            }
        }
    }

    @Test func takenPortsNameTheirHolder() async throws {
        try await held(local()) { (holder, port) async throws -> Void in
            await #expect(
                throws: PortError.taken(
                    address: "0.0.0.0:\(port.port)/tcp", holder: "container shop-web-1")
            ) {
                _ = try await holder.hold(PortRequest(ports: port.port...port.port, transport: .tcp, owner: "y"))
            }
            // Somebody else's, as far as this one knows.
            let other = PortHolder(group: group) { $0 == getpid() ? "project shop" : nil }
            await #expect(throws: PortError.taken(address: "127.0.0.1:\(port.port)/tcp", holder: "project shop")) {
                _ = try await other.hold(local(.tcp, port.port...port.port))
            }
            await holder.release(port)
            let again = try await other.hold(local(.tcp, port.port...port.port))
            #expect(again.port == port.port)
            await other.releaseAll()
        }
    }

    @Test func firstFreeOfARange() async throws {
        try await held(local()) { (holder, first) async throws -> Void in
            let low = first.port
            guard low < 65530 else { return }
            let second = try await holder.hold(local(.tcp, low...(low + 5)))
            #expect((low + 1)...(low + 5) ~= second.port)
            await #expect(throws: PortError.self) { _ = try await holder.hold(local(.tcp, low...low)) }
        }
    }

    @Test func badAddresses() async throws {
        let holder = PortHolder(group: group)
        await #expect(throws: PortError.notOurAddress("192.0.2.77")) {
            _ = try await holder.hold(PortRequest(hostIP: "192.0.2.77", ports: nil, transport: .tcp, owner: "x"))
        }
        await #expect(throws: PortError.badAddress("localhost")) {
            _ = try await holder.hold(PortRequest(hostIP: "localhost", ports: nil, transport: .tcp, owner: "x"))
        }
    }

    @Test func connectionsAreRelayedWithHalfClose() async throws {
        let service = try await PortTestService.counting()
        try await held(local(), to: service.target) { (_, port) async throws -> Void in
            // More than all buffers on the way hold: it takes back-pressure, and an end that is passed on.
            let reply = try await PortTestService.send(32 << 20, to: port.port)
            #expect(reply == "received \(32 << 20)")
        }
        try await service.channel.close()
    }

    /// The client's direction has ended, the service writes and closes, and all of it is still on its way: the client
    /// takes little at a time. With some of these sizes the end comes while the kernel's buffers towards it are
    /// full, and the rest waits in the relay.
    @Test(arguments: (0..<66).map { 50_000 + 60_000 * $0 })
    func answersToSlowClientsAreNotCut(size: Int) async throws {
        let service = try await PortTestService.counting(size: size)
        try await held(local(), to: service.target) { (_, port) async throws -> Void in
            let reply = try await PortTestService.send(
                5, to: port.port, readingAfter: .milliseconds(500), receiveBuffer: 4096)
            #expect(reply.utf8.count == size)
        }
        try await service.channel.close()
    }

    @Test func ipv6LoopbackIsRelayed() async throws {
        let service = try await PortTestService.counting()
        try await held(PortRequest(ports: nil, transport: .tcp, owner: "x"), to: service.target) {
            (_, port) async throws -> Void in
            guard port.addresses.contains(PortSocket.any6) else { return }
            #expect(try await PortTestService.send(5, to: port.port, at: "::1") == "received 5")
        }
        try await service.channel.close()
    }

    @Test func targetsComeAndGo() async throws {
        let service = try await PortTestService.counting()
        try await held(local()) { (_, port) async throws -> Void in
            #expect(try await PortTestService.send(5, to: port.port) == "")
            port.retarget(service.target, owner: "container shop-web-2")
            #expect(port.owner == "container shop-web-2")
            #expect(try await PortTestService.send(5, to: port.port) == "received 5")
            // Open while the target goes: it is cut.
            let cut = try await PortTestService.send(5, to: port.port) { port.retarget(nil) }
            #expect(cut == "")
            #expect(try await PortTestService.send(5, to: port.port) == "")
            // Nobody listens there.
            port.retarget(PortTarget(address: loopback, port: 1))
            #expect(try await PortTestService.send(5, to: port.port) == "")
        }
        try await service.channel.close()
    }

    @Test func datagramsFindBack() async throws {
        let service = try await PortTestService.datagrams()
        try await held(local(.udp), to: service.target, idle: .seconds(3)) { (_, port) async throws -> Void in
            let (one, two) = (try await PortTestClient(port.port), try await PortTestClient(port.port))
            let first = try await one.ask("a")
            let second = try await two.ask("b")
            // The service answers with the port it was asked from: one for each client.
            #expect(first.hasPrefix("a ") && second.hasPrefix("b "))
            #expect(first.dropFirst() != second.dropFirst())
            #expect(try await one.ask("a") == first)
            try await Task.sleep(for: .milliseconds(6500))
            #expect(try await one.ask("a") != first)
            #expect(try await one.ask(String(repeating: "x", count: 60_000)).utf8.count > 60_000)
            port.retarget(nil)
            #expect(try await one.ask("a", waiting: .milliseconds(500)) == "")
            port.retarget(service.target)
            #expect(try await one.ask("a").hasPrefix("a "))
            try await one.channel.close()
            try await two.channel.close()
        }
        try await service.channel.close()
    }

    /// A connected socket takes answers only from the address that it sends to.
    @Test(arguments: ["127.0.0.1", "127.0.0.5", "::1"])
    func datagramsComeBackFromWhereTheyWereSent(address: String) async throws {
        let service = try await PortTestService.datagrams()
        let request = PortRequest(ports: nil, transport: .udp, owner: "x")
        try await held(request, to: service.target) { (_, port) async throws -> Void in
            guard port.addresses.contains(where: { $0.family == IPAddress(address)?.family }) else { return }
            let client = try await PortTestClient(port.port, at: address)
            #expect(try await client.ask("a").hasPrefix("a "))
            try await client.channel.close()
        }
        try await service.channel.close()
    }
}
