/// Sizes as `10m`, `1.5g`, `512kb`, `1 GiB`; units are powers of 1024.
enum ByteSize {
    struct Failure: Error, Equatable {
        var text: String
    }

    static func parse(_ text: String) throws(Failure) -> Int64 {
        let bytes = Array(text.utf8)
        let isNumeric: (UInt8) -> Bool = {
            ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: " ")
        }
        guard let last = bytes.lastIndex(where: isNumeric) else { throw Failure(text: "invalid size: '\(text)'") }
        let numberEnd = bytes[last] == UInt8(ascii: " ") ? last : last + 1
        let number = String(decoding: bytes[..<numberEnd], as: UTF8.self)
        let suffix = String(decoding: bytes[(last + 1)...], as: UTF8.self).lowercased()
        guard ScalarResolver.isFloat(Array(number.utf8)), let value = Double(number), value >= 0 else {
            throw Failure(text: "invalid size: '\(text)'")
        }
        guard let exponent = exponent(of: suffix) else { throw Failure(text: "invalid suffix: '\(suffix)'") }
        var scaled = value
        for _ in 0..<exponent { scaled *= 1024 }
        guard scaled < 9.2e18 else { throw Failure(text: "invalid size: '\(text)': too large") }
        return Int64(scaled)
    }

    private static func exponent(of suffix: String) -> Int? {
        if suffix.isEmpty || suffix == "b" { return 0 }
        guard let exponent = Array("kmgtp").firstIndex(where: { $0 == suffix.first }) else { return nil }
        let tail = suffix.dropFirst()
        return tail.isEmpty || tail == "b" || tail == "ib" ? exponent + 1 : nil
    }
}

/// Durations as `1m30s`, with days and weeks besides.
enum DurationText {
    struct Failure: Error, Equatable {
        var text: String
    }

    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
        ("d", 86_400e9), ("w", 604_800e9),
    ]

    /// Nanoseconds.
    static func parse(_ text: String) throws(Failure) -> Int64 {
        // Longer than any duration that means something.
        guard text.utf8.count <= 1024 else { throw Failure(text: "time: invalid duration: it is too long") }
        var rest = Array(text.utf8)[...]
        var sign = 1.0
        if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            sign = first == UInt8(ascii: "-") ? -1 : 1
            rest = rest.dropFirst()
        }
        if rest.elementsEqual([UInt8(ascii: "0")]) { return 0 }
        guard !rest.isEmpty else { throw Failure(text: "time: invalid duration \"\(text)\"") }
        var total: Int64 = 0
        while !rest.isEmpty {
            let number = rest.prefix { ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: ".") }
            rest = rest.dropFirst(number.count)
            guard !number.isEmpty, ScalarResolver.isFloat(Array(number)) else {
                throw Failure(text: "time: invalid duration \"\(text)\"")
            }
            let unit = rest.prefix { !($0 >= 48 && $0 <= 57) && $0 != UInt8(ascii: ".") }
            rest = rest.dropFirst(unit.count)
            let name = String(decoding: unit, as: UTF8.self)
            guard !name.isEmpty else { throw Failure(text: "time: missing unit in duration \"\(text)\"") }
            guard let scale = units.first(where: { $0.name == name })?.nanoseconds else {
                throw Failure(text: "time: unknown unit \"\(name)\" in duration \"\(text)\"")
            }
            guard let value = nanoseconds(number, scale) else {
                throw Failure(text: "time: invalid duration \"\(text)\"")
            }
            let (sum, overflow) = total.addingReportingOverflow(value)
            if overflow { throw Failure(text: "time: invalid duration \"\(text)\"") }
            total = sum
        }
        return sign < 0 ? -total : total
    }

    /// Whole and fractional part are scaled apart, so that no nanosecond is lost.
    private static func nanoseconds(_ number: ArraySlice<UInt8>, _ scale: Double) -> Int64? {
        let parts = number.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let wholeText = String(decoding: parts[0], as: UTF8.self)
        guard let whole = wholeText.isEmpty ? 0 : Int64(wholeText) else { return nil }
        let (scaled, overflow) = whole.multipliedReportingOverflow(by: Int64(scale))
        if overflow { return nil }
        guard parts.count == 2, !parts[1].isEmpty else { return scaled }
        let fraction = Double("0." + String(decoding: parts[1], as: UTF8.self)) ?? 0
        return scaled.addingReportingOverflow(Int64((fraction * scale).rounded())).partialValue
    }

    /// `1h0m0s`, `1.5s`, `300ms`: the reference's spelling.
    static func format(_ nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "0s" }
        let sign = nanoseconds < 0 ? "-" : ""
        let total = nanoseconds.magnitude
        if total < 1_000_000_000 {
            for (unit, scale) in [("ms", 1_000_000), ("µs", 1_000)] as [(String, UInt64)] where total >= scale {
                return sign + decimal(total, scale) + unit
            }
            return sign + "\(total)ns"
        }
        let minutes = total / 60_000_000_000
        let seconds = decimal(total % 60_000_000_000, 1_000_000_000) + "s"
        if minutes == 0 { return sign + seconds }
        if minutes < 60 { return "\(sign)\(minutes)m\(seconds)" }
        return "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }

    private static func decimal(_ value: UInt64, _ scale: UInt64) -> String {
        let fraction = value % scale
        guard fraction != 0 else { return String(value / scale) }
        var digits = String(fraction)
        digits = String(repeating: "0", count: String(scale).count - 1 - digits.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return "\(value / scale).\(digits)"
    }
}
