internal import CLinux
internal import CZlib
internal import Crypto
internal import LinuxSystem

/// Bytes that come one after the other.
protocol ByteSource: AnyObject {
    /// Puts at least one byte into `buffer`, unless the end is reached: then the result is 0.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// What an open file or pipe gives.
final class DescriptorSource: ByteSource {
    private let descriptor: OwnedDescriptor
    private let subject: String

    init(_ descriptor: OwnedDescriptor, subject: String) {
        self.descriptor = descriptor
        self.subject = subject
        posix_fadvise(descriptor.raw, 0, 0, CInt(POSIX_FADV_SEQUENTIAL))
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try check("read", subject) { CLinux.read(descriptor.raw, buffer.baseAddress, buffer.count) }
    }
}

/// Hands on what another source gives, whose beginning can be looked at before.
final class PeekableSource: ByteSource {
    private let source: any ByteSource
    private var head: [UInt8] = []

    init(_ source: any ByteSource) { self.source = source }

    /// The first bytes, at most `count`; they are read again afterwards.
    func peek(_ count: Int) throws -> [UInt8] {
        while head.count < count {
            var more = [UInt8](repeating: 0, count: count - head.count)
            let got = try more.withUnsafeMutableBytes { try source.read(into: $0) }
            if got == 0 { break }
            head += more[..<got]
        }
        return head
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard !head.isEmpty else { return try source.read(into: buffer) }
        let count = min(head.count, buffer.count)
        buffer.copyBytes(from: head[..<count])
        head.removeFirst(count)
        return count
    }
}

/// Hands on what another source gives, and computes its digest.
final class HashingSource: ByteSource {
    private let source: any ByteSource
    private var hash = SHA256()

    init(_ source: any ByteSource) { self.source = source }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try source.read(into: buffer)
        hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
    }

    /// The digest of all that was read.
    var digest: String { hash.finalize().digestString }
}

/// Hands on what another source gives, and stores a copy.
final class StoringSource: ByteSource {
    private let source: any ByteSource
    private let blob: BlobWriter

    init(_ source: any ByteSource, into blob: BlobWriter) {
        self.source = source
        self.blob = blob
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try source.read(into: buffer)
        try blob.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        return count
    }
}

extension ByteSource {
    /// Reads to the end, so that whatever follows an archive's end is part of its digest.
    func drain() throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        while try read(into: buffer) > 0 {}
    }
}

/// Inflates a gzip stream, also of several members.
final class GunzipSource: ByteSource {
    private let source: any ByteSource
    private let subject: String
    private var stream = z_stream()
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    private var memberEnded = false
    private var finished = false

    init(_ source: any ByteSource, subject: String) {
        self.source = source
        self.subject = subject
        // 15: the largest window; 16: a gzip header must be there.
        let result = inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "inflateInit2: \(result)")
    }

    deinit {
        inflateEnd(&stream)
        input.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if finished { return 0 }
        stream.next_out = buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = CUnsignedInt(buffer.count)
        while stream.avail_out > 0 {
            if stream.avail_in == 0 {
                let count = try source.read(into: input)
                if count == 0 {
                    guard memberEnded else {
                        throw ImageError.malformed(subject: subject, reason: "the gzip stream is cut off")
                    }
                    finished = true
                    break
                }
                stream.next_in = input.baseAddress!.assumingMemoryBound(to: UInt8.self)
                stream.avail_in = CUnsignedInt(count)
            }
            if memberEnded, try !startNextMember() { continue }
            let result = inflate(&stream, Z_NO_FLUSH)
            if result == Z_STREAM_END {
                memberEnded = true
            } else if result != Z_OK {
                let detail = stream.msg.map { String(cString: $0) } ?? "error \(result)"
                throw ImageError.malformed(subject: subject, reason: "the gzip stream is damaged (\(detail))")
            }
        }
        return buffer.count - Int(stream.avail_out)
    }

    /// Between members: zeros are padding, anything else begins another member.
    /// - Returns: whether there is input for one.
    private func startNextMember() throws -> Bool {
        while stream.avail_in > 0, stream.next_in.pointee == 0 {
            stream.next_in += 1
            stream.avail_in -= 1
        }
        if stream.avail_in == 0 { return false }
        guard stream.next_in.pointee == 0x1f else {
            throw ImageError.malformed(subject: subject, reason: "there is something else after the gzip stream")
        }
        inflateReset(&stream)
        memberEnded = false
        return true
    }
}
