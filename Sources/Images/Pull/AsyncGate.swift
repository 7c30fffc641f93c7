internal import Synchronization

/// Something that is waited for by others, and happens once or fails.
final class AsyncGate: Sendable {
    private struct State {
        var outcome: Bool?
        var waiting: [CheckedContinuation<Bool, Never>] = []
    }
    private let state = Mutex(State())

    /// Only the first call counts.
    func open(succeeded: Bool) {
        let waiting = state.withLock { state in
            guard state.outcome == nil else { return [CheckedContinuation<Bool, Never>]() }
            state.outcome = succeeded
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: succeeded) }
    }

    /// Whether it has failed already.
    var hasFailed: Bool { state.withLock { $0.outcome == false } }

    /// Waits until it has happened.
    /// - Returns: false where it failed.
    func pass() async -> Bool {
        await withCheckedContinuation { continuation in
            let outcome = state.withLock { state in
                if state.outcome == nil { state.waiting.append(continuation) }
                return state.outcome
            }
            if let outcome { continuation.resume(returning: outcome) }
        }
    }
}
