/// Waiting for containers: by subscription, never by polling.
extension Executor {
    /// A container without a health check counts as running when it has been so for this long: what fails at once
    /// shall not pass for running.
    static let settlingTime: Duration = .milliseconds(500)

    func wait(
        _ service: String, _ targets: [ContainerTarget], _ condition: WaitCondition, _ context: Context
    ) async throws {
        for target in targets { report(.progress(ProgressEvent(.container, target.name, .waiting))) }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for target in targets {
                    group.addTask { try await wait(target, condition, context) }
                }
                var remaining = targets.count
                if let waitTimeout {
                    let deadline = context.deadline(now: time.now(), timeout: waitTimeout)
                    group.addTask {
                        try await time.sleep(deadline - time.now())
                        throw Failure("application not healthy after \(waitTimeout.goDescription)")
                    }
                }
                while remaining > 0 {
                    try await group.next()
                    remaining -= 1
                }
                group.cancelAll()
            }
        } catch {
            if !(error is CancellationError) {
                for target in targets {
                    report(.progress(ProgressEvent(.container, target.name, .error, detail: "\(error)")))
                }
            }
            throw error
        }
        let status: ProgressEvent.Status = condition == .completedSuccessfully ? .exited : .healthy
        for target in targets { report(.progress(ProgressEvent(.container, target.name, status))) }
    }

    private func wait(_ target: ContainerTarget, _ condition: WaitCondition, _ context: Context) async throws {
        let id = try context.id(of: target)
        switch condition {
        case .completedSuccessfully:
            let service = target.service
            try await live.wait(for: id) { Self.completed($0, service: service) }
        case .healthy:
            do {
                try await live.wait(for: id) {
                    $0.health == nil
                        ? .failure(Failure("container \($0.name) has no healthcheck configured")) : Self.healthy($0)
                }
            } catch let failure as Failure {
                throw Failure("dependency failed to start: \(failure.message)")
            }
        case .runningOrHealthy:
            try await waitUntilSettled(id, wasStarted: context.started.contains(target))
        }
    }

    private func waitUntilSettled(_ id: ContainerID, wasStarted: Bool) async throws {
        while true {
            try await live.wait(for: id, until: Self.healthy)
            guard wasStarted, let before = await live.snapshot(of: id), before.health == nil else { return }
            try await time.sleep(Self.settlingTime)
            guard let after = await live.snapshot(of: id) else { return }
            if case .failure(let failure)? = Self.healthy(after) { throw failure }
            if after.phase == .running, after.run == before.run { return }
        }
    }

    /// `--wait` promises that all run at one moment: one may have exited while others were waited for.
    func checkStillRunning(_ plan: Plan, _ context: Context) async throws {
        for operation in plan.operations {
            guard case .wait(_, let targets, .runningOrHealthy) = operation.kind else { continue }
            for target in targets {
                guard let snapshot = await live.snapshot(of: try context.id(of: target)) else { continue }
                if case .failure(let failure)? = Self.healthy(snapshot) { throw failure }
            }
        }
    }

    /// Running where there is no health check.
    @Sendable
    private static func healthy(_ snapshot: LiveContainers.Snapshot) -> Result<Void, Failure>? {
        if snapshot.isStarting { return nil }
        switch snapshot.phase {
        case .exited(let exit): return .failure(Failure("container \(snapshot.name) exited (\(exit.code))"))
        case .created, .restarting: return nil
        case .running: break
        }
        switch snapshot.health {
        case .healthy?, nil: return .success(())
        case .unhealthy?:
            let reason = snapshot.lastProbe.map { ": \($0)" } ?? ""
            return .failure(Failure("container \(snapshot.name) is unhealthy\(reason)"))
        case .starting?: return nil
        }
    }

    @Sendable
    private static func completed(_ snapshot: LiveContainers.Snapshot, service: String) -> Result<Void, Failure>? {
        guard !snapshot.isStarting, case .exited(let exit) = snapshot.phase else { return nil }
        if exit.code == 0 { return .success(()) }
        return .failure(Failure("service \"\(service)\" didn't complete successfully: exit \(exit.code)"))
    }
}
