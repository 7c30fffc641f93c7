internal import NIOCore

/// In the pipeline of a listening socket: connections beyond a number are closed as they come. Where accepting fails
/// (no descriptors left), the next attempt waits a second.
final class ConnectionLimit: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel
    typealias OutboundIn = Never

    private let limit: Int
    private var count = 0
    private var isPausing = false
    private var isReadHeld = false

    init(_ limit: Int) { self.limit = limit }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let connection = unwrapInboundIn(data)
        guard count < limit else {
            connection.close(promise: nil)
            return
        }
        count += 1
        connection.closeFuture.hop(to: context.eventLoop).assumeIsolated().whenComplete { _ in self.count -= 1 }
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        if isPausing { isReadHeld = true } else { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is IOError, !isPausing else { return }
        isPausing = true
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            self.isPausing = false
            if self.isReadHeld {
                self.isReadHeld = false
                context.read()
            }
        }
    }
}
