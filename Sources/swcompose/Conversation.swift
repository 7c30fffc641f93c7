internal import LinuxSystem
internal import Orchestration
internal import Rendering
internal import Supervision

/// One request to the supervisor, shown as it goes on.
enum Conversation {
    /// Sends the request and shows its progress to the end. SIGINT and SIGTERM withdraw it.
    /// - Throws: ``Failure``; ``ExitStatus/interrupted``.
    @discardableResult
    static func run(
        _ request: Request, of project: String, _ session: Session, title: String = "Running"
    ) async throws -> [ContainerSummary] {
        let signals = try HostSignals.interrupts()
        let display = session.display(title)
        defer { display.close() }
        return try await withThrowingTaskGroup(of: [ContainerSummary].self) { group in
            group.addTask { try await exchange(request, of: project, session, display) }
            group.addTask {
                for await _ in signals { throw ExitStatus.interrupted }
                throw CancellationError()
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
    }

    /// Sends the request and shows its progress to the end.
    /// - Throws: ``Failure``.
    static func exchange(
        _ request: Request, of project: String, _ session: Session, _ display: ProgressDisplay
    ) async throws -> [ContainerSummary] {
        guard
            let client = try await SupervisorClient.connect(
                project: project, paths: session.paths, startIfNeeded: true)
        else { throw Failure("the supervisor of project \"\(project)\" cannot be reached") }
        for try await message in client.send(request) {
            switch message {
            case .progress(let event): display.show(event)
            case .warning(let text): display.message("warning: \(text)")
            case .event: break
            case .done(let containers): return containers
            case .failed(let failure): throw failure
            }
        }
        throw Failure("the supervisor of project \"\(project)\" gave no answer")
    }
}
