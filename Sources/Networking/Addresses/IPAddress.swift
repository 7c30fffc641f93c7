/// An IPv4 or IPv6 address: a value, without zone or port.
public struct IPAddress: Hashable, Sendable, Comparable, Codable, LosslessStringConvertible {
    public enum Family: UInt8, Sendable, Codable {
        case v4 = 2
        case v6 = 10

        /// Bits of an address of this family.
        public var width: Int { self == .v4 ? 32 : 128 }
    }

    public let family: Family
    /// The address as a number; the lower 32 bits where it is IPv4.
    public let value: UInt128

    /// - Precondition: `value` fits the family.
    public init(_ family: Family, _ value: UInt128) {
        precondition(family == .v6 || value <= UInt128(UInt32.max))
        self.family = family
        self.value = value
    }

    /// Accepts dotted decimal without leading zeros, and every RFC 4291 notation of IPv6; no zone, port or brackets.
    public init?(_ text: some StringProtocol) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            guard let value = Self.parse6(text) else { return nil }
            self.init(.v6, value)
        } else {
            guard let value = Self.parse4(text) else { return nil }
            self.init(.v4, UInt128(value))
        }
    }

    public init?(_ description: String) { self.init(description[...]) }

    /// From network byte order: 4 or 16 bytes.
    public init?(bytes: some Collection<UInt8>) {
        switch bytes.count {
        case 4: self.init(.v4, bytes.reduce(0) { $0 << 8 | UInt128($1) })
        case 16: self.init(.v6, bytes.reduce(0) { $0 << 8 | UInt128($1) })
        default: return nil
        }
    }

    /// In network byte order: 4 or 16 bytes.
    public var bytes: [UInt8] {
        stride(from: family.width - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt128($0)) }
    }

    public var isUnspecified: Bool { value == 0 }
    public var isLoopback: Bool { family == .v4 ? value >> 24 == 127 : value == 1 }
    public var isLinkLocal: Bool { family == .v4 ? value >> 16 == 0xa9fe : value >> 118 == 0xfe80 >> 6 }
    public var isMulticast: Bool { family == .v4 ? value >> 28 == 0xe : value >> 120 == 0xff }

    /// IPv4 before IPv6, then by number.
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        (left.family.rawValue, left.value) < (right.family.rawValue, right.value)
    }

    /// nil past the end of the family's range.
    public func advanced(by distance: UInt128) -> IPAddress? {
        let (sum, overflow) = value.addingReportingOverflow(distance)
        guard !overflow, family == .v6 || sum <= UInt128(UInt32.max) else { return nil }
        return IPAddress(family, sum)
    }

    /// Dotted decimal, or as RFC 5952 says.
    public var description: String {
        if family == .v4 { return bytes.map(String.init).joined(separator: ".") }
        if value >> 32 == 0xffff { return "::ffff:\(IPAddress(.v4, value & 0xffff_ffff))" }
        let groups = stride(from: 112, through: 0, by: -16).map { UInt16(truncatingIfNeeded: value >> UInt128($0)) }
        guard let gap = Self.longestZeroRun(groups) else { return Self.hex(groups[...]) }
        return "\(Self.hex(groups[..<gap.lowerBound]))::\(Self.hex(groups[gap.upperBound...]))"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let address = IPAddress(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no IP address")
        }
        self = address
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    private static func hex(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    /// The first of the longest runs of at least two zeros: what `::` stands for.
    private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start >= 2, index - start > best?.count ?? 0 { best = start..<index }
            start = index + 1
        }
        return best
    }

    private static func parse4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0"),
                part.allSatisfy({ (0x30...0x39).contains($0) })
            else { return nil }
            let number = part.reduce(UInt32(0)) { $0 * 10 + UInt32($1 - 0x30) }
            guard number <= 255 else { return nil }
            value = value << 8 | number
        }
        return value
    }

    private static func parse6(_ text: some StringProtocol) -> UInt128? {
        var head: [UInt16] = []
        var tail: [UInt16] = []
        var sawGap = false
        var rest = Substring(text)
        if rest.hasPrefix("::") {
            sawGap = true
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let piece = rest.prefix { $0 != ":" }
            rest = rest[piece.endIndex...]
            var groups: [UInt16]
            if piece.utf8.contains(UInt8(ascii: ".")) {
                guard rest.isEmpty, let quad = parse4(piece) else { return nil }
                groups = [UInt16(quad >> 16), UInt16(truncatingIfNeeded: quad)]
            } else {
                guard (1...4).contains(piece.utf8.count),
                    piece.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
                    let group = UInt16(piece, radix: 16)
                else { return nil }
                groups = [group]
            }
            if sawGap { tail += groups } else { head += groups }
            if rest.isEmpty { break }
            if rest.hasPrefix("::") {
                guard !sawGap else { return nil }
                sawGap = true
                rest = rest.dropFirst(2)
            } else {
                rest = rest.dropFirst()
                if rest.isEmpty { return nil }
            }
        }
        let known = head.count + tail.count
        guard sawGap ? known <= 7 : known == 8 else { return nil }
        return (head + Array(repeating: 0, count: 8 - known) + tail).reduce(0) { $0 << 16 | UInt128($1) }
    }
}
