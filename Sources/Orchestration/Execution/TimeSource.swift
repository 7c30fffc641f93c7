/// Where the reconciler gets its time from, so that tests need not wait.
public struct TimeSource: Sendable {
    /// Time since some fixed moment; never goes back.
    let now: @Sendable () -> Duration
    let sleep: @Sendable (Duration) async throws -> Void
    /// Seconds since the epoch, for records.
    let wallClock: @Sendable () -> Double

    public init<C: Clock>(_ clock: C, wallClock: @escaping @Sendable () -> Double) where C.Duration == Duration {
        let origin = clock.now
        now = { origin.duration(to: clock.now) }
        sleep = { try await clock.sleep(for: $0) }
        self.wallClock = wallClock
    }
}

extension Duration {
    /// As Go prints it: `3s`, `1m30s`, `1.5s`, `500ms`.
    var goDescription: String {
        let total = Double(components.seconds) + Double(components.attoseconds) / 1e18
        if total > 0, total < 1 { return "\(Self.trimmed(total * 1000))ms" }
        let hours = Int(total) / 3600
        let minutes = Int(total) / 60 % 60
        let seconds = Self.trimmed(total - Double(hours * 3600 + minutes * 60))
        if hours > 0 { return "\(hours)h\(minutes)m\(seconds)s" }
        return minutes > 0 ? "\(minutes)m\(seconds)s" : "\(seconds)s"
    }

    private static func trimmed(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : "\((value * 1000).rounded() / 1000)"
    }

    static func seconds(since start: Double, until end: Double) -> Duration { .seconds(max(0, end - start)) }
}
