import Synchronization

/// A clock that stands still until it is told to go on.
final class ManualClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (one: Instant, other: Instant) -> Bool { one.offset < other.offset }
    }

    private struct Sleeper {
        var deadline: Instant
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [Int: Sleeper] = [:]
        var next = 0
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())
    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock {
            $0.next += 1
            return $0.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let ready: [CheckedContinuation<Void, Never>] = state.withLock {
                    if Task.isCancelled {
                        continuation.resume(throwing: CancellationError())
                        return []
                    }
                    if deadline <= $0.now {
                        continuation.resume()
                        return []
                    }
                    $0.sleepers[id] = Sleeper(deadline: deadline, continuation: continuation)
                    return Self.satisfied(&$0)
                }
                for watcher in ready { watcher.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id) }?
                .continuation.resume(throwing: CancellationError())
        }
    }

    private static func satisfied(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        let count = state.sleepers.count
        let ready = state.watchers.filter { $0.count <= count }.map(\.continuation)
        state.watchers.removeAll { $0.count <= count }
        return ready
    }

    /// Suspends until so many tasks sleep.
    func waitForSleepers(_ count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock {
                if $0.sleepers.count >= count { return true }
                $0.watchers.append((count, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    /// Goes to the earliest deadline once so many tasks sleep, and returns how far that was.
    @discardableResult
    func advanceToNext(sleepers count: Int = 1) async -> Duration {
        await waitForSleepers(count)
        let (step, due) = state.withLock { state -> (Duration, [Sleeper]) in
            let deadline = state.sleepers.values.map(\.deadline).min() ?? state.now
            let step = state.now.duration(to: deadline)
            return (step, Self.advance(&state, to: deadline))
        }
        for sleeper in due { sleeper.continuation.resume() }
        return step
    }

    func advance(by duration: Duration) {
        let due = state.withLock { Self.advance(&$0, to: $0.now.advanced(by: duration)) }
        for sleeper in due { sleeper.continuation.resume() }
    }

    private static func advance(_ state: inout State, to instant: Instant) -> [Sleeper] {
        state.now = instant
        let due = state.sleepers.filter { $0.value.deadline <= instant }
        for id in due.keys { state.sleepers[id] = nil }
        return Array(due.values)
    }
}
