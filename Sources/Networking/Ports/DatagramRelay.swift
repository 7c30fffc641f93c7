internal import LinuxSystem
internal import NIOCore
internal import NIOPosix

/// Relays the datagrams of a held UDP port: each client has a socket of its own towards the target, by which answers
/// find back, until neither has sent anything for a while.
final class DatagramRelay: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    /// Docker's proxy waits as long.
    static let idleTime = TimeAmount.seconds(90)
    private static let maximumDatagram = 65535
    private static let maximumWaiting = 16

    private enum Session {
        /// What the client sent while the socket was made.
        case connecting(waiting: [ByteBuffer])
        case connected(any Channel)
    }
    private let relay: PortRelay
    private let idleTime: TimeAmount
    private var sessions: [DatagramFlow: Session] = [:]

    init(_ relay: PortRelay, idleTime: TimeAmount) {
        self.relay = relay
        self.idleTime = idleTime
    }

    /// Serves a bound socket, which NIO takes over.
    static func serve(
        _ socket: CInt, isOnAllAddresses: Bool, _ relay: PortRelay, idleTime: TimeAmount, on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        DatagramBootstrap(group: loop)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: maximumDatagram))
            .channelOption(.receivePacketInfo, value: isOnAllAddresses)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramRelay(relay, idleTime: idleTime))
                }
            }
            .withBoundSocket(socket)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let client = DatagramFlow(
            client: envelope.remoteAddress, local: envelope.metadata?.packetInfo?.destinationAddress)
        switch sessions[client] {
        case .connected(let channel): channel.writeAndFlush(envelope.data, promise: nil)
        case .connecting(var waiting):
            if waiting.count < Self.maximumWaiting { waiting.append(envelope.data) }
            sessions[client] = .connecting(waiting: waiting)
        case nil: open(client, envelope.data, context)
        }
    }

    /// Clients that have gone, or datagrams that did not fit, concern nobody else.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    func channelInactive(context: ChannelHandlerContext) {
        for case .connected(let channel) in sessions.values { channel.close(promise: nil) }
        sessions = [:]
    }

    private func open(_ client: DatagramFlow, _ first: ByteBuffer, _ context: ChannelHandlerContext) {
        guard sessions.count < PortRelay.maximumFlows, let (address, target) = relay.admit() else { return }
        sessions[client] = .connecting(waiting: [first])
        let answers = context.channel
        let idleTime = idleTime
        DatagramBootstrap(group: context.eventLoop)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.maximumDatagram))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        IdleStateHandler(allTimeout: idleTime), DatagramAnswers(to: client, through: answers))
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenComplete { result in
                guard case .success(let channel) = result, context.channel.isActive,
                    self.relay.register(channel, to: target)
                else {
                    self.sessions[client] = nil
                    if case .success(let channel) = result { channel.close(promise: nil) }
                    return
                }
                if case .connecting(let waiting) = self.sessions[client] {
                    for datagram in waiting { channel.write(datagram, promise: nil) }
                    channel.flush()
                }
                self.sessions[client] = .connected(channel)
                channel.closeFuture.assumeIsolated().whenComplete { _ in self.sessions[client] = nil }
            }
    }
}

/// A client, and the address of ours that it sends to, where the port is held on all of them.
private struct DatagramFlow: Hashable {
    let client: SocketAddress
    let local: SocketAddress?
}

/// On the socket towards the target: passes what comes back to one client.
private final class DatagramAnswers: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let flow: DatagramFlow
    private let port: any Channel
    /// In bytes, where answers are sent past NIO, which cannot say from which address.
    private let ends: (client: [UInt8], local: [UInt8])?

    init(to flow: DatagramFlow, through port: any Channel) {
        self.flow = flow
        self.port = port
        func address(_ end: SocketAddress?) -> IPAddress? { end?.ipAddress.flatMap { IPAddress($0) } }
        // A link-local client is found by its interface only, and the route to it chooses well.
        if let client = address(flow.client), let local = address(flow.local), !client.isLinkLocal {
            ends = (client.bytes, local.bytes)
        } else {
            ends = nil
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let answer = unwrapInboundIn(data).data
        if let ends, let clientPort = flow.client.port {
            try? port.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { socket in
                InternetSocket.send(
                    Array(answer.readableBytesView), over: socket, to: ends.client, port: UInt16(clientPort),
                    from: ends.local)
            }
        } else {
            port.write(AddressedEnvelope(remoteAddress: flow.client, data: answer), promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { port.flush() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Nobody listens there now. The session stays: the container may be starting, and the client will try again.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}
