internal import NIOCore
internal import NIOPosix

/// One question to one server.
enum UpstreamExchange {
    struct TimedOut: Error {}

    static func udp(
        _ query: [UInt8], to server: SocketAddress, timeout: TimeAmount, on loop: any EventLoop
    ) -> EventLoopFuture<[UInt8]> {
        let promise = loop.makePromise(of: [UInt8].self)
        DatagramBootstrap(group: loop)
            .channelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Int(UpstreamClient.udpSize))
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        DatagramPayload(), UpstreamExchangeHandler(query, promise, timeout: timeout))
                }
            }
            // A connected socket takes answers of this server only.
            .connect(to: server)
            .cascadeFailure(to: promise)
        return promise.futureResult
    }

    static func tcp(
        _ query: [UInt8], to server: SocketAddress, timeout: TimeAmount, on loop: any EventLoop
    ) -> EventLoopFuture<[UInt8]> {
        let promise = loop.makePromise(of: [UInt8].self)
        ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        DNSStreamFraming(), UpstreamExchangeHandler(query, promise, timeout: timeout))
                }
            }
            .connect(to: server)
            .cascadeFailure(to: promise)
        return promise.futureResult
    }
}

/// Takes the payload out of the datagrams of a connected socket.
private final class DatagramPayload: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias InboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(wrapInboundOut(unwrapInboundIn(data).data))
    }
}

/// Sends the question once connected, and keeps its promise when the answer is there, the time is over, or the
/// connection fails. What is no answer to the question is ignored: somebody may be guessing.
private final class UpstreamExchangeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let query: [UInt8]
    private let promise: EventLoopPromise<[UInt8]>
    private let timeout: TimeAmount
    private var timer: Scheduled<Void>?
    private var isDone = false

    init(_ query: [UInt8], _ promise: EventLoopPromise<[UInt8]>, timeout: TimeAmount) {
        self.query = query
        self.promise = promise
        self.timeout = timeout
    }

    func channelActive(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            self.finish(context, .failure(UpstreamExchange.TimedOut()))
        }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: query)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let answer = Array(unwrapInboundIn(data).readableBytesView)
        if DNSWire.isResponse(answer, to: query) { finish(context, .success(answer)) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { finish(context, .failure(error)) }

    func channelInactive(context: ChannelHandlerContext) { finish(context, .failure(ChannelError.eof)) }

    private func finish(_ context: ChannelHandlerContext, _ result: Result<[UInt8], any Error>) {
        guard !isDone else { return }
        isDone = true
        timer?.cancel()
        promise.completeWith(result)
        context.close(promise: nil)
    }
}
