/// The dates and times that YAML 1.1 reads in plain scalars.
enum Timestamp {
    /// The moment as RFC 3339 has it, midnight for a date alone; nil for text that is no date.
    static func canonical(_ text: String) -> String? {
        var scanner = Scanner(rest: Array(text.utf8)[...])
        guard let year = scanner.number(4...4), scanner.take("-"), let month = scanner.number(1...2), scanner.take("-"),
            let day = scanner.number(1...2), (1...12).contains(month), (1...days(of: month, year)).contains(day)
        else { return nil }
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        if scanner.rest.isEmpty { return date + "T00:00:00Z" }
        let hasZone = scanner.take("T") || scanner.take("t")
        guard hasZone || scanner.take(" "), let hour = scanner.number(1...2), hour < 24, scanner.take(":"),
            let minute = scanner.number(1...2), minute < 60, scanner.take(":"), let second = scanner.number(1...2),
            second < 60
        else { return nil }
        var time = "T\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
        if scanner.take(".") {
            var digits = scanner.digits()
            guard !digits.isEmpty, digits.utf8.count <= 9 else { return nil }
            while digits.last == "0" { digits.removeLast() }
            if !digits.isEmpty { time += "." + digits }
        }
        guard hasZone else { return scanner.rest.isEmpty ? date + time + "Z" : nil }
        if scanner.take("Z") { return scanner.rest.isEmpty ? date + time + "Z" : nil }
        let isBehind = scanner.take("-")
        guard isBehind || scanner.take("+"), let hours = scanner.number(2...2), scanner.take(":"),
            let minutes = scanner.number(2...2), scanner.rest.isEmpty
        else { return nil }
        let zone = hours == 0 && minutes == 0 ? "Z" : "\(isBehind ? "-" : "+")\(padded(hours, 2)):\(padded(minutes, 2))"
        return date + time + zone
    }

    private static func days(of month: Int, _ year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        mutating func take(_ sign: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: sign) else { return false }
            rest = rest.dropFirst()
            return true
        }

        mutating func digits() -> String {
            let found = rest.prefix { $0 >= 48 && $0 <= 57 }
            rest = rest.dropFirst(found.count)
            return String(decoding: found, as: UTF8.self)
        }

        /// As many digits as there are, if that many are allowed.
        mutating func number(_ widths: ClosedRange<Int>) -> Int? {
            let found = digits()
            return widths.contains(found.utf8.count) ? Int(found) : nil
        }
    }
}
