/// A moment in nanoseconds since the epoch (1678 to 2262), in and out of RFC 3339.
public struct Timestamp: Sendable, Hashable, Comparable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    public init(seconds: Double) { nanoseconds = Int64((seconds * 1e9).rounded()) }
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }
    public static let distantPast = Timestamp(nanoseconds: .min)

    /// Seconds since the epoch.
    public var seconds: Double { Double(nanoseconds) / 1e9 }

    /// `2026-01-02T03:04:05.000000000Z`, always with nine digits.
    public var rfc3339: String {
        var out: [UInt8] = []
        out.reserveCapacity(30)
        appendRFC3339(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// The same without making a string of it: `logs -t` does this for every line.
    public func appendRFC3339(to out: inout [UInt8]) {
        let second = nanoseconds.floorDivided(by: 1_000_000_000)
        let days = second.floorDivided(by: 86400)
        let (year, month, day) = Self.civil(days: days)
        let time = second - days * 86400
        append(year, 4, &out)
        out.append(UInt8(ascii: "-"))
        append(Int64(month), 2, &out)
        out.append(UInt8(ascii: "-"))
        append(Int64(day), 2, &out)
        out.append(UInt8(ascii: "T"))
        append(time / 3600, 2, &out)
        out.append(UInt8(ascii: ":"))
        append(time / 60 % 60, 2, &out)
        out.append(UInt8(ascii: ":"))
        append(time % 60, 2, &out)
        out.append(UInt8(ascii: "."))
        append(nanoseconds - second * 1_000_000_000, 9, &out)
        out.append(UInt8(ascii: "Z"))
    }

    private func append(_ value: Int64, _ width: Int, _ out: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            out.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    /// Reads `2026-01-02T03:04:05[.fraction](Z|±hh:mm)`; parts may be left out from the end down to the date, which
    /// Docker accepts on the command line (without a zone: `zone` seconds east of Greenwich).
    public static func parse(rfc3339 text: some Sequence<UInt8>, zone: Int64 = 0) -> Timestamp? {
        var scanner = Scanner(text)
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var total = days(year: year, month: month, day: day) * 86400
        var fraction: Int64 = 0
        var offset = zone
        if scanner.skip("T") || scanner.skip(" ") {
            guard let hour = scanner.number(2), hour < 24 else { return nil }
            total += hour * 3600
            if scanner.skip(":") {
                guard let minute = scanner.number(2), minute < 60 else { return nil }
                total += minute * 60
                if scanner.skip(":") {
                    guard let second = scanner.number(2), second < 61 else { return nil }
                    total += second
                    if scanner.skip(".") {
                        guard let digits = scanner.fraction() else { return nil }
                        fraction = digits
                    }
                }
            }
        }
        if scanner.skip("Z") {
            offset = 0
        } else if scanner.peek == UInt8(ascii: "+") || scanner.peek == UInt8(ascii: "-") {
            let sign: Int64 = scanner.skip("-") ? -1 : 1
            if sign == 1 { _ = scanner.skip("+") }
            guard let hours = scanner.number(2), scanner.skip(":"), let minutes = scanner.number(2) else { return nil }
            offset = sign * (hours * 3600 + minutes * 60)
        }
        guard scanner.atEnd else { return nil }
        let (product, overflow) = (total - offset).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? nil : Timestamp(nanoseconds: product + fraction)
    }

    /// Days since the epoch of a date of the Gregorian calendar. Years begin in March here, so that the leap day is
    /// the last of its year.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.floorDivided(by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(days: Int64) -> (year: Int64, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, Int(month), Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1))
    }

    private struct Scanner<Bytes: Sequence<UInt8>> {
        private var iterator: Bytes.Iterator
        private(set) var peek: UInt8?
        init(_ bytes: Bytes) {
            iterator = bytes.makeIterator()
            peek = iterator.next()
        }
        var atEnd: Bool { peek == nil }
        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard peek == UInt8(ascii: character) else { return false }
            peek = iterator.next()
            return true
        }
        mutating func digit() -> Int64? {
            guard let byte = peek, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            peek = iterator.next()
            return Int64(byte - UInt8(ascii: "0"))
        }
        mutating func number(_ digits: Int) -> Int64? {
            var value: Int64 = 0
            for _ in 0..<digits {
                guard let digit = digit() else { return nil }
                value = value * 10 + digit
            }
            return value
        }
        /// Nanoseconds; digits past the ninth are dropped.
        mutating func fraction() -> Int64? {
            guard let first = digit() else { return nil }
            var value = first
            var count = 1
            while let digit = digit() {
                if count < 9 {
                    value = value * 10 + digit
                    count += 1
                }
            }
            while count < 9 {
                value *= 10
                count += 1
            }
            return value
        }
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
