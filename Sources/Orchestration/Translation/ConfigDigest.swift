/// A stable fingerprint of a network's or volume's configuration, for the label that tells whether it changed.
/// 64-bit FNV-1a: it detects changes, it proves nothing.
struct ConfigDigest {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ text: String) {
        for byte in text.utf8 { mix(byte) }
        mix(0)
    }

    mutating func add(_ map: [String: String]) {
        for (key, value) in map.sorted(by: { $0.key < $1.key }) {
            add(key)
            add(value)
        }
        mix(1)
    }

    private mutating func mix(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    var hexadecimal: String {
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
