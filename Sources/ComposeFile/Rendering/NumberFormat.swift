/// Prints floating-point numbers as the reference does, in output and where a number becomes text.
enum NumberFormat {
    /// The shortest digits that read back as the same number; an exponent below 1e-4 and
    /// from 1e6 on.
    static func general(_ number: Double, exponentFrom limit: Int = 6) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
        if number == 0 { return number.sign == .minus ? "-0" : "0" }
        return layout(String(describing: number.magnitude), negative: number < 0, limit: limit)
    }

    /// As ``general(_:exponentFrom:)`` for a number held with 32 bits.
    static func general(_ number: Float) -> String {
        if number == 0 { return "0" }
        return layout(String(describing: number.magnitude), negative: number < 0, limit: 6)
    }

    /// As JSON has it: plain digits up to 1e21.
    static func json(_ number: Double) -> String { general(number, exponentFrom: 21) }

    /// Lays out Swift's shortest representation anew.
    private static func layout(_ shortest: String, negative: Bool, limit: Int) -> String {
        var digits: [UInt8] = []
        var exponent = 0
        var pointAt: Int?
        var bytes = Array(shortest.utf8)[...]
        if let e = bytes.firstIndex(of: UInt8(ascii: "e")) {
            exponent = Int(String(decoding: bytes[(e + 1)...], as: UTF8.self)) ?? 0
            bytes = bytes[..<e]
        }
        for byte in bytes {
            if byte == UInt8(ascii: ".") { pointAt = digits.count } else { digits.append(byte) }
        }
        // The decimal point's place counted from the first digit.
        var point = (pointAt ?? digits.count) + exponent
        while digits.count > 1, digits.first == UInt8(ascii: "0") {
            digits.removeFirst()
            point -= 1
        }
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        let scientific = point - 1
        let sign = negative ? "-" : ""
        if scientific < -4 || scientific >= limit {
            let head = String(decoding: digits.prefix(1), as: UTF8.self)
            let tail = String(decoding: digits.dropFirst(), as: UTF8.self)
            let magnitude = scientific.magnitude < 10 ? "0\(scientific.magnitude)" : "\(scientific.magnitude)"
            return sign + head + (tail.isEmpty ? "" : "." + tail) + "e" + (scientific < 0 ? "-" : "+") + magnitude
        }
        if point <= 0 {
            return sign + "0." + String(repeating: "0", count: -point) + String(decoding: digits, as: UTF8.self)
        }
        if digits.count <= point {
            return sign + String(decoding: digits, as: UTF8.self) + String(repeating: "0", count: point - digits.count)
        }
        let whole = String(decoding: digits[..<point], as: UTF8.self)
        return sign + whole + "." + String(decoding: digits[point...], as: UTF8.self)
    }
}
