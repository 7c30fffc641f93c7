/// When a request that failed is made again.
public struct RetryPolicy: Sendable, Equatable {
    /// How often a request is made at most that gets nowhere.
    public var attempts = 6
    /// The same for one that came to no connection at all: a name that is wrong stays wrong.
    public var connectionAttempts = 3
    /// Before the second attempt; it doubles each time.
    public var firstDelay: Duration = .milliseconds(250)
    public var longestDelay: Duration = .seconds(10)
    /// A registry that asks for more patience than this is an error at once.
    public var patience: Duration = .seconds(60)
    public init() {}

    /// How long to wait after attempt `attempt` (from 1 on) has failed.
    /// - Parameters:
    ///   - asked: what the registry asks for, by `Retry-After`.
    ///   - jitter: 0…1; part of the delay is left to chance, so that many clients do not come back at once.
    ///   - connected: whether there was a connection.
    /// - Returns: nil where it is not to be tried again.
    func delay(after attempt: Int, asked: Duration?, jitter: Double, connected: Bool = true) -> Duration? {
        guard attempt < (connected ? attempts : min(attempts, connectionAttempts)) else { return nil }
        if let asked { return asked > patience ? nil : max(asked, .zero) }
        var delay = firstDelay
        for _ in 1..<max(attempt, 1) where delay < longestDelay { delay *= 2 }
        return min(delay, longestDelay) * (0.5 + jitter / 2)
    }

    /// Whether an answer of this status may be another one next time.
    static func isTransient(_ status: Int) -> Bool { [408, 429, 500, 502, 503, 504].contains(status) }
}

/// The value of `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date.
enum RetryAfter {
    /// - Parameter now: seconds since 1970.
    static func parse(_ value: String, now: Double) -> Duration? {
        let text = value.filter { $0 != "\t" }
        let trimmed = text.drop { $0 == " " }
        if let seconds = Int(trimmed.prefix { $0 != " " }), seconds >= 0 { return .seconds(min(seconds, 1 << 30)) }
        // Mon, 02 Jan 2006 15:04:05 GMT: the one form that may be sent today.
        let parts = trimmed.split(whereSeparator: { $0 == " " || $0 == ":" || $0 == "," })
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 8, let day = Int(parts[1]), let month = months.firstIndex(of: String(parts[2])),
            let year = Int(parts[3]), let hour = Int(parts[4]), let minute = Int(parts[5]),
            let second = Int(parts[6]), parts[7] == "GMT"
        else { return nil }
        let time = Double(daysSince1970(year, month + 1, day) * 86400 + hour * 3600 + minute * 60 + second)
        return .seconds(max(0, time - now))
    }

    /// Days of the Gregorian calendar, counted from years that begin in March.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468
    }
}
