/// A header block of 512 bytes, read field by field.
struct TarHeader {
    static let blockSize = 512
    private let block: UnsafeRawBufferPointer

    /// `block` must outlive this.
    init(_ block: UnsafeRawBufferPointer) { self.block = block }

    var isZero: Bool { block.allSatisfy { $0 == 0 } }

    /// The sum of all bytes, those of the checksum itself counted as spaces; some old writers summed signed bytes.
    func hasValidChecksum() -> Bool {
        guard let stored = try? number(148, 8) else { return false }
        var unsigned = 0
        var signed = 0
        for (index, byte) in block.enumerated() {
            let value: UInt8 = (148..<156).contains(index) ? 0x20 : byte
            unsigned += Int(value)
            signed += Int(Int8(bitPattern: value))
        }
        return stored == unsigned || stored == signed
    }

    var type: UInt8 { block[156] }
    var isUstar: Bool { bytes(257, 6) == [0x75, 0x73, 0x74, 0x61, 0x72, 0] }
    private var isStar: Bool { isUstar && bytes(508, 4) == [0x74, 0x61, 0x72, 0] }

    var path: [UInt8] {
        let name = text(0, 100)
        guard isUstar else { return name }
        let prefix = text(345, isStar ? 131 : 155)
        return prefix.isEmpty ? name : prefix + [0x2f] + name
    }
    var linkPath: [UInt8] { text(157, 100) }

    func size() throws(TarError) -> Int64 {
        let size = try number(124, 12)
        guard size >= 0 else { throw TarError("negative size") }
        return size
    }

    func mode() throws(TarError) -> UInt32 { UInt32(truncatingIfNeeded: try number(100, 8)) & 0o7777 }
    func uid() throws(TarError) -> UInt32 { try identity(108) }
    func gid() throws(TarError) -> UInt32 { try identity(116) }
    func modified() throws(TarError) -> Int64 { try number(136, 12) }
    func device() throws(TarError) -> (major: UInt32, minor: UInt32) {
        (
            UInt32(truncatingIfNeeded: try number(329, 8)) & 0xfff,
            UInt32(truncatingIfNeeded: try number(337, 8)) & 0xfffff
        )
    }

    private func identity(_ offset: Int) throws(TarError) -> UInt32 {
        let value = try number(offset, 8)
        // The last number means "leave as it is" to the kernel.
        guard value >= 0, value < UInt32.max else { throw TarError("owner \(value) is out of range") }
        return UInt32(value)
    }

    /// Extents of an old GNU sparse header: `count` of them at `offset`, ended by an empty one.
    func extents(at offset: Int, count: Int) throws(TarError) -> [TarEntry.Extent] {
        var result: [TarEntry.Extent] = []
        for index in 0..<count {
            let start = offset + index * 24
            if block[start] == 0 { break }
            result.append(.init(offset: try number(start, 12), length: try number(start + 12, 12)))
        }
        return result
    }
    func isExtended(at offset: Int) -> Bool { block[offset] != 0 }
    func sparseLogicalSize() throws(TarError) -> Int64 { try number(483, 12) }

    private func bytes(_ offset: Int, _ length: Int) -> [UInt8] { Array(block[offset..<(offset + length)]) }

    private func text(_ offset: Int, _ length: Int) -> [UInt8] {
        var end = offset
        while end < offset + length, block[end] != 0 { end += 1 }
        return Array(block[offset..<end])
    }

    /// Octal digits, or, with the highest bit set, a big-endian two's complement number.
    private func number(_ offset: Int, _ length: Int) throws(TarError) -> Int64 {
        let first = block[offset]
        if first & 0x80 != 0 {
            // Sign extension of the seven bits that are left of the first byte.
            var result = Int64(first & 0x40 != 0 ? -1 : 0) << 6 | Int64(first & 0x3f)
            for index in 1..<length {
                guard result <= Int64.max >> 8, result >= Int64.min >> 8 else { throw TarError("number out of range") }
                result = result << 8 | Int64(block[offset + index])
            }
            return result
        }
        var result: Int64 = 0
        var ended = false
        for index in offset..<(offset + length) {
            let byte = block[index]
            switch byte {
            case 0x30...0x37 where !ended: result = result << 3 | Int64(byte - 0x30)
            case 0x20 where result == 0 && !ended && block[offset..<index].allSatisfy { $0 == 0x20 }: continue
            case 0, 0x20: ended = true
            default: throw TarError("damaged number in a header")
            }
        }
        return result
    }
}
