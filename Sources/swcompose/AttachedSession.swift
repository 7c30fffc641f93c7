internal import Orchestration

/// What `up` in the foreground is to do, as the flags have it.
struct AttachedPlan: Sendable, Equatable {
    enum Abort: Sendable, Equatable { case never, anyExit, failure }
    /// Those named; empty: all. Only these are waited for, and stopped in the end.
    var services: [String]
    /// Those whose output is shown.
    var attached: Set<String>
    var abort: Abort = .never
    /// Service whose exit code becomes that of `up`.
    var exitCodeFrom: String?
}

/// The course of `up` in the foreground: what happens goes in, what is to be done comes out. Does nothing itself.
struct AttachedSession {
    enum Input: Sendable, Equatable {
        /// Everything is made and nothing started.
        case created([ContainerSummary])
        /// The request that starts the containers has come to its end.
        case started
        case stopped
        /// The request under way came to nothing.
        case failed(Failure)
        case event(ContainerEvent)
        /// A container that was to be waited for was not started, or is gone.
        case absent(ContainerID)
        /// SIGINT or SIGTERM.
        case interrupt
    }

    enum Action: Equatable {
        /// Say that these are attached, and show their output.
        case attach([ContainerSummary])
        case follow(ContainerSummary)
        /// The container has exited: its last output, then the line that says so.
        case finishLog(ContainerID, String)
        case announce(String)
        case start
        /// The request under way is not wanted any more.
        case withdraw
        case stop
        case kill
        case end(code: Int32)
        case fail(Failure)
    }

    private enum Phase: Equatable {
        case creating
        case starting
        case running
        case stopping(code: Int32, interrupts: Int)
        case ended
    }

    private let plan: AttachedPlan
    private var phase = Phase.creating
    /// Containers that are waited for.
    private(set) var alive: Set<ContainerID> = []
    /// Of the service of `--exit-code-from`, as soon as one of its containers has exited.
    private(set) var selectedCode: Int32?

    init(plan: AttachedPlan) { self.plan = plan }

    private func isAttached(_ container: ContainerSummary) -> Bool { plan.attached.contains(container.service) }

    private func isMonitored(_ container: ContainerSummary) -> Bool {
        plan.services.isEmpty || plan.services.contains(container.service)
    }

    mutating func handle(_ input: Input) -> [Action] {
        switch (input, phase) {
        case (_, .ended): return []
        case (.created(let containers), .creating):
            phase = .starting
            alive = Set(containers.filter(isMonitored).map(\.id))
            return [.attach(containers.filter(isAttached)), .start]
        case (.started, .starting):
            phase = .running
            return endIfAllStopped()
        case (.stopped, .stopping(let code, _)): return end(.end(code: code))
        case (.failed(let failure), _): return end(.fail(failure))
        case (.event(let event), _): return handle(event)
        case (.absent(let id), _):
            alive.remove(id)
            return endIfAllStopped()
        case (.interrupt, _): return interrupt()
        case (.created, _), (.started, _), (.stopped, _): return []
        }
    }

    private mutating func handle(_ event: ContainerEvent) -> [Action] {
        switch event.action {
        case .start, .restart:
            if isMonitored(event.container) { alive.insert(event.container.id) }
            return isAttached(event.container) ? [.follow(event.container)] : []
        case .die: return died(event)
        case .destroy:
            alive.remove(event.container.id)
            return endIfAllStopped()
        case .create, .stop, .healthStatus, .kill, .oom: return []
        }
    }

    private mutating func died(_ event: ContainerEvent) -> [Action] {
        let monitored = isMonitored(event.container)
        // It may be told twice: by the supervisor, and by what is found on disk after that was restarted.
        if monitored, !alive.contains(event.container.id) { return [] }
        let code = event.exitCode ?? 0
        var actions: [Action] = []
        if isAttached(event.container) {
            let again = event.willRestart ? " (restarting)" : ""
            actions.append(.finishLog(event.container.id, "exited with code \(code)\(again)"))
        }
        guard !event.willRestart, monitored else { return actions }
        alive.remove(event.container.id)
        if event.container.service == plan.exitCodeFrom, selectedCode == nil { selectedCode = code }
        guard phase == .starting || phase == .running else { return actions }
        let aborts =
            switch plan.abort {
            case .never: false
            case .anyExit: true
            case .failure: code != 0
            }
        guard aborts else { return actions + endIfAllStopped() }
        if phase == .starting { actions.append(.withdraw) }
        phase = .stopping(code: code, interrupts: 0)
        return actions + [.announce("Aborting on container exit..."), .stop]
    }

    private mutating func interrupt() -> [Action] {
        let gracefully = Action.announce("Gracefully Stopping... press Ctrl+C again to force")
        switch phase {
        case .creating:
            // Nothing runs yet that would have to be stopped.
            return [.withdraw] + end(.end(code: 130))
        case .starting, .running:
            let withdraw: [Action] = phase == .starting ? [.withdraw] : []
            phase = .stopping(code: 130, interrupts: 1)
            return withdraw + [gracefully, .stop]
        case .stopping(_, 0):
            // An abort is under way already, and the first signal asks for nothing more.
            phase = .stopping(code: 130, interrupts: 1)
            return [gracefully]
        case .stopping(_, 1):
            phase = .stopping(code: 130, interrupts: 2)
            return [.kill]
        case .stopping, .ended: return end(.end(code: 130))
        }
    }

    private mutating func endIfAllStopped() -> [Action] {
        phase == .running && alive.isEmpty ? end(.end(code: 0)) : []
    }

    private mutating func end(_ action: Action) -> [Action] {
        phase = .ended
        return [action]
    }
}
