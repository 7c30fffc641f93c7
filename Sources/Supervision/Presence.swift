internal import LinuxSystem
internal import LocalEngine
internal import Orchestration

/// Knows when a supervisor is no longer needed: at once when the project has no containers left, after a while when
/// none runs; never while somebody is connected or a request has not come to its end.
actor Presence {
    private let engine: LocalEngine
    private let reconciler: ProjectReconciler
    /// How long a supervisor without running containers waits for the next command.
    private let linger: Duration
    private var open = 0
    private var isLeaving = false
    private var waiting: CheckedContinuation<Void, Never>?
    private var pause: Task<Void, Never>?

    init(engine: LocalEngine, reconciler: ProjectReconciler, linger: Duration) {
        self.engine = engine
        self.reconciler = reconciler
        self.linger = linger
    }

    /// A client has connected. False when it is too late: it is to start another supervisor.
    func arrived() -> Bool {
        guard !isLeaving else { return false }
        open += 1
        pause?.cancel()
        return true
    }

    func left() {
        open -= 1
        consider(after: .zero)
    }

    /// A container has ended or gone.
    func containersChanged() { consider(after: .zero) }

    private func consider(after delay: Duration, hasLingered: Bool = false) {
        guard open == 0, !isLeaving else { return }
        pause?.cancel()
        pause = Task {
            if delay > .zero { try? await Task.sleep(for: delay) }
            await self.consider(hasLingered: hasLingered)
        }
    }

    private func consider(hasLingered: Bool) async {
        // A client that broke off may have left a request that still ends what it began.
        let occupancy = await engine.occupancy
        let isIdle = occupancy == .empty ? (try? await reconciler.isIdle()) ?? true : true
        // Somebody may have come meanwhile, who has cancelled this.
        guard open == 0, !isLeaving, !Task.isCancelled else { return }
        switch occupancy {
        case .empty where isIdle: leave()
        case .stopped where hasLingered: leave()
        case .empty: consider(after: .milliseconds(50))
        case .stopped: consider(after: linger, hasLingered: true)
        // The code of large requests is not needed to look after what runs.
        case .running: CodePages.release()
        }
    }

    /// From now on nobody is served any more.
    func leave() {
        isLeaving = true
        waiting?.resume()
        waiting = nil
    }

    func waitUntilUnneeded() async {
        // The client for whom this was started may never come.
        consider(after: linger, hasLingered: true)
        guard !isLeaving else { return }
        await withCheckedContinuation { waiting = $0 }
    }
}
