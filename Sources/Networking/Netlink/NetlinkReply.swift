internal import CNetlink

/// One message received.
struct NetlinkReply {
    let type: Int
    let flags: Int
    let sequence: UInt32
    let payload: ArraySlice<UInt8>

    /// The messages in one datagram. What is cut short is left out.
    static func parse(_ datagram: [UInt8]) -> [NetlinkReply] {
        var replies: [NetlinkReply] = []
        var offset = 0
        while datagram.count - offset >= 16 {
            let length = Int(datagram[offset...].loadInteger(UInt32.self))
            guard length >= 16, length <= datagram.count - offset else { break }
            let header = datagram[offset...]
            replies.append(
                NetlinkReply(
                    type: Int(header.dropFirst(4).loadInteger(UInt16.self)),
                    flags: Int(header.dropFirst(6).loadInteger(UInt16.self)),
                    sequence: header.dropFirst(8).loadInteger(UInt32.self),
                    payload: datagram[(offset + 16)..<(offset + length)]))
            offset += (length + 3) & ~3
        }
        return replies
    }

    /// The attributes behind a fixed header of `size` bytes.
    func attributes(after size: Int) -> NetlinkAttributes {
        NetlinkAttributes(payload.dropFirst((size + 3) & ~3))
    }

    /// The error number of an acknowledgement, 0 for success, and the kernel's text where it sent one.
    var acknowledgement: (error: Int32, text: String?)? {
        guard type == Int(NLMSG_ERROR), payload.count >= 20 else { return nil }
        let error = Int32(bitPattern: payload.loadInteger(UInt32.self))
        guard flags & Int(NLM_F_ACK_TLVS) != 0 else { return (-error, nil) }
        // The request's header follows, and its payload unless the kernel was asked to leave that out.
        let requestLength = Int(payload.dropFirst(4).loadInteger(UInt32.self))
        let echoed = flags & Int(NLM_F_CAPPED) != 0 ? 16 : requestLength
        return (-error, attributes(after: 4 + echoed).string(Int(NLMSGERR_ATTR_MSG.rawValue)))
    }
}

/// Attributes of a message received, in order. Unknown ones are passed over, malformed ends ignored.
struct NetlinkAttributes {
    private(set) var all: [(type: Int, value: ArraySlice<UInt8>)] = []

    init(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while rest.count >= 4 {
            let length = Int(rest.loadInteger(UInt16.self))
            guard length >= 4, length <= rest.count else { return }
            // The two top bits say "nested" and "network byte order".
            let type = Int(rest.dropFirst(2).loadInteger(UInt16.self) & 0x3fff)
            all.append((type, rest.prefix(length).dropFirst(4)))
            rest = rest.dropFirst((length + 3) & ~3)
        }
    }

    subscript(type: Int) -> ArraySlice<UInt8>? { all.first { $0.type == type }?.value }
    func nested(_ type: Int) -> NetlinkAttributes? { self[type].map { NetlinkAttributes($0) } }

    func string(_ type: Int) -> String? {
        self[type].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    func integer<T: FixedWidthInteger>(_ type: Int, _: T.Type = T.self) -> T? {
        guard let value = self[type], value.count >= MemoryLayout<T>.size else { return nil }
        return value.loadInteger(T.self)
    }
}

extension ArraySlice<UInt8> {
    /// In the host's byte order; the slice must be long enough.
    func loadInteger<T: FixedWidthInteger>(_: T.Type) -> T {
        withUnsafeBytes { $0.loadUnaligned(as: T.self) }
    }
}
