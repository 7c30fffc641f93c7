/// What is wrong with a message.
enum DNSFormatError: Error, Sendable, Equatable {
    /// It ends within a field.
    case endsEarly
    /// A compression pointer that does not point backwards, or a label of a reserved kind.
    case badName
    /// A name of more than 255 bytes.
    case nameTooLong
}

/// Reads a message front to back; never beyond its end, whatever lengths and pointers say.
struct DNSReader {
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8], at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    mutating func word() throws(DNSFormatError) -> UInt16 {
        guard position + 2 <= bytes.count else { throw .endsEarly }
        defer { position += 2 }
        return UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
    }

    mutating func doubleWord() throws(DNSFormatError) -> UInt32 {
        UInt32(try word()) << 16 | UInt32(try word())
    }

    mutating func skip(_ count: Int) throws(DNSFormatError) {
        guard count <= bytes.count - position else { throw .endsEarly }
        position += count
    }

    /// A name, following compression pointers. Each must point before the part that holds it, which rules loops out.
    mutating func name() throws(DNSFormatError) -> DNSName {
        var wire: [UInt8] = []
        var cursor = position
        var partStart = position
        /// Where reading goes on: behind the first pointer.
        var end: Int?
        while true {
            guard cursor < bytes.count else { throw .endsEarly }
            let length = Int(bytes[cursor])
            switch length {
            case 0:
                wire.append(0)
                position = end ?? cursor + 1
                return DNSName(wire: wire)
            case 1...63:
                guard cursor + 1 + length < bytes.count else { throw .endsEarly }
                guard wire.count + 1 + length < 255 else { throw .nameTooLong }
                wire += bytes[cursor...(cursor + length)]
                cursor += 1 + length
            case 0xc0...0xff:
                guard cursor + 1 < bytes.count else { throw .endsEarly }
                let target = (length & 0x3f) << 8 | Int(bytes[cursor + 1])
                guard target < partStart else { throw .badName }
                if end == nil { end = cursor + 2 }
                partStart = target
                cursor = target
            default: throw .badName
            }
        }
    }

    mutating func question() throws(DNSFormatError) -> DNSQuestion {
        DNSQuestion(name: try name(), type: try word(), recordClass: try word())
    }

    mutating func record() throws(DNSFormatError) -> DNSRecord {
        let name = try name()
        let type = try word()
        let recordClass = try word()
        let timeToLive = try doubleWord()
        let length = Int(try word())
        let start = position
        try skip(length)
        return DNSRecord(
            name: name, type: type, recordClass: recordClass, timeToLive: timeToLive,
            data: Array(bytes[start..<position]))
    }
}
