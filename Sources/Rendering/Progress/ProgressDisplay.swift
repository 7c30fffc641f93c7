internal import CLinux
public import Orchestration
internal import Synchronization

/// Shows the progress of one request on a descriptor, in the mode asked for.
public final class ProgressDisplay: Sendable {
    private struct State {
        var live: LiveProgress
        var ticker: Task<Void, Never>?
        var closed = false
        /// What was last said of each object on a plain line.
        var said: [String: ProgressEvent.Status] = [:]
    }

    private let mode: ProgressMode
    private let descriptor: Int32
    private let state: Mutex<State>

    /// - Parameter title: the live view's headline says this: `Running`, `Stopping`.
    public init(mode: ProgressMode, title: String = "Running", descriptor: Int32 = 2, colour: Bool = true) {
        self.mode = mode
        self.descriptor = descriptor
        state = Mutex(State(live: LiveProgress(title: title, colour: colour)))
    }

    public func show(_ event: ProgressEvent) {
        switch mode {
        case .quiet: break
        case .plain:
            // How far it is would be a line for each moment.
            let isNew = state.withLock { state in
                let key = "\(event.parent ?? "") \(event.label)"
                return state.said.updateValue(event.status, forKey: key) != event.status || event.amount == nil
            }
            if isNew { write(ProgressLines.plain(event) + "\n") }
        case .json: write(ProgressLines.json(event) + "\n")
        case .terminal:
            state.withLock { state in
                guard !state.closed else { return }
                state.live.update(event, now: Self.monotonic())
                redraw(&state)
                if state.ticker == nil { state.ticker = Task { [weak self] in await self?.tick() } }
            }
        }
    }

    /// A line that stays, above the live view where there is one.
    public func message(_ text: String) {
        switch mode {
        case .json: write(ProgressLines.json(text: text) + "\n")
        case .quiet, .plain: write(text + "\n")
        case .terminal:
            state.withLock { state in
                write(state.live.erase() + text + "\n")
                if !state.closed { redraw(&state) }
            }
        }
    }

    /// Leaves the last frame as it is. Nothing is shown afterwards.
    public func close() {
        state.withLock { state in
            guard !state.closed else { return }
            state.closed = true
            state.ticker?.cancel()
            if mode == .terminal { redraw(&state) }
        }
    }

    /// Turns the spinner.
    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(100))
            state.withLock { state in
                if !state.closed, state.live.isWorking { redraw(&state) }
            }
        }
    }

    private func redraw(_ state: inout State) {
        let size = Terminal.size(descriptor)
        write(state.live.draw(now: Self.monotonic(), columns: size?.columns ?? 80, rows: size?.rows ?? 24))
    }

    /// One write a frame: nothing of others' comes in between, and no signal finds the cursor hidden.
    private func write(_ text: String) {
        let output = OutputBuffer(descriptor)
        output.write(text)
        output.flush()
    }

    private static func monotonic() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
