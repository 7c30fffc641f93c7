internal import NIOCore
internal import NIOPosix

/// Relays TCP connections of a held port.
enum StreamRelay {
    /// Serves a listening socket, which NIO takes over.
    static func serve(_ listener: CInt, _ relay: PortRelay, on loop: any EventLoop) -> EventLoopFuture<any Channel> {
        ServerBootstrap(group: loop)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ConnectionLimit(PortRelay.maximumFlows))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.recvAllocator, value: buffers)
            .childChannelOption(.writeBufferWaterMark, value: waterMark)
            .childChannelInitializer { client in connect(client, relay) }
            .withBoundSocket(listener)
    }

    private static let buffers = FixedSizeRecvByteBufferAllocator(capacity: 16 * 1024)
    private static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 16 * 1024, high: 64 * 1024)

    /// Runs before the client's first byte is read; where it fails the client is closed.
    private static func connect(_ client: any Channel, _ relay: PortRelay) -> EventLoopFuture<Void> {
        let loop = client.eventLoop
        guard let (address, target) = relay.admit() else { return loop.makeFailedFuture(ChannelError.alreadyClosed) }
        return ClientBootstrap(group: loop)
            .connectTimeout(.seconds(5))
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.recvAllocator, value: buffers)
            .channelOption(.writeBufferWaterMark, value: waterMark)
            .connect(to: address)
            .flatMapThrowing { server in
                guard relay.register(server, to: target) else {
                    server.close(promise: nil)
                    throw ChannelError.alreadyClosed
                }
                let (clientSide, serverSide) = GlueHandler.pair()
                try client.pipeline.syncOperations.addHandler(clientSide)
                try server.pipeline.syncOperations.addHandler(serverSide)
                return server
            }
            .flatMap { (server: any Channel) in server.setOption(.autoRead, value: true) }
    }
}

/// One of two that are joined: what one channel reads the other writes, one reads only while the other can write, and
/// an end, of one direction or of all, is passed on.
final class GlueHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var partner: GlueHandler?
    private var context: ChannelHandlerContext?
    private var isReadHeld = false
    private var isFinished = false
    /// Once the other side sends no more: kept when all that it sent is written.
    private var outputEnd: EventLoopFuture<Void>?

    static func pair() -> (GlueHandler, GlueHandler) {
        let (left, right) = (GlueHandler(), GlueHandler())
        left.partner = right
        right.partner = left
        return (left, right)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        partner = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let target = partner?.context else { return }
        target.write(wrapOutboundOut(unwrapInboundIn(data)), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { partner?.context?.flush() }

    func channelInactive(context: ChannelHandlerContext) { partner?.finish() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            partner?.endOutput()
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A half that is closed already; the other direction goes on.
        if case ChannelError.outputClosed = error { return }
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { partner?.resumeReading() }
    }

    func read(context: ChannelHandlerContext) {
        if partner?.context?.channel.isWritable ?? true { context.read() } else { isReadHeld = true }
    }

    private func resumeReading() {
        guard isReadHeld else { return }
        isReadHeld = false
        context?.read()
    }

    /// The other side sends no more.
    private func endOutput() {
        guard let context, outputEnd == nil else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        outputEnd = written.futureResult
        // NIO ends the output once all of it is written only while the input is open; with that closed it drops what
        // waits. An empty message comes after everything that does.
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
        let channel = context.channel
        written.futureResult.whenComplete { _ in channel.close(mode: .output, promise: nil) }
    }

    /// The other side has gone: closes once what it sent is written. One who does not read is not waited for long.
    private func finish() {
        guard !isFinished, let context else { return }
        isFinished = true
        let channel = context.channel
        endOutput()
        outputEnd?.whenComplete { _ in channel.close(promise: nil) }
        closeUnlessRead(context, waiting: nil)
    }

    /// Closes once nothing of what waits has been taken for ten seconds.
    private func closeUnlessRead(_ context: ChannelHandlerContext, waiting before: Int?) {
        guard context.channel.isActive else { return }
        let waiting = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
        if let before, waiting == nil || waiting == before { return context.close(promise: nil) }
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(10)) {
            guard let context = self.context else { return }
            self.closeUnlessRead(context, waiting: waiting ?? 0)
        }
    }
}
