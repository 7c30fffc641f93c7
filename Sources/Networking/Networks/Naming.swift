/// Names and numbers derived from others, the same each time, so that what the kernel holds is found again.
enum Naming {
    /// 64 bits that depend on every byte: FNV-1a, then mixed so that its low and high bits are equally good.
    static func hash(_ parts: String...) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for part in parts {
            for byte in Array(part.utf8) + [0] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        hash = (hash ^ hash >> 30) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ hash >> 27) &* 0x94d0_49bb_1331_11eb
        return hash ^ hash >> 31
    }

    static let bridgePrefix = "swcb"
    static let portPrefix = "swcv"

    static func isOurs(interface: String) -> Bool {
        interface.hasPrefix(bridgePrefix) || interface.hasPrefix(portPrefix)
    }

    static func hex(_ number: UInt64, digits: Int) -> String {
        let text = String(number, radix: 16)
        return String((String(repeating: "0", count: max(0, digits - text.count)) + text).suffix(digits))
    }

    /// - Parameter root: the data root: two of them may know networks of the same name.
    static func bridge(network: String, root: String) -> String {
        bridgePrefix + hex(hash(root, network), digits: 10)
    }

    /// The host's end of a container's interface number `index`.
    static func port(container: String, index: Int, root: String) -> String {
        portPrefix + hex(hash(root, container, String(index)), digits: 10)
    }
}
