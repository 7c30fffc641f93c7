internal import NIOCore

/// Answers the datagrams of one container.
final class DNSDatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let service: DNSService
    private let asker: DNSAsker

    init(_ service: DNSService, _ asker: DNSAsker) {
        self.service = service
        self.asker = asker
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let client = envelope.remoteAddress
        let query = Array(envelope.data.readableBytesView)
        switch service.reply(to: query, from: asker, overTCP: false, on: context.eventLoop) {
        case .none: return
        case .now(let answer): write(answer, to: client, context)
        case .later(let future):
            future.assumeIsolated().whenSuccess { answer in
                self.write(answer, to: client, context)
                context.flush()
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    /// One datagram that could not be read or sent is no reason to stop: its sender will ask again.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    private func write(_ answer: [UInt8], to client: SocketAddress, _ context: ChannelHandlerContext) {
        let buffer = context.channel.allocator.buffer(bytes: answer)
        context.write(wrapOutboundOut(AddressedEnvelope(remoteAddress: client, data: buffer)), promise: nil)
    }
}

/// Answers the questions of one TCP connection, of which it takes no more than it has answers under way for.
final class DNSStreamHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    static let maximumUnderWay = 16

    private let service: DNSService
    private let asker: DNSAsker
    private var underWay = 0
    private var isReadHeld = false
    private var isInputClosed = false

    init(_ service: DNSService, _ asker: DNSAsker) {
        self.service = service
        self.asker = asker
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let query = Array(unwrapInboundIn(data).readableBytesView)
        switch service.reply(to: query, from: asker, overTCP: true, on: context.eventLoop) {
        case .none: context.close(promise: nil)
        case .now(let answer): write(answer, context)
        case .later(let future):
            underWay += 1
            future.assumeIsolated().whenSuccess { answer in
                self.underWay -= 1
                self.write(answer, context)
                context.flush()
                if self.isReadHeld, self.mayRead(context) {
                    self.isReadHeld = false
                    context.read()
                }
                self.closeIfDone(context)
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    /// The next read waits while many questions are open or the client does not take its answers.
    func read(context: ChannelHandlerContext) {
        if mayRead(context) { context.read() } else { isReadHeld = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isReadHeld, mayRead(context) {
            isReadHeld = false
            context.read()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is IdleStateHandler.IdleStateEvent: context.close(promise: nil)
        case ChannelEvent.inputClosed:
            isInputClosed = true
            closeIfDone(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func mayRead(_ context: ChannelHandlerContext) -> Bool {
        underWay < Self.maximumUnderWay && context.channel.isWritable
    }

    private func closeIfDone(_ context: ChannelHandlerContext) {
        guard isInputClosed, underWay == 0 else { return }
        context.flush()
        context.close(mode: .output, promise: nil)
    }

    private func write(_ answer: [UInt8], _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(context.channel.allocator.buffer(bytes: answer)), promise: nil)
    }
}
