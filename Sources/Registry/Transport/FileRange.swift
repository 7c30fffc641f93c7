internal import CLinux
internal import LinuxSystem
internal import NIOCore

/// A part of a file as the body of a request, read piece by piece.
struct FileRange: Sendable, AsyncSequence {
    let file: OwnedDescriptor
    let path: String
    let offset: Int64
    let length: Int64
    /// Told up to what byte of the file it was handed out.
    var progress: @Sendable (Int64) -> Void = { _ in }

    func makeAsyncIterator() -> Iterator { Iterator(range: self) }

    struct Iterator: AsyncIteratorProtocol {
        let range: FileRange
        private var position: Int64 = 0
        private static let pieceSize: Int64 = 256 << 10

        init(range: FileRange) { self.range = range }

        /// - Throws: ``SystemError``; the file having become shorter is one too.
        mutating func next() async throws -> ByteBuffer? {
            let wanted = Swift.min(Self.pieceSize, range.length - position)
            if wanted <= 0 { return nil }
            let (range, start) = (range, range.offset + position)
            let piece = try await BlockingPool.shared.run {
                var buffer = ByteBufferAllocator().buffer(capacity: Int(wanted))
                let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Int(wanted)) { bytes in
                    try check("pread", range.path) {
                        pread(range.file.raw, bytes.baseAddress, Int(wanted), off_t(start))
                    }
                }
                guard count > 0 else { throw SystemError("pread", .ioError, range.path) }
                return buffer
            }
            position += Int64(piece.readableBytes)
            range.progress(start + Int64(piece.readableBytes))
            return piece
        }
    }
}
