internal import CLinux

/// What `--since` and `--until` take: a moment, seconds since the epoch, or how long ago.
public enum TimeArgument {
    /// - Throws: ``InvalidTime``.
    public static func parse(_ text: String, now: Timestamp) throws(InvalidTime) -> Timestamp {
        if let ago = duration(text) { return Timestamp(nanoseconds: now.nanoseconds - ago) }
        if let epoch = seconds(text) { return Timestamp(nanoseconds: epoch) }
        if let moment = Timestamp.parse(rfc3339: text.utf8, zone: localOffset(now)) { return moment }
        throw InvalidTime(text: text)
    }

    /// A Go duration (`1h30m`, `1.5s`, `-2m`) in nanoseconds.
    public static func duration(_ text: String) -> Int64? {
        var rest = Substring(text)
        let negative = rest.hasPrefix("-")
        if negative || rest.hasPrefix("+") { rest = rest.dropFirst() }
        if rest == "0" { return 0 }
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !$0.isNumber && $0 != "." }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(number), let scale = scale(unit) else { return nil }
            total += value * scale
        }
        guard total < 9e18 else { return nil }
        return Int64(total) * (negative ? -1 : 1)
    }

    private static func scale(_ unit: Substring) -> Double? {
        switch unit {
        case "ns": 1
        case "us", "µs", "μs": 1e3
        case "ms": 1e6
        case "s": 1e9
        case "m": 60e9
        case "h": 3600e9
        default: nil
        }
    }

    /// `1700000000` or `1700000000.25`
    private static func seconds(_ text: String) -> Int64? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = Int64(parts[0]), whole.magnitude < 9_000_000_000 else { return nil }
        guard parts.count == 2 else { return whole * 1_000_000_000 }
        let digits = parts[1].prefix(9)
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }),
            let fraction = Int64(digits + String(repeating: "0", count: 9 - digits.count))
        else { return nil }
        return whole * 1_000_000_000 + fraction
    }

    private static func localOffset(_ now: Timestamp) -> Int64 {
        var time = time_t(now.nanoseconds / 1_000_000_000)
        var parts = tm()
        localtime_r(&time, &parts)
        return Int64(parts.tm_gmtoff)
    }
}

public struct InvalidTime: Error, Sendable, Equatable, CustomStringConvertible {
    public let text: String
    public init(text: String) { self.text = text }
    public var description: String {
        "failed to parse value as time or duration: \"\(text)\" (a moment such as 2026-01-02T13:23:37Z, "
            + "seconds since 1970, or how long ago, such as 42m)"
    }
}
