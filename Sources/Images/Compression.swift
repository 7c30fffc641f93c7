internal import OCI

/// How an archive is compressed, by its first bytes.
enum Compression: Equatable {
    case none, gzip, zstd

    /// Bytes of the beginning that tell.
    static let headLength = 6

    /// - Throws: ``ImageError/unsupported(subject:reason:)`` for compressions known and not done.
    init(head: [UInt8], subject: String) throws {
        let known: [(magic: [UInt8], name: String)] = [
            ([0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz"), ([0x42, 0x5a, 0x68], "bzip2"), ([0x04, 0x22, 0x4d, 0x18], "lz4"),
        ]
        if let other = known.first(where: { head.starts(with: $0.magic) }) {
            throw ImageError.unsupported(
                subject: subject,
                reason: "\(other.name) compression is not supported: use gzip, zstd or no compression")
        }
        // A zstd stream may begin with a frame that is to be skipped: its number ends in any digit.
        let isSkippable = head.count >= 4 && head[0] & 0xf0 == 0x50 && head[1...3] == [0x2a, 0x4d, 0x18]
        if head.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) || isSkippable {
            self = .zstd
        } else {
            self = head.starts(with: [0x1f, 0x8b]) ? .gzip : .none
        }
    }

    /// The media type of a layer that is compressed so.
    var layerType: String {
        switch self {
        case .none: MediaType.layer
        case .gzip: MediaType.layerGzip
        case .zstd: MediaType.layerZstd
        }
    }

    /// Decompresses whatever `source` gives, or hands it on where it is not compressed.
    /// - Throws: ``ImageError/unsupported(subject:reason:)``, and what reading the first bytes throws.
    static func decompressed(_ source: PeekableSource, subject: String) throws -> any ByteSource {
        switch try Compression(head: try source.peek(headLength), subject: subject) {
        case .none: source
        case .gzip: GunzipSource(source, subject: subject)
        case .zstd: ZstdSource(source, subject: subject)
        }
    }
}
