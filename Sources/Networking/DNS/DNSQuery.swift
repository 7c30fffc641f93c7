/// A question as a client sent it.
struct DNSQuery: Sendable {
    /// What is to be done about bytes that came in.
    enum Parsed {
        case query(DNSQuery)
        /// Not to be answered: too short, or itself an answer.
        case drop
        /// No question that could be treated; the answer that says so.
        case refused([UInt8])
    }

    let bytes: [UInt8]
    let id: UInt16
    let flags: DNSFlags
    let question: DNSQuestion
    let extensions: DNSExtension?

    /// The largest UDP answer the client takes.
    var udpLimit: Int { max(512, Int(extensions?.udpSize ?? 512)) }

    static func parse(_ bytes: [UInt8]) -> Parsed {
        guard bytes.count >= DNSMessage.headerSize else { return .drop }
        let flags = DNSWire.flags(of: bytes)
        if flags.contains(.response) { return .drop }
        func refused(_ code: DNSResponseCode, _ message: DNSMessage? = nil) -> Parsed {
            .refused(response(code, id: DNSWire.id(of: bytes), flags: flags, message: message).serialised())
        }
        guard flags.opcode == 0 else { return refused(.notImplemented) }
        guard let message = try? DNSMessage(parsing: bytes), message.questions.count == 1 else {
            return refused(.formatError)
        }
        guard message.questions[0].recordClass == DNSClass.internet else { return refused(.refused, message) }
        if let version = message.extensions?.version, version > 0 { return refused(.badVersion, message) }
        return .query(
            DNSQuery(
                bytes: bytes, id: message.id, flags: flags, question: message.questions[0],
                extensions: message.extensions))
    }

    /// An answer of our own.
    func response(_ code: DNSResponseCode, answers: [DNSRecord] = []) -> [UInt8] {
        var message = DNSMessage(id: id, flags: [])
        message.questions = [question]
        if let extensions { message.additionals = [extensions.record] }
        var response = Self.response(code, id: id, flags: flags, message: message)
        response.answers = answers
        return response.serialised()
    }

    /// - Parameter message: The query, as far as it could be read.
    private static func response(
        _ code: DNSResponseCode, id: UInt16, flags: DNSFlags, message: DNSMessage?
    ) -> DNSMessage {
        let kept = flags.intersection([.recursionDesired, .checkingDisabled]).rawValue
        let own: DNSFlags = [.response, .recursionAvailable]
        var response = DNSMessage(
            id: id, flags: DNSFlags(rawValue: own.rawValue | kept | flags.opcode << 11 | code.rawValue & 0xf))
        response.questions = message?.questions ?? []
        if let extensions = message?.extensions {
            response.additionals = [
                DNSExtension(
                    udpSize: 4096, dnssecOK: extensions.dnssecOK, extendedCode: UInt8(code.rawValue >> 4)
                ).record
            ]
        }
        return response
    }
}
