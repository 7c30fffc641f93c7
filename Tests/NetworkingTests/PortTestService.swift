import NIOCore
import NIOPosix
import Synchronization

@testable import Networking

/// What stands for a container behind a held port.
struct PortTestService: Sendable {
    let channel: any Channel
    let target: PortTarget

    private init(_ socket: PortSocket, _ channel: any Channel) {
        self.channel = channel
        target = PortTarget(address: socket.address, port: socket.port)
    }

    /// Reads to the end of a connection, slowly at first, says how much it was, in at least `size` bytes, and closes.
    static func counting(size: Int = 0) async throws -> PortTestService {
        let socket = try PortSocket(.tcp, IPAddress("127.0.0.1")!, 0)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Counter(size))
                }
            }
            .withBoundSocket(try socket.descriptor.leak()).get()
        return PortTestService(socket, channel)
    }

    /// Sends back what comes, and the port it came from.
    static func datagrams() async throws -> PortTestService {
        let socket = try PortSocket(.udp, IPAddress("127.0.0.1")!, 0)
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65535))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
            }
            .withBoundSocket(try socket.descriptor.leak()).get()
        return PortTestService(socket, channel)
    }

    /// Sends `count` bytes, ends its direction, and returns what comes until the other ends. Empty where the
    /// connection is closed early.
    static func send(
        _ count: Int, to port: UInt16, at host: String = "127.0.0.1", readingAfter delay: Duration = .zero,
        receiveBuffer: Int32? = nil,
        beforeEnd: @Sendable () -> Void = {}
    ) async throws -> String {
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
        }
        let connection =
            try await bootstrap
            .connect(host: host, port: Int(port)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        do {
            return try await connection.executeThenClose { inbound, outbound in
                var left = count
                while left > 0 {
                    let size = min(left, 1 << 20)
                    try await outbound.write(ByteBuffer(repeating: 0x61, count: size))
                    left -= size
                }
                beforeEnd()
                outbound.finish()
                try await Task.sleep(for: delay)
                var reply = ""
                for try await part in inbound { reply += String(buffer: part) }
                return reply
            }
        } catch is ChannelError { return "" } catch is IOError { return "" }
    }

    private final class Counter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let size: Int
        private var count = 0

        init(_ size: Int) { self.size = size }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if count == 0 {
                context.channel.setOption(.autoRead, value: false).assumeIsolated().whenSuccess {
                    context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) {
                        context.channel.setOption(.autoRead, value: true).whenFailure { _ in }
                    }
                }
            }
            count += unwrapInboundIn(data).readableBytes
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard case ChannelEvent.inputClosed = event else { return }
            var reply = ByteBuffer(string: "received \(count)")
            reply.writeRepeatingByte(UInt8(ascii: "."), count: max(0, size - reply.readableBytes))
            context.writeAndFlush(wrapOutboundOut(reply)).assumeIsolated()
                .whenComplete { _ in context.close(promise: nil) }
        }
    }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var envelope = unwrapInboundIn(data)
            envelope.data.writeString(" \(envelope.remoteAddress.port!)")
            context.writeAndFlush(wrapOutboundOut(envelope), promise: nil)
        }
    }
}

/// A UDP client.
final class PortTestClient: Sendable {
    let channel: any Channel
    private let replies = Replies()

    init(_ port: UInt16, at address: String = "127.0.0.1") async throws {
        let replies = replies
        channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65535))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(replies))
                }
            }
            .connect(to: try SocketAddress(ipAddress: address, port: Int(port))).get()
    }

    /// Empty where no answer comes.
    func ask(_ text: String, waiting: Duration = .seconds(10)) async throws -> String {
        try await channel.writeAndFlush(ByteBuffer(string: text))
        let end = ContinuousClock.now + waiting
        while ContinuousClock.now < end {
            if let reply = replies.list.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return reply }
            try await Task.sleep(for: .milliseconds(5))
        }
        return ""
    }

    private final class Replies: Sendable {
        let list = Mutex<[String]>([])
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        private let replies: Replies
        init(_ replies: Replies) { self.replies = replies }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let reply = String(buffer: unwrapInboundIn(data).data)
            replies.list.withLock { $0.append(reply) }
        }
    }
}
