import FoundationEssentials
internal import NIOCore
internal import Orchestration

/// The supervisor's control protocol: over a Unix socket, one request per connection, then messages until one that
/// is final. Each is a JSON object on a line of its own, so that a connection can be read by eye.
enum ControlProtocol {
    /// Longer lines are refused: no project comes near it.
    static let maximumLineLength = 64 << 20

    static func encode(_ value: some Encodable) throws -> [UInt8] {
        var line = [UInt8](try JSONEncoder().encode(value))
        line.append(UInt8(ascii: "\n"))
        return line
    }

    static func decode<T: Decodable>(_ type: T.Type, from line: some Sequence<UInt8>) throws -> T {
        try JSONDecoder().decode(type, from: Data(line))
    }
}

extension Message {
    /// Nothing follows it.
    var isFinal: Bool {
        switch self {
        case .done, .failed: true
        case .progress, .warning, .event: false
        }
    }
}

/// Splits what arrives into lines, without their ends.
struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer
    /// Bytes already known to hold no line end, so that a long line is not searched again with every read.
    private var searched = 0

    struct LineTooLong: Error {}

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        let unsearched = buffer.readableBytesView.dropFirst(searched)
        guard let end = unsearched.firstIndex(of: UInt8(ascii: "\n")) else {
            searched = buffer.readableBytes
            if searched > ControlProtocol.maximumLineLength { throw LineTooLong() }
            return .needMoreData
        }
        let line = buffer.readSlice(length: end - buffer.readerIndex)!
        buffer.moveReaderIndex(forwardBy: 1)
        searched = 0
        context.fireChannelRead(wrapInboundOut(line))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        try decode(context: context, buffer: &buffer)
    }
}
