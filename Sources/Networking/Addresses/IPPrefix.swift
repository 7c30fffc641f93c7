/// A network in CIDR notation: the bits below the prefix length are zero.
public struct IPPrefix: Hashable, Sendable, Comparable, Codable, LosslessStringConvertible {
    public let base: IPAddress
    public let length: Int

    /// The network of this length that holds `address`.
    /// - Precondition: 0 ≤ length ≤ the family's width.
    public init(_ address: IPAddress, length: Int) {
        precondition((0...address.family.width).contains(length))
        self.length = length
        let below = UInt128(address.family.width - length)
        base = IPAddress(address.family, below == 128 ? 0 : (address.value >> below) << below)
    }

    /// `172.18.0.0/16`. Bits set below the length are dropped, as Docker does.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]),
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(parts[1]), length <= address.family.width
        else { return nil }
        self.init(address, length: length)
    }

    public var family: IPAddress.Family { base.family }
    public var description: String { "\(base)/\(length)" }

    /// The address with all bits below the length set: IPv4's broadcast address.
    public var last: IPAddress {
        let below = family.width - length
        let ones = below == 128 ? UInt128.max : (UInt128(1) << UInt128(below)) - 1
        return IPAddress(family, base.value | ones)
    }

    public func contains(_ address: IPAddress) -> Bool {
        address.family == family && address >= base && address <= last
    }

    public func contains(_ other: IPPrefix) -> Bool { other.length >= length && contains(other.base) }
    public func overlaps(_ other: IPPrefix) -> Bool { contains(other.base) || other.contains(base) }

    /// The network's parts of a longer prefix length, in order.
    /// - Precondition: `length` is at least this prefix's.
    public func subnets(ofLength newLength: Int) -> some Sequence<IPPrefix> {
        precondition((length...family.width).contains(newLength))
        let step = UInt128(family.width - newLength)
        let end = last
        return sequence(first: IPPrefix(base, length: newLength)) { previous in
            guard step < 128, previous.last < end, let next = previous.base.advanced(by: UInt128(1) << step) else {
                return nil
            }
            return IPPrefix(next, length: newLength)
        }
    }

    /// Addresses a machine can have: without the network's own and, in IPv4, the broadcast address. A prefix too
    /// short for that (/31, /32, /127, /128) gives all of its.
    public var hosts: ClosedRange<IPAddress> {
        guard family.width - length >= 2 else { return base...last }
        let first = base.advanced(by: 1)!
        return first...(family == .v4 ? IPAddress(.v4, last.value - 1) : last)
    }

    public static func < (left: IPPrefix, right: IPPrefix) -> Bool {
        left.base == right.base ? left.length < right.length : left.base < right.base
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let prefix = IPPrefix(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no subnet")
        }
        self = prefix
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
