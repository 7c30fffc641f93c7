/// A domain name in wire form. Upper and lower case are kept as they came and do not count where names are compared.
struct DNSName: Sendable, Hashable, CustomStringConvertible {
    /// Labels, each after its length, and the root's zero; at most 255 bytes.
    let wire: [UInt8]

    static let root = DNSName(wire: [0])

    /// - Precondition: `wire` is well formed, as ``DNSReader/name()`` makes it.
    init(wire: [UInt8]) { self.wire = wire }

    /// From `a.b.c` with or without a dot at the end. nil where a label is empty or longer than 63 bytes, or the
    /// whole longer than 255. Knows no escapes: names of ours have none.
    init?(_ text: some StringProtocol) {
        var wire: [UInt8] = []
        var bytes = Array(text.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        if !bytes.isEmpty {
            for label in bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
                guard (1...63).contains(label.count) else { return nil }
                wire.append(UInt8(label.count))
                wire.append(contentsOf: label)
            }
        }
        wire.append(0)
        guard wire.count <= 255 else { return nil }
        self.wire = wire
    }

    /// The labels in lower case, first the leftmost.
    var labels: [[UInt8]] {
        var labels: [[UInt8]] = []
        var position = 0
        while position < wire.count, wire[position] > 0 {
            let end = position + 1 + Int(wire[position])
            labels.append(wire[(position + 1)..<end].map(Self.lowercased))
            position = end
        }
        return labels
    }

    /// Lower case, without the dot at the end. A dot, a backslash and what is not printable within a label are
    /// written `\DDD`, so that no label can pass for two.
    var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(wire.count)
        var position = 0
        while position < wire.count, wire[position] > 0 {
            let end = position + 1 + Int(wire[position])
            if !text.isEmpty { text.append(UInt8(ascii: ".")) }
            for byte in wire[(position + 1)..<end] {
                if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "\\") || !(0x21...0x7e).contains(byte) {
                    text.append(UInt8(ascii: "\\"))
                    text += [byte / 100, byte / 10 % 10, byte % 10].map { $0 + 0x30 }
                } else {
                    text.append(Self.lowercased(byte))
                }
            }
            position = end
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func == (left: DNSName, right: DNSName) -> Bool {
        // Lengths are below 64 and so never mistaken for letters.
        left.wire.count == right.wire.count
            && zip(left.wire, right.wire).allSatisfy { lowercased($0) == lowercased($1) }
    }

    func hash(into hasher: inout Hasher) {
        for byte in wire { hasher.combine(Self.lowercased(byte)) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte | 0x20 : byte }
}

extension DNSName {
    /// The address that a name below `in-addr.arpa` or `ip6.arpa` asks for; nil for every other name.
    var reverseAddress: IPAddress? {
        let labels = labels.map { String(decoding: $0, as: UTF8.self) }
        guard labels.last == "arpa", labels.count >= 2 else { return nil }
        let digits = labels.dropLast(2).reversed()
        switch labels[labels.count - 2] {
        case "in-addr" where digits.count == 4:
            return IPAddress(digits.joined(separator: "."))
        case "ip6" where digits.count == 32:
            var bytes: [UInt8] = []
            var high: UInt8?
            for digit in digits {
                guard digit.utf8.count == 1, let nibble = UInt8(digit, radix: 16) else { return nil }
                if let first = high {
                    bytes.append(first << 4 | nibble)
                    high = nil
                } else {
                    high = nibble
                }
            }
            return IPAddress(bytes: bytes)
        default: return nil
        }
    }
}
