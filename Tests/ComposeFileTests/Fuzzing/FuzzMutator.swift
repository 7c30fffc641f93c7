/// Changes inputs at random, always in the same way for the same seed.
struct FuzzMutator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    private mutating func below(_ bound: Int) -> Int { bound < 1 ? 0 : Int(next() % UInt64(bound)) }

    mutating func pick<Element>(_ items: [Element]) -> Element { items[below(items.count)] }

    mutating func mutate(_ input: [UInt8], tokens: [String], other: [UInt8]) -> [UInt8] {
        var bytes = input
        for _ in 0...below(6) {
            let place = below(bytes.count + 1)
            let length = below(min(32, bytes.count - place) + 1)
            switch below(8) {
            case 0: bytes.insert(contentsOf: pick(tokens).utf8, at: place)
            case 1: bytes.replaceSubrange(place..<(place + length), with: pick(tokens).utf8)
            case 2: bytes.removeSubrange(place..<(place + length))
            case 3: bytes.insert(contentsOf: Array(bytes[place..<(place + length)]), at: below(bytes.count + 1))
            case 4: if place < bytes.count { bytes[place] ^= 1 << UInt8(below(8)) }
            case 5: bytes.insert(UInt8(truncatingIfNeeded: next()), at: place)
            case 6:
                let from = below(other.count)
                bytes.insert(contentsOf: other[from..<min(other.count, from + 1 + below(64))], at: place)
            default:
                let piece = Array(pick(tokens).utf8)
                for _ in 0..<(1 << below(10)) { bytes.insert(contentsOf: piece, at: min(place, bytes.count)) }
            }
        }
        return bytes
    }
}
