import Testing

@testable import Networking

@Suite("DNS messages") struct DNSMessageTests {
    /// A query as glibc sends it: `Web.Shop`, A, with EDNS.
    static let query: [UInt8] = [
        0x12, 0x34,  // id
        0x01, 0x20,  // RD, AD
        0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,  // one question, one additional record
        0x03, 0x57, 0x65, 0x62, 0x04, 0x53, 0x68, 0x6f, 0x70, 0x00,  // Web.Shop
        0x00, 0x01, 0x00, 0x01,  // A, IN
        0x00, 0x00, 0x29, 0x04, 0xd0, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00,  // OPT: 1232 bytes, DO
    ]

    /// An answer with a chain of compressed names, a CNAME and an address.
    static let answer: [UInt8] = [
        0x12, 0x34, 0x81, 0x80, 0x00, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,
        0x03, 0x77, 0x77, 0x77, 0x01, 0x61, 0x00, 0x00, 0x01, 0x00, 0x01,  // 12: www.a A IN
        0xc0, 0x0c, 0x00, 0x05, 0x00, 0x01, 0x00, 0x00, 0x00, 0x3c, 0x00, 0x04,  // 23: www.a CNAME, 60 s
        0x01, 0x62, 0xc0, 0x10,  // 35: b.a
        0xc0, 0x23, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x3c, 0x00, 0x04, 0x0a, 0x00, 0x00, 0x07,  // b.a A 10.0.0.7
    ]

    @Test func queryIsRead() throws {
        let message = try DNSMessage(parsing: Self.query)
        #expect(message.id == 0x1234)
        #expect(message.questions == [DNSQuestion(name: DNSName("web.shop")!, type: DNSType.a)])
        #expect(message.extensions == DNSExtension(udpSize: 1232, dnssecOK: true))
    }

    @Test func compressedNamesAreFollowed() throws {
        let message = try DNSMessage(parsing: Self.answer)
        #expect(message.answers.map(\.name.description) == ["www.a", "b.a"])
        #expect(message.answers[1].data == [10, 0, 0, 7])
        #expect(message.answers[1].timeToLive == 60)
    }

    @Test func answerIsWritten() throws {
        guard case .query(let query) = DNSQuery.parse(Self.query) else {
            Issue.record("not taken for a query")
            return
        }
        let record = DNSRecord(name: DNSName("web.shop")!, type: DNSType.a, timeToLive: 5, data: [172, 18, 0, 2])
        #expect(
            query.response(.noError, answers: [record]) == [
                0x12, 0x34,
                0x81, 0x80,  // QR, RD, RA
                0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01,
                0x03, 0x57, 0x65, 0x62, 0x04, 0x53, 0x68, 0x6f, 0x70, 0x00, 0x00, 0x01, 0x00, 0x01,  // as asked
                0xc0, 0x0c, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x05, 0x00, 0x04, 0xac, 0x12, 0x00, 0x02,
                0x00, 0x00, 0x29, 0x10, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00,  // OPT: 4096 bytes, DO
            ])
    }

    @Test(arguments: [
        ([0xc0, 0x0c], DNSFormatError.badName),  // to itself
        ([0x01, 0x61, 0xc0, 0x0c], .badName),  // to its own beginning
        ([0xc0, 0x20], .badName),  // forwards
        ([0x41, 0x61], .badName),  // a reserved kind of label
        ([0x05, 0x61, 0x62], .endsEarly),
        ([0xc0], .endsEarly),
        ([], .endsEarly),
    ])
    func badNames(name: [UInt8], error: DNSFormatError) {
        let head: [UInt8] = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        #expect(throws: error) { try DNSMessage(parsing: head + name) }
    }

    @Test func namesHaveALimit() throws {
        let label = [UInt8(63)] + [UInt8](repeating: 0x61, count: 63)
        var fits = DNSReader(label + label + label + [61] + [UInt8](repeating: 0x61, count: 61) + [0])
        #expect(try fits.name().wire.count == 255)
        var tooLong = DNSReader(label + label + label + [62] + [UInt8](repeating: 0x61, count: 62) + [0])
        #expect(throws: DNSFormatError.nameTooLong) { try tooLong.name() }
        #expect(DNSName("a..b") == nil)
        #expect(DNSName(String(repeating: "a", count: 64)) == nil)
        #expect(DNSName("a.")?.wire == [1, 0x61, 0])
    }

    /// Every prefix of a message, and every message with one byte changed, is read or refused.
    @Test func damagedMessagesAreHandled() {
        for message in [Self.query, Self.answer] {
            for end in 0..<message.count {
                #expect(throws: (DNSFormatError).self) { try DNSMessage(parsing: Array(message[..<end])) }
            }
            for index in message.indices {
                for value in [UInt8(0), 0x3f, 0xc0, 0xff] {
                    var damaged = message
                    damaged[index] = value
                    _ = DNSQuery.parse(damaged)
                    _ = DNSWire.fitting(damaged, limit: 20)
                    _ = DNSWire.isResponse(damaged, to: Self.query)
                    _ = DNSWire.limitingUDPSize(512, damaged)
                }
            }
        }
    }

    @Test func dotsWithinLabelsDoNotSplit() {
        let name = DNSName(wire: [3, 0x61, 0x2e, 0x62, 0])
        #expect(name.description == "a\\046b")
        #expect(name != DNSName("a.b"))
    }

    @Test(arguments: [
        ("2.0.18.172.in-addr.arpa", "172.18.0.2"),
        ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.D.F.ip6.arpa", "fd00::1"),
        ("0.18.172.in-addr.arpa", nil), ("2.0.18.172.in-addr.example", nil), ("arpa", nil),
        ("x.0.18.172.in-addr.arpa", nil),
    ])
    func reverseNames(name: String, address: String?) {
        #expect(DNSName(name)?.reverseAddress == address.flatMap { IPAddress($0) })
    }

    @Test func queriesThatAreRefused() throws {
        func code(_ change: (inout [UInt8]) -> Void) throws -> UInt16? {
            var query = Self.query
            change(&query)
            switch DNSQuery.parse(query) {
            case .drop: return nil
            case .query: return 0
            case .refused(let answer):
                let message = try DNSMessage(parsing: answer)
                #expect(message.id == 0x1234 && message.flags.contains(.response))
                return message.flags.responseCode | UInt16(message.extensions?.extendedCode ?? 0) << 4
            }
        }
        #expect(try code { _ in } == 0)
        #expect(try code { $0[2] |= 0x80 } == nil)  // an answer
        #expect(try code { $0 = Array($0[..<11]) } == nil)
        #expect(try code { $0[2] |= 0x28 } == 4)  // UPDATE
        #expect(try code { $0[5] = 2 } == 1)  // more questions than there are
        #expect(try code { $0[5] = 0; $0 = Array($0[..<12]); $0[11] = 0 } == 1)
        #expect(try code { $0[25] = 3 } == 5)  // class CH
        #expect(try code { $0[32] = 1 } == 16)  // EDNS version 1
    }

    @Test func largeAnswersAreCutBetweenRecords() throws {
        var message = DNSMessage(id: 7, flags: [.response])
        message.questions = [DNSQuestion(name: DNSName("a.b")!, type: DNSType.a)]
        message.answers = (0..<40).map {
            DNSRecord(name: DNSName("a.b")!, type: DNSType.a, timeToLive: 1, data: [10, 0, 0, $0])
        }
        message.additionals = [
            DNSRecord(name: DNSName("c")!, type: DNSType.a, timeToLive: 1, data: [1, 1, 1, 1]),
            DNSExtension(udpSize: 1000).record,
        ]
        let whole = message.serialised()
        #expect(DNSWire.fitting(whole, limit: whole.count) == whole)
        let cut = try DNSMessage(parsing: DNSWire.fitting(whole, limit: 512))
        // 12 of header, 9 of question, 11 of OPT, 16 each.
        #expect(cut.answers == Array(message.answers[..<30]))
        #expect(cut.flags.contains(.truncated))
        #expect(cut.additionals == [DNSExtension(udpSize: 1000).record])
        // Without the other additional record all answers fit: nothing is missing that the client asked for.
        let complete = try DNSMessage(parsing: DNSWire.fitting(whole, limit: whole.count - 1))
        #expect(complete.answers.count == 40 && !complete.flags.contains(.truncated))
    }

    @Test func announcedSizeIsLowered() throws {
        #expect(try DNSMessage(parsing: DNSWire.limitingUDPSize(600, Self.query)).extensions?.udpSize == 600)
        #expect(DNSWire.limitingUDPSize(4096, Self.query) == Self.query)
    }

    @Test func answersAreToldFromGuesses() {
        var query = Self.answer
        query[2] = 0x01
        query[3] = 0
        query[7] = 0
        let asked = Array(query[..<23])
        #expect(DNSWire.isResponse(Self.answer, to: asked))
        for (index, value) in [(1, UInt8(0)), (2, 0x01), (13, 0x78), (20, 0x1c)] {
            var guess = Self.answer
            guess[index] = value
            #expect(!DNSWire.isResponse(guess, to: asked), "byte \(index)")
        }
        let refusal: [UInt8] = [0x12, 0x34, 0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(DNSWire.isResponse(refusal, to: asked))
    }
}
