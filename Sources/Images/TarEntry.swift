internal import LinuxSystem

/// One entry of a tar archive, long names and extended headers applied.
struct TarEntry {
    enum Kind: Equatable {
        case file, directory, fifo
        case symbolicLink(target: [UInt8])
        case hardLink(target: [UInt8])
        case characterDevice(major: UInt32, minor: UInt32)
        case blockDevice(major: UInt32, minor: UInt32)
    }
    /// As in the archive, not checked at all.
    var path: [UInt8]
    var kind: Kind
    var attributes: TreeAttributes
    /// Bytes of content in the archive.
    var size: Int64 = 0
    /// The parts of a sparse file that the content is for; nil for other files.
    var extents: [Extent]?
    /// Length of the file, holes included.
    var logicalSize: Int64 = 0

    struct Extent: Equatable {
        var offset: Int64
        var length: Int64
    }

    /// For messages.
    var name: String { String(decoding: path.prefix(200), as: UTF8.self) }
}

/// What extended headers say about the entries after them.
struct PaxAttributes {
    var path: [UInt8]?
    var linkPath: [UInt8]?
    var size: Int64?
    var uid: UInt32?
    var gid: UInt32?
    var modified: (seconds: Int64, nanoseconds: Int)?
    var extended: [ExtendedAttribute] = []
    var sparse = Sparse()

    struct Sparse {
        var major: Int64?
        var minor: Int64?
        var name: [UInt8]?
        var realSize: Int64?
        var map: [TarEntry.Extent]?
        /// Of version 0.0, whose map is a series of records.
        var pendingOffset: Int64?
        var isPresent: Bool { major != nil || map != nil || realSize != nil }
    }

    /// Adds the records `length key=value\n` of an extended header.
    mutating func parse(_ bytes: [UInt8]) throws(TarError) {
        var position = 0
        while position < bytes.count {
            // Some writers pad with NULs.
            if bytes[position] == 0 { return }
            guard let space = bytes[position...].firstIndex(of: 0x20), space - position <= 10,
                let length = decimal(bytes[position..<space]), length > 0, position + Int(length) <= bytes.count,
                bytes[position + Int(length) - 1] == 0x0a
            else { throw TarError("damaged extended header") }
            let record = bytes[(space + 1)..<max(position + Int(length) - 1, space + 1)]
            guard let equals = record.firstIndex(of: 0x3d) else { throw TarError("damaged extended header") }
            try apply(record[..<equals], record[(equals + 1)...])
            position += Int(length)
        }
    }

    private mutating func apply(_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) throws(TarError) {
        let name = String(decoding: key, as: UTF8.self)
        func number(_ limit: Int64 = .max) throws(TarError) -> Int64 {
            guard let number = decimal(value), number <= limit else {
                throw TarError("damaged \(name) in extended header")
            }
            return number
        }
        switch name {
        case "path": path = try text(value, name)
        case "linkpath": linkPath = try text(value, name)
        case "size": size = try number()
        case "uid": uid = UInt32(try number(Int64(UInt32.max - 1)))
        case "gid": gid = UInt32(try number(Int64(UInt32.max - 1)))
        case "mtime": modified = try time(value)
        case "GNU.sparse.major": sparse.major = try number()
        case "GNU.sparse.minor": sparse.minor = try number()
        case "GNU.sparse.name": sparse.name = try text(value, name)
        case "GNU.sparse.realsize", "GNU.sparse.size": sparse.realSize = try number()
        case "GNU.sparse.map": sparse.map = try map(value)
        case "GNU.sparse.offset": sparse.pendingOffset = try number()
        case "GNU.sparse.numbytes":
            guard let offset = sparse.pendingOffset else { throw TarError("damaged sparse map") }
            let length = try number()
            if sparse.map == nil { sparse.map = [] }
            sparse.map?.append(.init(offset: offset, length: length))
            sparse.pendingOffset = nil
        default:
            let prefix = "SCHILY.xattr."
            guard name.hasPrefix(prefix) else { return }
            let attribute = try text(key.dropFirst(prefix.utf8.count), "attribute name")
            extended.append(
                ExtendedAttribute(name: attribute.map { CChar(bitPattern: $0) } + [0], value: Array(value)))
        }
    }

    private func text(_ value: ArraySlice<UInt8>, _ what: String) throws(TarError) -> [UInt8] {
        if value.isEmpty || value.contains(0) { throw TarError("damaged \(what) in extended header") }
        return Array(value)
    }

    /// `[-]seconds[.fraction]`
    private func time(_ value: ArraySlice<UInt8>) throws(TarError) -> (Int64, Int) {
        let negative = value.first == 0x2d
        let parts = value.dropFirst(negative ? 1 : 0).split(separator: 0x2e, maxSplits: 1)
        guard let first = parts.first, let seconds = decimal(first) else { throw TarError("damaged mtime") }
        var nanoseconds = 0
        if parts.count == 2 {
            let digits = Array(parts[1].prefix(9))
            guard let fraction = decimal(digits[...]) else { throw TarError("damaged mtime") }
            nanoseconds = Int(fraction)
            for _ in digits.count..<9 { nanoseconds *= 10 }
        }
        guard negative else { return (seconds, nanoseconds) }
        return nanoseconds == 0 ? (-seconds, 0) : (-seconds - 1, 1_000_000_000 - nanoseconds)
    }

    /// `offset,length,offset,length…`
    private func map(_ value: ArraySlice<UInt8>) throws(TarError) -> [TarEntry.Extent] {
        var numbers: [Int64] = []
        for part in value.split(separator: 0x2c) {
            guard let number = decimal(part) else { throw TarError("damaged sparse map") }
            numbers.append(number)
        }
        guard numbers.count.isMultiple(of: 2) else { throw TarError("damaged sparse map") }
        return stride(from: 0, to: numbers.count, by: 2).map { .init(offset: numbers[$0], length: numbers[$0 + 1]) }
    }
}

/// A tar archive that is none, or is damaged.
struct TarError: Error, Equatable {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// Digits only; nil for anything else or too large.
func decimal(_ bytes: ArraySlice<UInt8>) -> Int64? {
    guard !bytes.isEmpty else { return nil }
    var result: Int64 = 0
    for byte in bytes {
        guard (0x30...0x39).contains(byte) else { return nil }
        let (product, overflow) = result.multipliedReportingOverflow(by: 10)
        let (sum, second) = product.addingReportingOverflow(Int64(byte - 0x30))
        if overflow || second { return nil }
        result = sum
    }
    return result
}
