internal import CNetlink

/// Types of set keys and map values. The numbers mean nothing to the kernel; `nft` shows elements by them.
enum NFTType: UInt32 {
    case ipv4 = 7
    case ipv6 = 8
    case transportProtocol = 12
    case port = 13
    case interfaceName = 41

    var length: UInt32 {
        switch self {
        case .ipv4: 4
        case .ipv6, .interfaceName: 16
        case .transportProtocol: 1
        case .port: 2
        }
    }

    /// Several types make one by six bits each.
    static func number(of types: [NFTType]) -> UInt32 { types.reduce(0) { $0 << 6 | $1.rawValue } }

    /// Bytes of a value; in a concatenation each part starts at a multiple of four.
    static func length(of types: [NFTType]) -> UInt32 {
        types.count == 1 ? types[0].length : types.reduce(0) { $0 + ($1.length + 3) & ~3 }
    }
}

/// A set, or a map where it has `data`.
struct NFTSet {
    enum Data {
        case verdict
        case value([NFTType])
    }
    var name: String
    var key: [NFTType]
    var data: Data?
    var hasIntervals = false
}

/// One element of a set or map.
struct NFTElement: Hashable {
    enum Data: Hashable {
        case verdict(NFTVerdict)
        case value([UInt8])
    }
    var key: [UInt8]
    /// The last key of an interval, in a set that has such.
    var keyEnd: [UInt8]?
    var data: Data?

    func put(in message: NetlinkMessage, withData: Bool) {
        func value(_ attribute: Int, _ bytes: [UInt8]) {
            message.nest(attribute) { message.put(Int(NFTA_DATA_VALUE.rawValue), bytes: bytes) }
        }
        message.nest(Int(NFTA_LIST_ELEM.rawValue)) {
            value(Int(NFTA_SET_ELEM_KEY.rawValue), key)
            if let keyEnd { value(Int(NFTA_SET_ELEM_KEY_END.rawValue), keyEnd) }
            guard withData, let data else { return }
            switch data {
            case .verdict(let verdict): message.nest(Int(NFTA_SET_ELEM_DATA.rawValue)) { verdict.put(in: message) }
            case .value(let bytes): value(Int(NFTA_SET_ELEM_DATA.rawValue), bytes)
            }
        }
    }

    /// A key or value of several parts, each padded to four bytes; a single part stays as it is.
    static func join(_ parts: [UInt8]...) -> [UInt8] {
        guard parts.count > 1 else { return parts[0] }
        return parts.flatMap { $0 + Array(repeating: 0, count: (4 - $0.count % 4) % 4) }
    }

    /// An interface's name as keys have it: 16 bytes.
    static func interface(_ name: String) -> [UInt8] {
        let bytes = Array(name.utf8.prefix(15))
        return bytes + Array(repeating: 0, count: 16 - bytes.count)
    }

    static func port(_ port: UInt16) -> [UInt8] { [UInt8(port >> 8), UInt8(port & 0xff)] }
}

/// What programs keep with a rule: a list of type, length, value. Comments have type 0 and end in NUL.
enum NFTUserData {
    /// Of a set: type 0 is the order of bytes in keys, and 1 the host's.
    static let keyInHostByteOrder: [UInt8] = [0, 4] + withUnsafeBytes(of: UInt32(1)) { Array($0) }

    static func comment(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8.prefix(120)) + [0]
        return [0, UInt8(bytes.count)] + bytes
    }

    static func comment(in data: ArraySlice<UInt8>) -> String? {
        var rest = data
        while rest.count >= 2 {
            let type = rest.first!
            let length = Int(rest[rest.startIndex + 1])
            guard rest.count >= 2 + length else { return nil }
            if type == 0 { return String(decoding: rest.dropFirst(2).prefix(length).prefix { $0 != 0 }, as: UTF8.self) }
            rest = rest.dropFirst(2 + length)
        }
        return nil
    }
}
