internal import Synchronization

/// Lets progress be told often enough for the eye, and not for each piece.
final class Pace: Sendable {
    private let last = Mutex<ContinuousClock.Instant?>(nil)

    func isTime() -> Bool {
        let now = ContinuousClock.now
        return last.withLock { last in
            if let last, now - last < .milliseconds(80) { return false }
            last = now
            return true
        }
    }
}
