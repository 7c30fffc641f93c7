/// An Ethernet address.
public struct MACAddress: Hashable, Sendable, Codable, LosslessStringConvertible {
    /// Six bytes.
    public let bytes: [UInt8]

    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 6 else { return nil }
        self.bytes = Array(bytes)
    }

    /// `02:42:ac:11:00:02`, or with dashes.
    public init?(_ text: String) {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "-" }
        let bytes = parts.compactMap { part in
            part.utf8.count == 2 && !part.hasPrefix("+") ? UInt8(part, radix: 16) : nil
        }
        guard parts.count == 6, bytes.count == 6 else { return nil }
        self.bytes = bytes
    }

    /// A locally administered unicast address made from a number, always the same for it.
    public init(derivedFrom number: UInt64) {
        bytes = [0x02] + (0..<5).map { UInt8(truncatingIfNeeded: number >> UInt64(32 - 8 * $0)) }
    }

    public var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }

    /// Whether an interface may have it: neither a group's address nor all zeros.
    public var isUsable: Bool { bytes[0] & 1 == 0 && bytes.contains { $0 != 0 } }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let address = MACAddress(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no MAC address")
        }
        self = address
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
