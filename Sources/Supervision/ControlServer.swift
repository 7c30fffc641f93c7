internal import NIOCore
internal import NIOPosix
internal import Orchestration

/// The listening end of the control socket.
struct ControlServer: Sendable {
    typealias Handler = @Sendable (Request) async -> AsyncStream<Message>
    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private let channel: NIOAsyncChannel<Connection, Never>

    /// Listens on `path`; what an earlier supervisor left there is replaced.
    static func listen(on path: String, group: any EventLoopGroup) async throws -> ControlServer {
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 128)
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(LineDecoder()))
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        return ControlServer(channel: channel)
    }

    /// Serves until the task is cancelled. `connectionsChanged` hears how many connections are open.
    func run(connectionsChanged: @escaping @Sendable (Int) async -> Void, handler: @escaping Handler) async throws {
        let open = Guarded(0)
        try await withThrowingDiscardingTaskGroup { tasks in
            try await channel.executeThenClose { inbound in
                for try await connection in inbound {
                    await connectionsChanged(
                        open.withLock {
                            $0 += 1; return $0
                        })
                    tasks.addTask {
                        // A client that breaks off is no error of ours.
                        try? await Self.serve(connection, handler)
                        await connectionsChanged(
                            open.withLock {
                                $0 -= 1; return $0
                            })
                    }
                }
            }
        }
    }

    /// One request, then its messages. A client that closes its end first withdraws the request.
    private static func serve(_ connection: Connection, _ handler: @escaping Handler) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var lines = inbound.makeAsyncIterator()
            guard let line = try await lines.next() else { return }
            let request: Request
            do {
                request = try ControlProtocol.decode(Request.self, from: line.readableBytesView)
            } catch {
                let failure = Failure("the supervisor does not understand the request: \(error)")
                return try await outbound.write(ByteBuffer(bytes: ControlProtocol.encode(Message.failed(failure))))
            }
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    for await message in await handler(request) {
                        guard let bytes = try? ControlProtocol.encode(message),
                            (try? await outbound.write(ByteBuffer(bytes: bytes))) != nil
                        else { return }
                    }
                }
                // Ends when the client goes; nothing more is expected from it.
                let rest = Lines(lines)
                tasks.addTask { await rest.drain() }
                await tasks.next()
                tasks.cancelAll()
            }
        }
    }

    /// The rest of what a client sends, handed to the one task that waits for its end.
    private final class Lines: @unchecked Sendable {
        private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        init(_ iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) { self.iterator = iterator }
        func drain() async {
            while let line = try? await iterator.next() { _ = line }
        }
    }
}
