import ComposeFile

/// Starts, stops, exits and what follows from them.
extension LiveContainers {
    // MARK: What commands do

    /// A command is about to start the container. Returns false where a restart by policy has just done so.
    func willStart(_ id: ContainerID) async -> Bool {
        let hadRestart = await settleRestart(id)
        guard var entry = entries[id] else { return true }
        entry.onPurpose = false
        entry.restart = RestartMachine(entry.spec.restart)
        let isDone = hadRestart && (entry.pendingStarts > 0 || entry.phase == .running)
        if !isDone { entry.pendingStarts += 1 }
        entries[id] = entry
        return !isDone
    }

    func startFailed(_ id: ContainerID) {
        guard let pending = entries[id]?.pendingStarts, pending > 0 else { return }
        entries[id]?.pendingStarts = pending - 1
        changed(id)
    }

    /// A command is about to stop the container: its restart policy does not apply any more.
    func willStop(_ id: ContainerID) async {
        entries[id]?.onPurpose = true
        _ = await settleRestart(id)
    }

    func stopped(_ id: ContainerID) {
        if entries[id]?.phase == .running { entries[id]?.afterExit.append(.stop) } else { publish(.stop, id) }
    }

    func restarted(_ id: ContainerID) {
        let isDue = (entries[id]?.pendingStarts ?? 0) > 0
        if isDue { entries[id]?.afterStart.append(.restart) } else { publish(.restart, id) }
    }

    /// A command is about to send a signal; one that ends the container is a stop on purpose.
    func willKill(_ id: ContainerID, signal: String) async {
        publish(.kill, id)
        guard let entry = entries[id] else { return }
        let name = Self.canonical(signal)
        if name == "KILL" || name == "9" || name == Self.canonical(entry.spec.stopSignal ?? "SIGTERM") {
            await willStop(id)
        }
    }

    private static func canonical(_ signal: String) -> String {
        let upper = signal.uppercased()
        return upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
    }

    /// Ends a restart by policy that is due, and lets one under way finish, so that a command finds a container that
    /// stands still. Returns whether there was one.
    private func settleRestart(_ id: ContainerID) async -> Bool {
        guard let task = entries[id]?.restarting else { return false }
        task.cancel()
        await task.value
        entries[id]?.restarting = nil
        return true
    }

    // MARK: What the engine tells

    public func handle(_ event: EngineEvent) {
        switch event {
        case .started(let id): started(id)
        case .exited(let id, let exit): exited(id, exit)
        case .removed(let id): removed(id)
        // Said by this actor itself.
        case .created, .health: break
        }
    }

    private func started(_ id: ContainerID) {
        guard var entry = entries[id] else { return }
        entry.pendingStarts = max(0, entry.pendingStarts - 1)
        entry.run += 1
        entry.phase = .running
        entry.startedAt = time.now()
        entry.health = HealthSchedule(entry.spec.healthcheck).map { HealthMachine($0) }
        entry.probing?.cancel()
        let told = entry.afterStart
        entry.afterStart = []
        entries[id] = entry
        publish(.start, id)
        for action in told { publish(action, id) }
        startProbing(id)
        changed(id)
    }

    private func exited(_ id: ContainerID, _ exit: ExitRecord) {
        guard var entry = entries[id] else {
            // Seen to run by who adopts it, and over before it is adopted.
            earlyExits?[id] = exit
            return
        }
        entry.probing?.cancel()
        entry.probing = nil
        let ranFor = time.now() - entry.startedAt
        let decision: RestartMachine.Decision =
            entry.pendingStarts > 0
            ? .stay : entry.restart.exited(code: exit.code, ranFor: ranFor, onPurpose: entry.onPurpose)
        entry.phase = decision == .stay ? .exited(exit) : .restarting
        let told = entry.afterExit
        entry.afterExit = []
        entries[id] = entry
        if exit.oomKilled { publish(.oom, id) }
        publish(.die, id) {
            $0.exitCode = exit.code
            $0.willRestart = decision != .stay
        }
        for action in told { publish(action, id) }
        if told.contains(.destroy) {
            entries[id] = nil
            return
        }
        changed(id)
        if case .restart(let delay) = decision { scheduleRestart(id, after: delay, exit: exit) }
    }

    // MARK: Restart policy

    private func scheduleRestart(_ id: ContainerID, after delay: Duration, exit: ExitRecord) {
        entries[id]?.restarting = Task { await self.restart(id, after: delay, exit: exit) }
    }

    private func restart(_ id: ContainerID, after delay: Duration, exit: ExitRecord) async {
        guard let count = entries[id]?.restart.count else { return }
        // A record that cannot be written costs a count that is one too low, not the restart.
        try? await engine.recordRestart(id, count: count, restarting: true)
        try? await time.sleep(delay)
        guard !Task.isCancelled, entries[id]?.phase == .restarting, entries[id]?.onPurpose == false else {
            settle(id, as: exit)
            try? await engine.recordRestart(id, count: count, restarting: false)
            return
        }
        entries[id]?.pendingStarts += 1
        do {
            try await engine.startContainer(id)
            try? await engine.recordRestart(id, count: count, restarting: false)
        } catch {
            startFailed(id)
            await failedToRestart(id, error)
        }
    }

    /// As Docker has it, a start that fails is an exit like any other to the policy.
    private func failedToRestart(_ id: ContainerID, _ error: any Error) async {
        var code: Int32 = 128
        if case .startFailed(_, _, let reported)? = error as? EngineError { code = reported }
        let exit = ExitRecord(code: code, finishedAt: time.wallClock(), error: "\(error)")
        guard var entry = entries[id] else { return }
        let decision = entry.restart.exited(
            code: code, ranFor: .zero, onPurpose: entry.onPurpose || Task.isCancelled)
        entries[id] = entry
        switch decision {
        case .stay:
            settle(id, as: exit)
            try? await engine.recordRestart(id, count: entry.restart.count, restarting: false)
        case .restart(let delay): scheduleRestart(id, after: delay, exit: exit)
        }
    }

    private func settle(_ id: ContainerID, as exit: ExitRecord) {
        guard entries[id]?.phase == .restarting else { return }
        entries[id]?.phase = .exited(exit)
        changed(id)
    }

    // MARK: Health

    func startProbing(_ id: ContainerID) {
        guard let entry = entries[id], let health = entry.health else { return }
        let run = entry.run
        entries[id]?.probing = Task { await self.probe(id, run: run, argv: health.schedule.argv) }
    }

    private func probe(_ id: ContainerID, run: Int, argv: [String]) async {
        if let record = entries[id]?.health?.record { try? await engine.recordHealth(id, record) }
        while let entry = current(id, run), let next = entry.health?.next {
            let wait = next.at - (time.now() - entry.startedAt)
            if wait > .zero { try? await time.sleep(wait) }
            guard current(id, run) != nil else { return }
            let begun = time.now()
            let wallStart = time.wallClock()
            var request = ExecRequest()
            request.argv = argv
            request.timeout = next.timeout
            let outcome = await execute(request, in: id)
            // The container may have exited, and even been started again, meanwhile.
            guard var entry = current(id, run), var machine = entry.health else { return }
            let result = HealthRecord.Probe(
                start: wallStart, end: time.wallClock(), exitCode: outcome.code, output: outcome.output)
            let status = machine.ended(
                result, begun: begun - entry.startedAt, ended: time.now() - entry.startedAt)
            entry.health = machine
            entries[id] = entry
            if let status {
                publish(.healthStatus, id) { $0.health = status }
                changed(id)
            }
            // Losing a record costs history, not the verdict: the next probe writes it again.
            try? await engine.recordHealth(id, machine.record)
        }
    }

    private func execute(_ request: ExecRequest, in id: ContainerID) async -> (code: Int32, output: String) {
        do {
            let result = try await engine.exec(id, request)
            guard result.timedOut else { return (result.exitCode, result.output) }
            let limit = request.timeout?.goDescription ?? ""
            return (
                -1, "Health check exceeded timeout (\(limit))" + (result.output.isEmpty ? "" : ": \(result.output)")
            )
        } catch {
            return (-1, "\(error)")
        }
    }

    private func current(_ id: ContainerID, _ run: Int) -> Entry? {
        guard !Task.isCancelled, let entry = entries[id], entry.run == run, entry.phase == .running else { return nil }
        return entry
    }

    // MARK: Adoption

    /// Takes over containers that others started: probes go on where they were, and an exit that nobody saw gets its
    /// restart policy applied. Containers already known are left as they are.
    public func adopt(_ containers: [ObservedContainer]) {
        for var container in containers where entries[container.id] == nil {
            if let exit = earlyExits?[container.id] {
                container.state = .exited
                container.exit = exit
            }
            // A restart that was already due has been counted.
            let count = container.restartCount - (container.state == .restarting ? 1 : 0)
            var entry = Entry(
                spec: container.spec, name: container.spec.name, phase: .created,
                restart: RestartMachine(container.spec.restart, count: max(0, count)))
            entry.onPurpose = container.stoppedOnPurpose
            switch container.state {
            case .created: entries[container.id] = entry
            case .running, .paused: adoptRunning(container, &entry)
            case .exited, .restarting, .dead: adoptExited(container, &entry)
            }
        }
        earlyExits = nil
    }

    private func adoptRunning(_ container: ObservedContainer, _ entry: inout Entry) {
        let elapsed = Duration.seconds(since: container.startedAt ?? time.wallClock(), until: time.wallClock())
        entry.phase = .running
        entry.run = 1
        entry.startedAt = time.now() - elapsed
        entry.health = HealthSchedule(entry.spec.healthcheck)
            .map { HealthMachine($0, resuming: container.health, elapsed: elapsed) }
        entries[container.id] = entry
        if container.state == .running { startProbing(container.id) }
    }

    private func adoptExited(_ container: ObservedContainer, _ entry: inout Entry) {
        // The host went down with it: no exit was recorded.
        let exit = container.exit ?? ExitRecord(code: 137, finishedAt: time.wallClock())
        let ranFor = Duration.seconds(since: container.startedAt ?? exit.finishedAt, until: exit.finishedAt)
        // A first start that failed was reported to whoever asked for it.
        let neverRan = exit.error != nil && container.restartCount == 0
        let decision = entry.restart.exited(
            code: exit.code, ranFor: ranFor,
            onPurpose: container.stoppedOnPurpose || container.state == .dead || neverRan)
        entry.phase = decision == .stay ? .exited(exit) : .restarting
        entries[container.id] = entry
        if case .restart(let delay) = decision { scheduleRestart(container.id, after: delay, exit: exit) }
    }
}
