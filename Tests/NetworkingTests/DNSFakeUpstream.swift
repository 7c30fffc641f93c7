import NIOCore
import NIOPosix

@testable import Networking

/// A name server on loopback that answers as it is told, over UDP and TCP on one port.
final class DNSFakeUpstream: Sendable {
    typealias Answer = @Sendable (DNSMessage, _ overTCP: Bool) -> DNSMessage?
    let channels: [any Channel]
    let port: Int

    /// - Parameter port: 0: any.
    init(_ address: String = "127.0.0.1", port: UInt16 = 0, _ answer: @escaping Answer) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let ip = IPAddress(address)!
        let tcp = try PortSocket(.tcp, ip, port)
        self.port = Int(tcp.port)
        let listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(DNSStreamFraming(), StreamHandler(answer))
                }
            }
            .withBoundSocket(try tcp.descriptor.leak()).get()
        let datagrams = try await DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramHandler(answer))
                }
            }
            .withBoundSocket(try PortSocket(.udp, ip, tcp.port).descriptor.leak()).get()
        channels = [listener, datagrams]
    }

    func stop() async {
        for channel in channels { try? await channel.close() }
    }

    private final class StreamHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        let answer: Answer
        init(_ answer: @escaping Answer) { self.answer = answer }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard let query = try? DNSMessage(parsing: Array(unwrapInboundIn(data).readableBytesView)),
                let reply = answer(query, true)
            else { return }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: reply.serialised())), promise: nil)
        }
    }

    private final class DatagramHandler: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>
        let answer: Answer
        init(_ answer: @escaping Answer) { self.answer = answer }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = unwrapInboundIn(data)
            guard let query = try? DNSMessage(parsing: Array(envelope.data.readableBytesView)),
                let reply = answer(query, false)
            else { return }
            let out = AddressedEnvelope(
                remoteAddress: envelope.remoteAddress, data: ByteBuffer(bytes: reply.serialised()))
            context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        }
    }
}

extension DNSMessage {
    /// An answer to this query with `count` addresses.
    func answered(_ count: Int = 1, code: UInt16 = 0) -> DNSMessage {
        var reply = DNSMessage(id: id, flags: DNSFlags(rawValue: 0x8180 | code))
        reply.questions = questions
        reply.answers = (0..<count).map {
            DNSRecord(name: questions[0].name, type: DNSType.a, timeToLive: 9, data: [192, 0, 2, UInt8($0)])
        }
        return reply
    }
}
