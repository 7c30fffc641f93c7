import ComposeFile

extension Executor {
    func perform(_ operation: Operation, _ context: Context) async throws {
        if case .wait(let service, let targets, let condition) = operation.kind {
            return try await wait(service, targets, condition, context)
        }
        try await shielded { try await complete(operation, context) }
    }

    /// Runs to its end although the task is cancelled: half an operation is worse than one too many.
    private func shielded(_ work: @escaping @Sendable () async throws -> Void) async throws {
        try await Task { try await work() }.value
    }

    private func complete(_ operation: Operation, _ context: Context) async throws {
        switch operation.kind {
        case .createNetwork(let spec):
            try await step(.network, spec.name, .creating, .created) { try await engine.createNetwork(spec) }
        case .removeNetwork(let name):
            try await removal(.network, name) { try await engine.removeNetwork(named: name) }
        case .createVolume(let spec):
            try await step(.volume, spec.name, .creating, .created) { try await engine.createVolume(spec) }
        case .removeVolume(let name):
            try await removal(.volume, name) { try await engine.removeVolume(named: name) }
        case .removeImage(let name):
            try await removal(.image, name) { try await engine.removeImage(name) }
        case .create(let blueprint):
            try await step(.container, blueprint.spec.name, .creating, .created) {
                let spec = try blueprint.resolved(context.id)
                context.made(try await create(spec), by: operation.id)
            }
        case .recreate(let blueprint, let old, let options):
            try await step(.container, blueprint.spec.name, .recreate, .recreated) {
                let spec = try blueprint.resolved(context.id)
                context.made(try await recreate(spec, old, options), by: operation.id)
            }
        case .rename(let target, let name):
            try await rename(try context.id(of: target), to: name)
        case .start(let target, let hooks): try await start(target, hooks, context)
        case .stop(let target, let options):
            let id = try context.id(of: target)
            try await preStop(id, options.hooks, service: target.service)
            try await step(.container, target.name, .stopping, .stopped) { try await stop(id, options.timeout) }
        case .restart(let target, let options, let hooks): try await restart(target, options, hooks, context)
        case .kill(let target, let signal):
            try await step(.container, target.name, .killing, .killed) {
                try await kill(try context.id(of: target), signal)
            }
        case .remove(let target, let volumes):
            let id = try context.id(of: target)
            try await step(.container, target.name, .removing, .removed) { try await remove(id, volumes: volumes) }
        case .report(let event): report(.progress(event))
        case .wait: break
        }
    }

    // MARK: Containers

    private func create(_ spec: ContainerSpec) async throws -> ContainerID {
        let id = try await engine.createContainer(spec)
        await live.created(id, spec: spec)
        return id
    }

    private func recreate(
        _ spec: ContainerSpec, _ old: ObservedContainer, _ options: RecreateOptions
    ) async throws -> ContainerID {
        var temporary = spec
        temporary.name = "\(old.id.short)_\(spec.name)"
        let service = spec.labels[Label.service] ?? ""
        temporary.labels[Label.replace] = "\(service)-\(spec.labels[Label.containerNumber] ?? "1")"
        let id = try await create(temporary)
        do {
            if old.state == .running { try await preStop(old.id, options.stop.hooks, service: service) }
            try await stop(old.id, options.stop.timeout)
            try await remove(old.id, volumes: options.dropAnonymousVolumes)
        } catch {
            // The old one stays what it was; its would-be successor must not stay beside it. Should that fail too,
            // the next plan finds it by its name.
            try? await remove(id, volumes: false)
            throw error
        }
        try await rename(id, to: spec.name)
        return id
    }

    private func rename(_ id: ContainerID, to name: String) async throws {
        try await engine.renameContainer(id, to: name)
        await live.renamed(id, to: name)
    }

    private func start(_ target: ContainerTarget, _ hooks: [Hook], _ context: Context) async throws {
        let id = try context.id(of: target)
        try await step(.container, target.name, .starting, .started) { try await start(id) }
        try await run(hooks, in: id, service: target.service)
    }

    private func start(_ id: ContainerID) async throws {
        guard await live.willStart(id) else { return }
        do {
            try await engine.startContainer(id)
        } catch {
            await live.startFailed(id)
            throw error
        }
    }

    private func restart(
        _ target: ContainerTarget, _ options: StopOptions, _ hooks: [Hook], _ context: Context
    ) async throws {
        let id = try context.id(of: target)
        try await preStop(id, options.hooks, service: target.service)
        try await step(.container, target.name, .restarting, .started) {
            try await stop(id, options.timeout)
            try await start(id)
            await live.restarted(id)
        }
        try await run(hooks, in: id, service: target.service)
    }

    /// Also for a container that does not run: it is then marked as stopped on purpose.
    private func stop(_ id: ContainerID, _ timeout: Duration?) async throws {
        await live.willStop(id)
        try await engine.stopContainer(id, signal: nil, timeout: timeout)
        await live.stopped(id)
    }

    private func kill(_ id: ContainerID, _ signal: String) async throws {
        await live.willKill(id, signal: signal)
        do {
            try await engine.killContainer(id, signal: signal)
        } catch EngineError.notRunning {
            // It exited on its own meanwhile: what was wanted.
        }
    }

    private func remove(_ id: ContainerID, volumes: Bool) async throws {
        try await engine.removeContainer(id, volumes: volumes)
        await live.removed(id)
    }

    // MARK: Hooks

    private func preStop(_ id: ContainerID, _ hooks: [Hook], service: String) async throws {
        guard !hooks.isEmpty, await live.snapshot(of: id)?.phase == .running else { return }
        try await run(hooks, in: id, service: service)
    }

    private func run(_ hooks: [Hook], in id: ContainerID, service: String) async throws {
        for hook in hooks {
            var request = ExecRequest()
            request.argv = hook.command
            request.user = hook.user
            request.workingDir = hook.workingDir
            request.environment = hook.environment
            request.privileged = hook.privileged
            let result: ExecResult
            do {
                result = try await engine.exec(id, request)
            } catch {
                throw Failure("\(service) hook failed: \(error)")
            }
            guard result.exitCode == 0 else {
                let last = result.output.split(separator: "\n").last.map { ": \($0)" } ?? ""
                throw Failure("\(service) hook exited with status \(result.exitCode)\(last)")
            }
        }
    }

    // MARK: Progress

    private func step(
        _ object: ProgressEvent.Object, _ name: String, _ begun: ProgressEvent.Status, _ ended: ProgressEvent.Status,
        _ work: () async throws -> Void
    ) async throws {
        report(.progress(ProgressEvent(object, name, begun)))
        do {
            try await work()
        } catch {
            let failure = error as? Failure ?? Failure("\(error)")
            report(.progress(ProgressEvent(object, name, .error, detail: failure.message)))
            throw failure
        }
        report(.progress(ProgressEvent(object, name, ended)))
    }

    /// What is gone already, or (in taking down) still used by others, is no failure.
    private func removal(
        _ object: ProgressEvent.Object, _ name: String, _ work: () async throws -> Void
    ) async throws {
        report(.progress(ProgressEvent(object, name, .removing)))
        do {
            try await work()
            report(.progress(ProgressEvent(object, name, .removed)))
        } catch EngineError.inUse where keepsGoing {
            report(.progress(ProgressEvent(object, name, .resourceInUse)))
        } catch EngineError.noSuchImage {
            report(.progress(ProgressEvent(object, name, .skipped, detail: "No such image")))
        } catch {
            report(.progress(ProgressEvent(object, name, .error, detail: "\(error)")))
            throw Failure("\(error)")
        }
    }
}
