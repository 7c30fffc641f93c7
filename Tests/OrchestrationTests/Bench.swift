import ComposeFile
import Synchronization
import Testing

@testable import Orchestration

/// An executor with everything around it, on a clock that stands still.
final class Bench: Sendable {
    let engine = FakeEngine()
    let clock = ManualClock()
    let live: LiveContainers
    let time: TimeSource
    private let messages = Mutex<[Message]>([])
    private let pump: Task<Void, Never>

    init() async {
        let clock = clock
        time = TimeSource(clock) { clock.now.offset / .seconds(1) }
        await engine.setTime(time.wallClock)
        live = LiveContainers(engine: engine, time: time)
        let events = await engine.events()
        pump = Task { [live] in for await event in events { await live.handle(event) } }
    }

    deinit { pump.cancel() }

    func run(
        _ project: Project, keepsGoing: Bool = false, _ change: (inout PlannerInput) -> Void = { _ in }
    ) async throws {
        var planned = input(project, try await engine.observe(project: "p"))
        change(&planned)
        var executor = Executor(engine: engine, live: live, time: time) { [self] message in
            messages.withLock { $0.append(message) }
        }
        executor.waitTimeout = planned.options.waitTimeout
        executor.keepsGoing = keepsGoing
        try await executor.run(try Planner.up(planned))
    }

    /// `Container p-web-1 Started`
    var progress: [String] {
        messages.withLock { all in
            all.compactMap {
                guard case .progress(let event) = $0 else { return nil }
                return "\(event.name) \(event.status.rawValue)"
            }
        }
    }

    var warnings: [String] {
        messages.withLock { all in all.compactMap { if case .warning(let text) = $0 { text } else { nil } } }
    }

    /// The text of the failure that `work` ends with.
    func failure(_ work: () async throws -> Void) async -> String? {
        do {
            try await work()
            return nil
        } catch {
            return "\(error)"
        }
    }
}
