/// The health of one run of a container: decides when to probe and what a probe's result means. Pure; times are
/// measured from the start of the run.
///
/// Docker probes first one interval after the start. Until the first success this probes earlier too: at once, then
/// after pauses of 50 ms that grow to a tenth of the time since the start, so that success is seen at most a tenth
/// late; and never less than four times what the last probe took, so that costly probes do not slow down what they
/// wait for. Such *eager* probes can only help: a success counts at
/// once, a failure does not count at all. The *declared* probes happen when Docker's would (one interval after the
/// start, then one interval after the end of the one before), and only their failures, outside the start period,
/// count towards `retries`. An eager probe is cut short when a declared one is due, so that it never delays it.
public struct HealthMachine: Sendable, Equatable {
    /// What is to happen next.
    public struct Probe: Sendable, Equatable {
        /// Time since the start at which it is due.
        public var at: Duration
        public var timeout: Duration
        var isEager: Bool
    }

    public let schedule: HealthSchedule
    public private(set) var record: HealthRecord
    public private(set) var next: Probe
    /// When Docker's next probe would be due.
    private var declaredDue: Duration

    /// Results kept in the record.
    static let logLength = 5

    /// A run that has just begun, where `elapsed` is zero, or one that was begun `elapsed` ago and whose health was
    /// watched by somebody else until now.
    public init(_ schedule: HealthSchedule, resuming record: HealthRecord? = nil, elapsed: Duration = .zero) {
        self.schedule = schedule
        self.record = record ?? HealthRecord()
        let isEager = self.record.status == .starting
        let cadence = schedule.startPeriod > elapsed && isEager ? schedule.startInterval : schedule.interval
        declaredDue = elapsed + cadence
        next = Probe(at: elapsed, timeout: schedule.timeout, isEager: isEager)
        if isEager { next.timeout = min(schedule.timeout, cadence) }
    }

    /// Takes a probe's result.
    /// - Parameters:
    ///   - begun, ended: since the start of the run.
    /// - Returns: the new status where it changed.
    public mutating func ended(
        _ result: HealthRecord.Probe, begun: Duration, ended: Duration
    ) -> HealthRecord.Status? {
        let before = record.status
        record.log.append(result)
        if record.log.count > Self.logLength { record.log.removeFirst(record.log.count - Self.logLength) }
        if result.exitCode == 0 {
            record.failingStreak = 0
            record.status = .healthy
        } else if !next.isEager, !isForgiven(begun) {
            record.failingStreak += 1
            if record.failingStreak >= schedule.retries { record.status = .unhealthy }
        }
        if !next.isEager || result.exitCode == 0 { declaredDue = ended + cadence(at: ended) }
        plan(after: ended, took: ended - begun)
        return record.status == before ? nil : record.status
    }

    /// In the start period failures do not count, until the first success ends it.
    private func isForgiven(_ begun: Duration) -> Bool {
        record.status == .starting && begun < schedule.startPeriod
    }

    private func cadence(at time: Duration) -> Duration {
        record.status == .starting && time < schedule.startPeriod ? schedule.startInterval : schedule.interval
    }

    private mutating func plan(after ended: Duration, took: Duration) {
        let pause = max(.milliseconds(50), ended / 10, took * 4)
        let eagerAt = ended + pause
        let isEager =
            record.status == .starting && pause < cadence(at: ended)
            // Not where it would leave a declared probe's time to no good.
            && eagerAt + pause / 2 < declaredDue
        guard isEager else {
            next = Probe(at: max(declaredDue, ended), timeout: schedule.timeout, isEager: false)
            return
        }
        next = Probe(at: eagerAt, timeout: min(schedule.timeout, declaredDue - eagerAt), isEager: true)
    }
}
