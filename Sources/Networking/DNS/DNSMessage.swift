/// Type codes of records that are treated here; every other one is passed on as a number.
enum DNSType {
    static let a: UInt16 = 1
    static let ptr: UInt16 = 12
    static let aaaa: UInt16 = 28
    static let opt: UInt16 = 41
    static let any: UInt16 = 255
}

enum DNSClass {
    static let internet: UInt16 = 1
}

/// How a query ended. Values above 15 reach into the OPT record.
enum DNSResponseCode: UInt16, Sendable {
    case noError = 0
    case formatError = 1
    case serverFailure = 2
    case nameError = 3
    case notImplemented = 4
    case refused = 5
    case badVersion = 16
}

/// The second word of a message's header.
struct DNSFlags: OptionSet, Sendable, Hashable {
    let rawValue: UInt16
    static let response = DNSFlags(rawValue: 0x8000)
    static let authoritative = DNSFlags(rawValue: 0x0400)
    static let truncated = DNSFlags(rawValue: 0x0200)
    static let recursionDesired = DNSFlags(rawValue: 0x0100)
    static let recursionAvailable = DNSFlags(rawValue: 0x0080)
    static let checkingDisabled = DNSFlags(rawValue: 0x0010)

    var opcode: UInt16 { rawValue >> 11 & 0xf }
    /// The lower four bits of the response code.
    var responseCode: UInt16 { rawValue & 0xf }
}

struct DNSQuestion: Sendable, Hashable {
    var name: DNSName
    var type: UInt16
    var recordClass: UInt16 = DNSClass.internet
}

struct DNSRecord: Sendable, Hashable {
    var name: DNSName
    var type: UInt16
    var recordClass: UInt16 = DNSClass.internet
    /// Seconds.
    var timeToLive: UInt32
    /// As it stands in the message: names in it may be compressed.
    var data: [UInt8]
}

/// What an OPT record (RFC 6891) says.
struct DNSExtension: Sendable, Hashable {
    /// The largest UDP message its sender takes.
    var udpSize: UInt16
    var version: UInt8 = 0
    var dnssecOK = false
    /// The upper eight bits of the response code.
    var extendedCode: UInt8 = 0

    init(udpSize: UInt16, version: UInt8 = 0, dnssecOK: Bool = false, extendedCode: UInt8 = 0) {
        self.udpSize = udpSize
        self.version = version
        self.dnssecOK = dnssecOK
        self.extendedCode = extendedCode
    }

    init(_ record: DNSRecord) {
        udpSize = record.recordClass
        extendedCode = UInt8(truncatingIfNeeded: record.timeToLive >> 24)
        version = UInt8(truncatingIfNeeded: record.timeToLive >> 16)
        dnssecOK = record.timeToLive & 0x8000 != 0
    }

    var record: DNSRecord {
        DNSRecord(
            name: .root, type: DNSType.opt, recordClass: udpSize,
            timeToLive: UInt32(extendedCode) << 24 | UInt32(version) << 16 | (dnssecOK ? 0x8000 : 0), data: [])
    }
}

/// A message of RFC 1035, as a value.
struct DNSMessage: Sendable, Hashable {
    static let headerSize = 12

    var id: UInt16
    var flags: DNSFlags
    var questions: [DNSQuestion] = []
    var answers: [DNSRecord] = []
    var authorities: [DNSRecord] = []
    var additionals: [DNSRecord] = []

    var extensions: DNSExtension? {
        additionals.first { $0.type == DNSType.opt }.map(DNSExtension.init)
    }

    init(id: UInt16, flags: DNSFlags) {
        self.id = id
        self.flags = flags
    }

    /// - Throws: ``DNSFormatError``. Bytes after the last record are ignored.
    init(parsing bytes: [UInt8]) throws(DNSFormatError) {
        var reader = DNSReader(bytes)
        id = try reader.word()
        flags = DNSFlags(rawValue: try reader.word())
        var counts: [UInt16] = []
        for _ in 0..<4 { counts.append(try reader.word()) }
        for _ in 0..<counts[0] { questions.append(try reader.question()) }
        for _ in 0..<counts[1] { answers.append(try reader.record()) }
        for _ in 0..<counts[2] { authorities.append(try reader.record()) }
        for _ in 0..<counts[3] { additionals.append(try reader.record()) }
    }

    /// Records named like the first question point there; nothing else is compressed.
    /// - Precondition: no section has more than 65535 records, no record more than 65535 bytes.
    func serialised() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64 + answers.count * 28)
        for word in [id, flags.rawValue] { bytes.append(word: word) }
        for count in [questions.count, answers.count, authorities.count, additionals.count] {
            bytes.append(word: UInt16(count))
        }
        for question in questions {
            bytes += question.name.wire
            bytes.append(word: question.type)
            bytes.append(word: question.recordClass)
        }
        for record in answers + authorities + additionals {
            if record.name != .root, record.name == questions.first?.name {
                bytes.append(word: 0xc000 | UInt16(Self.headerSize))
            } else {
                bytes += record.name.wire
            }
            bytes.append(word: record.type)
            bytes.append(word: record.recordClass)
            bytes.append(word: UInt16(record.timeToLive >> 16))
            bytes.append(word: UInt16(truncatingIfNeeded: record.timeToLive))
            bytes.append(word: UInt16(record.data.count))
            bytes += record.data
        }
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func append(word: UInt16) {
        append(UInt8(word >> 8))
        append(UInt8(truncatingIfNeeded: word))
    }
}
