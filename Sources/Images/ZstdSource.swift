internal import CZstd

/// Decompresses a zstd stream (RFC 8878), also of several frames.
final class ZstdSource: ByteSource {
    private let source: any ByteSource
    private let subject: String
    private let context: OpaquePointer
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    private var pending = ZSTD_inBuffer()
    /// Whether the last frame is complete.
    private var frameEnded = false
    private var finished = false

    init(_ source: any ByteSource, subject: String) {
        self.source = source
        self.subject = subject
        context = ZSTD_createDCtx()!
        // A stream may ask for a window of gigabytes; up to 128 MiB is what the format's own tools decompress unasked.
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27)
    }

    deinit {
        ZSTD_freeDCtx(context)
        input.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if finished { return 0 }
        var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
        while output.pos == 0 {
            if pending.pos == pending.size {
                let count = try source.read(into: input)
                if count == 0 {
                    guard frameEnded else {
                        throw ImageError.malformed(subject: subject, reason: "the zstd stream is cut off")
                    }
                    finished = true
                    return 0
                }
                pending = ZSTD_inBuffer(src: UnsafeRawPointer(input.baseAddress!), size: count, pos: 0)
            }
            // What does not fit into the buffer stays inside, and comes before more input is needed.
            repeat {
                let before = (pending.pos, output.pos)
                let result = ZSTD_decompressStream(context, &output, &pending)
                guard ZSTD_isError(result) == 0 else {
                    let detail = String(cString: ZSTD_getErrorName(result))
                    throw ImageError.malformed(subject: subject, reason: "the zstd stream is damaged (\(detail))")
                }
                // Without input and output it says what it would need for another frame.
                if before == (pending.pos, output.pos) { break }
                frameEnded = result == 0
            } while output.pos < output.size
        }
        return output.pos
    }
}
