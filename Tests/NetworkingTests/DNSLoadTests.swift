import Glibc
import LinuxSystem
import NIOCore
import NIOPosix
import Testing

@testable import Networking

private let benchIsWanted = getenv("SWCOMPOSE_BENCH") != nil

/// Measures: run with `SWCOMPOSE_BENCH=1`, in a release build where the numbers are to mean something.
@Suite("DNS under load", .serialized, .enabled(if: benchIsWanted)) struct DNSLoadTests {
    static let containers = 100

    private func residentKilobytes() throws -> Int {
        let status = try Files.readString("/proc/self/status")
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
        return try #require(line.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }.first)
    }

    @Test func queriesPerSecondAndMemory() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = DNSServer(group: group)
        let before = try residentKilobytes()
        var ports: [UInt16] = []
        for index in 0..<Self.containers {
            let udp = try PortSocket(.udp, IPAddress("127.0.0.1")!, 0)
            let tcp = try PortSocket(.tcp, IPAddress("127.0.0.1")!, 0)
            ports.append(udp.port)
            try await server.serve(
                container: "c\(index)", view: DNSView(networks: ["net"]), udp: udp.descriptor, tcp: tcp.descriptor)
            server.set(
                container: "c\(index)", network: "net", names: ["shop-web-\(index)", "web"],
                addresses: [IPAddress("172.18.0.\(index + 2)")!])
        }
        let after = try residentKilobytes()
        var query = DNSMessage(id: 1, flags: [.recursionDesired])
        query.questions = [DNSQuestion(name: DNSName("shop-web-7")!, type: DNSType.a)]
        let bytes = query.serialised()
        let start = ContinuousClock.now
        let targets = ports
        let count = try await withThrowingTaskGroup(of: Int.self) { tasks in
            for port in targets.prefix(4) {
                // Blocking sockets, 16 questions under way each.
                tasks.addTask {
                    try await BlockingPool.shared.run { try Self.load(bytes, port: port, rounds: 1000, burst: 16) }
                }
            }
            return try await tasks.reduce(0, +)
        }
        let seconds = Double((ContinuousClock.now - start) / .milliseconds(1)) / 1000
        let rate = Int(Double(count) / seconds)
        let loaded = try residentKilobytes()
        await server.stopAll()
        try await group.shutdownGracefully()
        #expect(after - before < 8 * 1024, "KiB for \(Self.containers) containers")
        let report =
            "\(rate) queries/s; \(Self.containers) containers: \(after - before) KiB, \(loaded - before) after load\n"
        try Files.writeAll(2, Array(report.utf8))
        #expect(rate > 1000)
    }

    private static func load(_ query: [UInt8], port: UInt16, rounds: Int, burst: Int) throws -> Int {
        let client = try PortSocket(.udp, IPAddress("127.0.0.1")!, 0)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: Int(port))
        let raw = client.descriptor.raw
        _ = address.withSockAddr { connect(raw, $0, socklen_t($1)) }
        var answer = [UInt8](repeating: 0, count: 512)
        var done = 0
        for _ in 0..<rounds {
            for _ in 0..<burst { send(raw, query, query.count, 0) }
            for _ in 0..<burst {
                var waiting = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
                guard poll(&waiting, 1, 1000) == 1, recv(raw, &answer, answer.count, 0) > 0 else { return done }
                done += 1
            }
        }
        return done
    }
}
