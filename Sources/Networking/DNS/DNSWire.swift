/// Changes to messages that are passed on: done on their bytes, so that what is not understood here goes through
/// unchanged.
enum DNSWire {
    /// The same message under another id.
    static func withID(_ id: UInt16, _ message: [UInt8]) -> [UInt8] {
        var message = message
        message[0] = UInt8(id >> 8)
        message[1] = UInt8(truncatingIfNeeded: id)
        return message
    }

    static func id(of message: [UInt8]) -> UInt16 { UInt16(message[0]) << 8 | UInt16(message[1]) }

    static func flags(of message: [UInt8]) -> DNSFlags {
        DNSFlags(rawValue: UInt16(message[2]) << 8 | UInt16(message[3]))
    }

    /// Whether `response` answers `query`: id, direction, opcode and question.
    static func isResponse(_ response: [UInt8], to query: [UInt8]) -> Bool {
        guard response.count >= DNSMessage.headerSize, query.count >= DNSMessage.headerSize,
            response[0..<2] == query[0..<2], flags(of: response).contains(.response),
            flags(of: response).opcode == flags(of: query).opcode
        else { return false }
        // Servers that cannot read a query may answer with the header alone.
        if response[4] == 0, response[5] == 0 { return flags(of: response).responseCode != 0 }
        guard response[4] == 0, response[5] == 1 else { return false }
        var asked = DNSReader(query, at: DNSMessage.headerSize)
        var answered = DNSReader(response, at: DNSMessage.headerSize)
        guard let question = try? asked.question(), let echo = try? answered.question() else { return false }
        return question == echo
    }

    /// A query that says it takes at most `size` bytes by UDP, where it says anything of the kind (EDNS).
    static func limitingUDPSize(_ size: UInt16, _ query: [UInt8]) -> [UInt8] {
        guard let layout = try? Layout(query), let opt = layout.opt else { return query }
        var query = query
        // The OPT record: an empty name, the type, and the size where others have their class.
        let field = opt.lowerBound + 3
        guard UInt16(query[field]) << 8 | UInt16(query[field + 1]) > size else { return query }
        query[field] = UInt8(size >> 8)
        query[field + 1] = UInt8(truncatingIfNeeded: size)
        return query
    }

    /// `response` if it fits into `limit` bytes; else its head with as many whole answers as fit, the OPT record,
    /// and the TC bit where an answer or the authority section is missing.
    static func fitting(_ response: [UInt8], limit: Int) -> [UInt8] {
        guard response.count > limit, let layout = try? Layout(response) else { return response }
        let opt = layout.opt.map { Array(response[$0]) } ?? []
        let kept = layout.answers.prefix { $0 + opt.count <= limit }
        let isComplete = kept.count == layout.answers.count && layout.authorityCount == 0
        var result = Array(response[..<(kept.last ?? layout.questionEnd)]) + opt
        if !isComplete { result[2] |= UInt8(DNSFlags.truncated.rawValue >> 8) }
        for (offset, count) in [(6, kept.count), (8, 0), (10, opt.isEmpty ? 0 : 1)] {
            result[offset] = UInt8(count >> 8)
            result[offset + 1] = UInt8(count & 0xff)
        }
        return result
    }

    /// Where the parts of a message are.
    private struct Layout {
        let questionEnd: Int
        /// The end of each answer.
        let answers: [Int]
        let authorityCount: Int
        let opt: Range<Int>?

        init(_ message: [UInt8]) throws(DNSFormatError) {
            var reader = DNSReader(message, at: 4)
            var counts: [Int] = []
            for _ in 0..<4 { counts.append(Int(try reader.word())) }
            for _ in 0..<counts[0] { _ = try reader.question() }
            questionEnd = reader.position
            var answers: [Int] = []
            for _ in 0..<counts[1] {
                _ = try reader.record()
                answers.append(reader.position)
            }
            for _ in 0..<counts[2] { _ = try reader.record() }
            var opt: Range<Int>?
            for _ in 0..<counts[3] {
                let start = reader.position
                let record = try reader.record()
                if record.type == DNSType.opt, record.name == .root { opt = start..<reader.position }
            }
            self.answers = answers
            authorityCount = counts[2]
            // An OPT record's empty name could be a pointer to a zero byte; only the plain form is rewritten.
            self.opt = opt.flatMap { message[$0.lowerBound] == 0 ? $0 : nil }
        }
    }
}
