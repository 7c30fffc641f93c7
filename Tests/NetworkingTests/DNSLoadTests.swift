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
        var clients: [EventLoopFuture<Int>] = []
        for port in ports.prefix(4) {
            let done = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Int.self)
            _ = try await DatagramBootstrap(group: done.futureResult.eventLoop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Client(bytes, done))
                    }
                }
                .connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: Int(port))).get()
            clients.append(done.futureResult)
        }
        var count = 0
        for client in clients { count += try await client.get() }
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

    /// Has 16 questions under way until it has had its answers.
    private final class Client: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        static let total = 20_000

        private let query: ByteBuffer
        private let done: EventLoopPromise<Int>
        private var answers = 0

        init(_ query: [UInt8], _ done: EventLoopPromise<Int>) {
            self.query = ByteBuffer(bytes: query)
            self.done = done
        }

        func channelActive(context: ChannelHandlerContext) {
            for _ in 0..<16 { context.channel.write(query, promise: nil) }
            context.flush()
            context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(60)) { self.finish(context) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            answers += 1
            if answers == Self.total { finish(context) } else { context.channel.write(query, promise: nil) }
        }

        func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

        private func finish(_ context: ChannelHandlerContext) {
            done.succeed(answers)
            context.close(promise: nil)
        }
    }
}
