internal import LinuxSystem

/// Reads a tar archive as a stream, in bounded memory: ustar, GNU and pax formats.
///
/// Call ``next()`` for each entry, then at most once ``readContent(_:)``.
final class TarReader {
    private let source: any ByteSource
    private let headerLimit: Int
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    private var start = 0
    private var end = 0
    /// Content of the current entry not read yet, and what pads it to a whole block.
    private var remaining: Int64 = 0
    private var padding = 0
    private var global = PaxAttributes()

    init(_ source: any ByteSource, headerLimit: Int) {
        self.source = source
        self.headerLimit = headerLimit
    }

    deinit { buffer.deallocate() }

    /// The next entry; nil at the end of the archive.
    /// - Throws: ``TarError``, or what the source throws.
    func next() throws -> TarEntry? {
        try skipContent()
        var pax = global
        var longName: [UInt8]?
        var longLink: [UInt8]?
        while true {
            guard let header = try readHeader() else {
                if longName != nil || longLink != nil { throw TarError("it ends after a long name") }
                return nil
            }
            switch header.type {
            case UInt8(ascii: "x"): try pax.parse(try metadata(header))
            case UInt8(ascii: "g"): try global.parse(try metadata(header)); pax = global
            case UInt8(ascii: "L"): longName = try trimmed(metadata(header))
            case UInt8(ascii: "K"): longLink = try trimmed(metadata(header))
            default: return try entry(header, pax, longName: longName, longLink: longLink)
            }
        }
    }

    /// Passes the current entry's content on in large pieces that are valid during the call.
    func readContent(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        while remaining > 0 {
            if start == end { try fill() }
            let count = Int(min(Int64(end - start), remaining))
            try body(UnsafeRawBufferPointer(rebasing: buffer[start..<(start + count)]))
            start += count
            remaining -= Int64(count)
        }
    }

    /// Reads what follows the archive's end, to the end of the source.
    func drain() throws {
        start = end
        try source.drain()
    }

    private func entry(
        _ header: TarHeader, _ pax: PaxAttributes, longName: [UInt8]?, longLink: [UInt8]?
    ) throws -> TarEntry {
        var path = pax.sparse.name ?? pax.path ?? longName ?? header.path
        let linkPath = pax.linkPath ?? longLink ?? header.linkPath
        var size = try pax.size ?? header.size()
        let kind: TarEntry.Kind
        switch header.type {
        case UInt8(ascii: "0"), 0, UInt8(ascii: "7"), UInt8(ascii: "S"):
            // Before POSIX, a directory was a file with a slash at its end.
            kind = header.type == 0 && path.last == 0x2f ? .directory : .file
        case UInt8(ascii: "1"): kind = .hardLink(target: linkPath)
        case UInt8(ascii: "2"): kind = .symbolicLink(target: linkPath)
        case UInt8(ascii: "3"): kind = try .characterDevice(major: header.device().major, minor: header.device().minor)
        case UInt8(ascii: "4"): kind = try .blockDevice(major: header.device().major, minor: header.device().minor)
        case UInt8(ascii: "5"): kind = .directory
        case UInt8(ascii: "6"): kind = .fifo
        default:
            let name = String(decoding: path.prefix(200), as: UTF8.self)
            throw TarError(
                "entry \(name) is of type '\(Character(Unicode.Scalar(header.type)))', which is not supported")
        }
        if path.isEmpty, kind != .directory { throw TarError("an entry has no name") }
        if kind != .file {
            // Some writers give links the size of what they point to.
            size = 0
            while path.count > 1, path.last == 0x2f { path.removeLast() }
        }
        var entry = TarEntry(
            path: path, kind: kind,
            attributes: TreeAttributes(
                mode: try header.mode(), uid: try pax.uid ?? header.uid(), gid: try pax.gid ?? header.gid(),
                modified: try pax.modified ?? (header.modified(), 0), extended: pax.extended),
            size: size, extents: nil, logicalSize: size)
        // The header lies in the buffer: nothing of it may be used from here on but by `oldSparse`, which reads on.
        if header.type == UInt8(ascii: "S") {
            try oldSparse(header, &entry)
            setRemaining(size)
        } else if kind == .file, pax.sparse.isPresent {
            setRemaining(size)
            try paxSparse(pax.sparse, &entry)
        } else {
            setRemaining(size)
        }
        return entry
    }

    private func setRemaining(_ size: Int64) {
        remaining = size
        padding = Int((512 - size % 512) % 512)
    }

    private func oldSparse(_ header: TarHeader, _ entry: inout TarEntry) throws {
        entry.logicalSize = try header.sparseLogicalSize()
        var extents = try header.extents(at: 386, count: 4)
        var isExtended = header.isExtended(at: 482)
        while isExtended {
            guard extents.count < headerLimit / 24 else {
                throw TarError("the sparse map of \(entry.name) is too long")
            }
            let block = TarHeader(try take(TarHeader.blockSize))
            extents += try block.extents(at: 0, count: 21)
            isExtended = block.isExtended(at: 504)
        }
        entry.extents = try checked(extents, entry)
    }

    private func paxSparse(_ sparse: PaxAttributes.Sparse, _ entry: inout TarEntry) throws {
        guard let realSize = sparse.realSize else { throw TarError("sparse file \(entry.name) has no size") }
        entry.logicalSize = realSize
        if sparse.major == 1, sparse.minor == 0 {
            entry.extents = try checked(try sparseMapInContent(&entry), entry)
        } else if sparse.major ?? 0 == 0, let map = sparse.map {
            entry.extents = try checked(map, entry)
        } else {
            throw TarError("sparse file \(entry.name) is of a version that is not supported")
        }
    }

    /// Version 1.0: the map is decimal lines at the start of the content, padded to a block.
    private func sparseMapInContent(_ entry: inout TarEntry) throws -> [TarEntry.Extent] {
        var numbers: [Int64] = []
        var digits: [UInt8] = []
        var wanted = 1
        while numbers.count < wanted {
            guard remaining >= 512 else { throw TarError("the sparse map of \(entry.name) is damaged") }
            for byte in try take(TarHeader.blockSize) where numbers.count < wanted {
                if byte != 0x0a {
                    guard digits.count < 20 else { throw TarError("the sparse map of \(entry.name) is damaged") }
                    digits.append(byte)
                    continue
                }
                guard let number = decimal(digits[...]) else {
                    throw TarError("the sparse map of \(entry.name) is damaged")
                }
                numbers.append(number)
                digits = []
                if numbers.count == 1 {
                    guard number <= headerLimit / 24 else {
                        throw TarError("the sparse map of \(entry.name) is too long")
                    }
                    wanted = 1 + 2 * Int(number)
                }
            }
            remaining -= 512
        }
        entry.size = remaining
        return stride(from: 1, to: numbers.count, by: 2).map { .init(offset: numbers[$0], length: numbers[$0 + 1]) }
    }

    /// Extents must be in order, inside the file, and together as long as the content.
    private func checked(_ extents: [TarEntry.Extent], _ entry: TarEntry) throws(TarError) -> [TarEntry.Extent] {
        var position: Int64 = 0
        var total: Int64 = 0
        for extent in extents {
            guard extent.length >= 0, extent.offset >= position, extent.offset <= entry.logicalSize,
                extent.length <= entry.logicalSize - extent.offset
            else { throw TarError("the sparse map of \(entry.name) is damaged") }
            position = extent.offset + extent.length
            total += extent.length
        }
        guard total == entry.size else { throw TarError("the sparse map of \(entry.name) does not fit its content") }
        return extents
    }

    /// nil at the end: two zero blocks (one is taken for both), or no more input.
    private func readHeader() throws -> TarHeader? {
        if end - start < TarHeader.blockSize {
            try fill(atLeast: TarHeader.blockSize, allowEnd: true)
            if start == end { return nil }
        }
        let header = TarHeader(try take(TarHeader.blockSize))
        if header.hasValidChecksum() { return header }
        if header.isZero { return nil }
        throw TarError("it is no tar archive, or damaged: a header has a wrong checksum")
    }

    /// Content of an entry that describes the next one.
    private func metadata(_ header: TarHeader) throws -> [UInt8] {
        let size = try header.size()
        guard size <= headerLimit else {
            throw TarError("an extended header of \(size) bytes is over the limit of \(headerLimit)")
        }
        setRemaining(size)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(size))
        try readContent { bytes.append(contentsOf: $0) }
        try skipContent()
        return bytes
    }

    private func trimmed(_ bytes: [UInt8]) throws(TarError) -> [UInt8] {
        let name = bytes.prefix { $0 != 0 }
        if name.isEmpty { throw TarError("an empty long name") }
        return Array(name)
    }

    private func skipContent() throws {
        try readContent { _ in }
        if padding > 0 {
            let count = padding
            padding = 0
            _ = try take(count)
        }
    }

    /// The next `count` bytes, valid until more are read.
    private func take(_ count: Int) throws -> UnsafeRawBufferPointer {
        if end - start < count { try fill(atLeast: count) }
        defer { start += count }
        return UnsafeRawBufferPointer(rebasing: buffer[start..<(start + count)])
    }

    private func fill(atLeast count: Int = 1, allowEnd: Bool = false) throws {
        if start > 0 {
            if start < end { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end])) }
            end -= start
            start = 0
        }
        while end < count {
            let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
            if got == 0 {
                if allowEnd, end == 0 { return }
                throw TarError("it is cut off")
            }
            end += got
        }
    }
}
