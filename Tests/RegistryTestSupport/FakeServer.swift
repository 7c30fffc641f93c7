import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// What a server was asked.
public struct FakeRequest: Sendable {
    public var method: String
    /// Without the query.
    public var path: String
    public var query: [String: String]
    public var headers: [String: String]
    public var body: [UInt8]
    /// `GET /v2/…`, with the query as it came.
    public var line: String
}

/// What it answers.
public struct FakeAnswer: Sendable {
    public var status: Int
    public var headers: [(String, String)]
    public var body: [UInt8]
    /// After this many bytes of the body the connection is closed.
    public var cutAfter: Int?

    public init(_ status: Int, headers: [(String, String)] = [], body: [UInt8] = [], cutAfter: Int? = nil) {
        self.status = status
        self.headers = headers
        self.body = body
        self.cutAfter = cutAfter
    }
}

/// An HTTP server on a free port of the loopback interface, in this process.
public final class FakeServer: Sendable {
    private let channel: any Channel
    public let port: Int
    private let requests = Mutex<[FakeRequest]>([])

    public init(_ answer: @escaping @Sendable (FakeRequest) -> FakeAnswer) throws {
        let box = Box()
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        Handler { request in
                            box.server.withLock { $0 }?.requests.withLock { $0.append(request) }
                            return answer(request)
                        })
                }
            }
        channel = try bootstrap.bind(host: "127.0.0.1", port: 0).wait()
        port = channel.localAddress!.port!
        box.server.withLock { $0 = self }
    }

    private final class Box: Sendable {
        let server = Mutex<FakeServer?>(nil)
    }

    public func stop() { try? channel.close().wait() }

    /// Everything asked so far, as `GET /path`.
    public var log: [FakeRequest] { requests.withLock { $0 } }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let answer: @Sendable (FakeRequest) -> FakeAnswer
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ answer: @escaping @Sendable (FakeRequest) -> FakeAnswer) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let buffer): body.append(contentsOf: buffer.readableBytesView)
            case .end:
                guard let head else { return }
                send(answer(Self.request(head, body)), isHead: head.method == .HEAD, context)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func send(_ answer: FakeAnswer, isHead: Bool, _ context: ChannelHandlerContext) {
            var headers = HTTPHeaders(answer.headers)
            if !headers.contains(name: "Content-Length") {
                headers.add(name: "Content-Length", value: String(answer.body.count))
            }
            context.write(
                wrapOutboundOut(
                    .head(.init(version: .http1_1, status: .init(statusCode: answer.status), headers: headers))),
                promise: nil)
            let sent = answer.cutAfter.map { answer.body.prefix($0) } ?? answer.body[...]
            if !isHead {
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: sent)))), promise: nil)
            }
            if answer.cutAfter != nil {
                context.flush()
                context.close(promise: nil)
            } else {
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }

        private static func request(_ head: HTTPRequestHead, _ body: [UInt8]) -> FakeRequest {
            let parts = head.uri.split(separator: "?", maxSplits: 1).map(String.init)
            var query: [String: String] = [:]
            for item in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
                let pair = item.split(separator: "=", maxSplits: 1).map(String.init)
                query[pair[0]] = pair.count > 1 ? unescaped(pair[1]) : ""
            }
            var headers: [String: String] = [:]
            for (name, value) in head.headers { headers[name.lowercased()] = value }
            return FakeRequest(
                method: head.method.rawValue, path: parts[0], query: query, headers: headers, body: body,
                line: "\(head.method.rawValue) \(head.uri)")
        }

        private static func unescaped(_ text: String) -> String {
            var bytes: [UInt8] = []
            var rest = Array(text.utf8)[...]
            while let byte = rest.popFirst() {
                if byte == 0x25, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                    bytes.append(value)
                    rest = rest.dropFirst(2)
                } else {
                    bytes.append(byte)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
