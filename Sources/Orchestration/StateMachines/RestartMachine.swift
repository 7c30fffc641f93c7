public import ComposeFile

/// Decides whether a container that exited is started again, and when. Pure.
///
/// As Docker does it: the first restart comes after 100 ms, each further one after twice as long, up to a minute; a
/// run of ten seconds or more begins again at 100 ms. A container that was stopped by a command stays as it is.
public struct RestartMachine: Sendable, Equatable {
    public enum Decision: Sendable, Equatable {
        case stay
        case restart(after: Duration)
    }

    public let policy: RestartPolicy
    /// Restarts by policy since the last start by a command.
    public private(set) var count: Int
    private var delay: Duration = .zero

    static let firstDelay: Duration = .milliseconds(100)
    static let longestDelay: Duration = .seconds(60)
    static let healthyRun: Duration = .seconds(10)

    public init(_ policy: RestartPolicy, count: Int = 0) {
        self.policy = policy
        self.count = count
    }

    /// - Parameters:
    ///   - ranFor: how long the container ran.
    ///   - onPurpose: it was stopped by a command.
    public mutating func exited(code: Int32, ranFor: Duration, onPurpose: Bool) -> Decision {
        guard !onPurpose, wantsRestart(code) else { return .stay }
        if ranFor >= Self.healthyRun { delay = .zero }
        delay = delay == .zero ? Self.firstDelay : min(delay * 2, Self.longestDelay)
        count += 1
        return .restart(after: delay)
    }

    private func wantsRestart(_ code: Int32) -> Bool {
        switch policy {
        case .no: false
        case .always, .unlessStopped: true
        case .onFailure(let maximum):
            code != 0 && (maximum.map { $0 <= 0 || count < $0 } ?? true)
        }
    }
}
