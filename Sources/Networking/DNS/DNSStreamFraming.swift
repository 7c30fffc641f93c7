internal import NIOCore

/// Messages over TCP: each after its length in two bytes.
final class DNSStreamFraming: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var pending = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        pending.writeBuffer(&bytes)
        while let length = pending.getInteger(at: pending.readerIndex, as: UInt16.self),
            pending.readableBytes >= 2 + Int(length)
        {
            pending.moveReaderIndex(forwardBy: 2)
            guard let message = pending.readSlice(length: Int(length)) else { break }
            context.fireChannelRead(wrapInboundOut(message))
        }
        if pending.readableBytes == 0 { pending = ByteBuffer() } else { pending.discardReadBytes() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let message = unwrapOutboundIn(data)
        guard let length = UInt16(exactly: message.readableBytes) else {
            promise?.fail(ChannelError.writeMessageTooLarge)
            return
        }
        var head = context.channel.allocator.buffer(capacity: 2)
        head.writeInteger(length)
        context.write(wrapOutboundOut(head), promise: nil)
        context.write(wrapOutboundOut(message), promise: promise)
    }
}
