internal import ComposeFile
internal import LocalEngine
internal import Orchestration
internal import Rendering

/// `up` in the foreground: carries out what ``AttachedSession`` decides.
struct AttachedUp {
    let session: Session
    let project: Project
    let options: UpOptions
    let plan: AttachedPlan
    let printer: LogPrinter.Options

    /// - Throws: ``ExitStatus`` with the code that the containers or a signal ask for; ``Failure``.
    func run() async throws {
        // With containers that run already, only what they say from now on is shown.
        let begin = HostClock.now()
        let signals = try HostSignals.interrupts()
        let (inputs, feed) = AsyncStream.makeStream(of: AttachedSession.Input.self)
        let follower = try LogFollower(
            printer: LogPrinter(options: printer, output: OutputBuffer(1), errors: OutputBuffer(2)))
        let printing = Task { try await follower.run() }
        let events = EventFeed(session: session, project: project.name)
        var tasks = [Task { for await _ in signals { feed.yield(.interrupt) } }]
        defer { for task in tasks { task.cancel() } }

        var state = AttachedSession(plan: plan)
        var request = perform(.create(project, options), shown: true, feed) { .created($0) }
        var result: Result<Int32, any Error> = .success(0)
        var toldAll = false
        loop: for await input in inputs {
            if input == .started { await settle(state.alive, feed, isStarted: true) }
            if input == .stopped, !state.alive.isEmpty, !toldAll {
                // The last exits may still be on their way: they are to be printed before the end.
                toldAll = true
                await settle(state.alive, feed, isStarted: true)
                feed.yield(.stopped)
                continue
            }
            for action in state.handle(input) {
                switch action {
                case .attach(let containers):
                    announce(containers)
                    for container in containers { follow(container, follower, since: begin) }
                    let ids = containers.map(\.id)
                    tasks.append(
                        Task {
                            await events.run(
                                deliver: { feed.yield(.event($0)) },
                                connected: { await settle(Set(ids), feed, isStarted: false) })
                        })
                case .follow(let container): follow(container, follower, since: begin)
                case .finishLog(let id, let status): follower.finished(id: id.value, status: status)
                case .announce(let text): Report.note(text)
                case .start: request = perform(.up(project, startOptions), shown: false, feed) { _ in .started }
                case .withdraw: request.cancel()
                case .stop:
                    request = perform(
                        .stop(project, services: plan.services, timeout: options.timeout), shown: true, feed
                    ) { _ in .stopped }
                case .kill:
                    // The stop under way ends by itself when there is nothing left to wait for.
                    tasks.append(
                        perform(
                            .kill(project, services: plan.services, signal: "SIGKILL", removeOrphans: false),
                            shown: false, feed
                        ) { _ in nil })
                case .end(let code):
                    result = .success(code == 130 ? code : try exitCode(code, state.selectedCode))
                    break loop
                case .fail(let failure):
                    result = .failure(failure)
                    break loop
                }
            }
        }
        request.cancel()
        follower.stop()
        try await printing.value
        let code = try result.get()
        if code != 0 { throw ExitStatus(code: code) }
    }

    /// What is left to do once everything is created: no container is to be replaced a second time.
    private var startOptions: UpOptions {
        var options = options
        options.recreate = .never
        options.recreateDependencies = .never
        options.renewAnonymousVolumes = false
        options.removeOrphans = false
        options.ignoreOrphans = true
        return options
    }

    /// A request whose end becomes an input. While logs are shown, its progress is plain lines or nothing.
    private func perform(
        _ request: Request, shown: Bool, _ feed: AsyncStream<AttachedSession.Input>.Continuation,
        _ end: @escaping @Sendable ([ContainerSummary]) -> AttachedSession.Input?
    ) -> Task<Void, Never> {
        let display: ProgressDisplay
        switch request {
        case .create: display = session.display("Creating")
        default:
            let mode: ProgressMode = session.progress == .terminal ? .plain : session.progress
            display = ProgressDisplay(mode: shown ? mode : .quiet)
        }
        return Task { [self] in
            defer { display.close() }
            do {
                let containers = try await Conversation.exchange(request, of: project.name, session, display)
                display.close()
                if let input = end(containers) { feed.yield(input) }
            } catch {
                if Task.isCancelled { return }
                feed.yield(.failed(error as? Failure ?? Failure(String(describing: error))))
            }
        }
    }

    /// Containers that have ended, or were never started, without an event that said so.
    private func settle(
        _ awaited: Set<ContainerID>, _ feed: AsyncStream<AttachedSession.Input>.Continuation, isStarted: Bool
    ) async {
        guard let found = try? session.store.containers(of: project.name) else { return }
        for id in awaited {
            guard let container = found.first(where: { $0.id == id }) else {
                feed.yield(.absent(id))
                continue
            }
            switch container.state {
            case .running, .paused, .restarting: break
            case .created: if isStarted { feed.yield(.absent(id)) }
            case .exited, .dead:
                let summary = ContainerSummary(
                    id: id, name: container.spec.name, service: container.service ?? "", number: container.number ?? 0)
                var event = ContainerEvent(
                    action: .die, container: summary, time: container.exit?.finishedAt ?? HostClock.now().seconds)
                event.exitCode = container.exit?.code
                feed.yield(.event(event))
            }
        }
    }

    /// The code of `--exit-code-from`, where that is asked for: as told, or as found on disk.
    private func exitCode(_ code: Int32, _ selected: Int32?) throws -> Int32 {
        guard let service = plan.exitCodeFrom else { return code }
        if let selected { return selected }
        let containers = try session.store.containers(of: project.name).filter { $0.service == service && !$0.isOneOff }
        return ProjectTarget.ordered(containers).compactMap { $0.exit?.code }.first ?? code
    }

    private func follow(_ container: ContainerSummary, _ follower: LogFollower, since begin: Timestamp) {
        follower.add(
            id: container.id.value, name: shortName(container),
            path: session.logPath(containerNamed: container.name, of: project.name),
            selection: LogSelection(since: begin))
    }

    private func announce(_ containers: [ContainerSummary]) {
        guard !containers.isEmpty else { return }
        let output = OutputBuffer(1)
        output.write("Attaching to \(containers.map(shortName).sorted().joined(separator: ", "))\n")
        output.flush()
    }

    private func shortName(_ container: ContainerSummary) -> String {
        ContainerTexts.shortName(
            container.name, project: project.name, service: container.service, number: container.number)
    }
}
