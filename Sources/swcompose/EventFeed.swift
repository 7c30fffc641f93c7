internal import Orchestration
internal import Supervision

/// What happens to a project's containers, as its supervisor tells it; where that goes away, as its successor does.
struct EventFeed: Sendable {
    let session: Session
    let project: String

    /// Returns when the task is cancelled, or no supervisor can be had any more.
    /// - Parameter connected: called after each connecting: something may have happened that nobody told.
    func run(
        deliver: @Sendable (ContainerEvent) -> Void, connected: @escaping @Sendable () async -> Void
    ) async {
        var first = true
        while !Task.isCancelled {
            do {
                guard
                    let client = try await SupervisorClient.connect(
                        project: project, paths: session.paths, startIfNeeded: true)
                else { return }
                let messages = client.send(.events)
                first = false
                // That the supervisor has taken note is not acknowledged: what happened before it did is looked for
                // shortly afterwards.
                let look = Task {
                    try await Task.sleep(for: .milliseconds(50))
                    await connected()
                }
                defer { look.cancel() }
                for try await message in messages {
                    if case .event(let event) = message { deliver(event) }
                }
            } catch {
                // One that was killed is followed by another; if that cannot be, the next round ends here.
                if first || Task.isCancelled { return }
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}
