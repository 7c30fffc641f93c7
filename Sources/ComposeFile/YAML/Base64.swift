/// Reads base64 (RFC 4648), which YAML's `!!binary` is written in.
enum Base64 {
    /// nil for text that is not base64. Blanks and line ends are passed over.
    static func decode(_ text: String) -> [UInt8]? {
        let digits = text.utf8.filter { !" \n\r\t".utf8.contains($0) }
        guard digits.count % 4 == 0 else { return nil }
        let padding = digits.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var output: [UInt8] = []
        var bits: UInt32 = 0
        for (index, digit) in digits.enumerated() {
            let isPadding = index >= digits.count - padding
            guard let value = isPadding ? 0 : value(of: digit) else { return nil }
            bits = bits << 6 | UInt32(value)
            if index % 4 == 3 {
                output += [UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8)]
                output.append(UInt8(truncatingIfNeeded: bits))
                bits = 0
            }
        }
        return output.dropLast(padding)
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
