import ComposeFile

extension ProjectReconciler {
    /// Returns the services that the request was about; empty: all.
    func perform(_ request: Request, send: @escaping @Sendable (Message) -> Void) async throws -> Set<String> {
        switch request {
        case .up(let project, let options):
            return try await up(project, options, send)
        case .create(let project, var options):
            options.noStart = true
            return try await up(project, options, send)
        case .down(let project, let options):
            return try await down(project, options, send)
        case .start(let project, let services, let wait):
            let observed = try await observe()
            let plan = try Planner.start(
                project: project ?? known(observed), observed: observed, services: services, wait: wait)
            try await execute(plan, send)
            return Set(services)
        case .stop(let project, let services, let timeout):
            let observed = try await observe()
            let plan = try Planner.stop(
                project: project ?? known(observed), observed: observed, services: services, timeout: timeout)
            try await execute(plan, send, keepsGoing: true)
            return Set(services)
        case .restart(let project, let services, let timeout, let noDeps):
            let observed = try await observe()
            let plan = try Planner.restart(
                project: project ?? known(observed), observed: observed, services: services, timeout: timeout,
                noDeps: noDeps)
            try await execute(plan, send)
            return Set(services)
        case .kill(let project, let services, let signal, let removeOrphans):
            // Others may be removing containers at this moment, so that nothing seen now may be adopted.
            let observed = try await engine.observe(project: name)
            let plan = try Planner.kill(
                project: project ?? known(observed), observed: observed, services: services, signal: signal,
                removeOrphans: removeOrphans)
            try await execute(plan, send, keepsGoing: true)
            return Set(services)
        case .remove(let project, let services, let stop, let volumes):
            let observed = try await observe()
            let plan = try Planner.remove(
                project: project ?? known(observed), observed: observed, services: services, stop: stop,
                volumes: volumes)
            try await execute(plan, send, keepsGoing: true)
            return Set(services)
        case .events, .ping:
            return []
        }
    }

    private func observe() async throws -> ObservedProject {
        let observed = try await engine.observe(project: name)
        // Made by somebody else, such as a one-off: followed from now on.
        await live.adopt(observed.containers)
        return observed
    }

    /// The project as last accepted, as far as it exists: for commands given without a file.
    private func known(_ observed: ObservedProject) -> Project? {
        guard var project = desired else { return nil }
        let existing = Set(observed.containers.compactMap(\.service))
        project.services = project.services.filter { existing.contains($0.key) }
        // Containers that the project does not know are taken by their labels.
        return existing.isSubset(of: project.services.keys) ? project : nil
    }

    private func execute(
        _ plan: Plan, _ send: @escaping @Sendable (Message) -> Void, waitTimeout: Duration? = nil,
        keepsGoing: Bool = false
    ) async throws {
        for warning in plan.warnings { send(.warning(warning)) }
        var executor = Executor(engine: engine, live: live, time: dependencies.time, report: send)
        executor.waitTimeout = waitTimeout
        executor.keepsGoing = keepsGoing
        try await executor.run(plan)
    }

    private func up(
        _ project: Project, _ options: UpOptions, _ send: @escaping @Sendable (Message) -> Void
    ) async throws -> Set<String> {
        var input = PlannerInput(project: project, version: dependencies.version)
        input.options = options
        input.refusals = dependencies.refusals(project)
        let scope = try input.scope()
        input.observed = try await observe()
        input.images = try await images(of: scope, project, options)
        try await lookUpForeign(&input)
        let plan = try Planner.up(input)
        try Task.checkCancellation()
        try await dependencies.saveDesired(project)
        desired = project
        try await execute(plan, send, waitTimeout: options.wait ? options.waitTimeout : nil)
        return Set(scope)
    }

    private func images(
        of services: [String], _ project: Project, _ options: UpOptions
    ) async throws -> [String: ImageSummary] {
        let references = Set(
            services.compactMap { project.services[$0] }.map {
                ServiceTranslation.imageName(
                    of: $0, project: project, compatibilityNames: options.compatibilityNames)
            })
        let engine = engine
        return try await withThrowingTaskGroup(of: (String, ImageSummary?).self) { group in
            for reference in references {
                group.addTask { (reference, try await engine.image(reference)) }
            }
            var found: [String: ImageSummary] = [:]
            for try await (reference, summary) in group { found[reference] = summary }
            return found
        }
    }

    /// Names that the project wants and that do not carry its label may be somebody else's.
    private func lookUpForeign(_ input: inout PlannerInput) async throws {
        let networks = Set(input.observed.networks.map(\.name))
        for network in input.project.networks.values where !networks.contains(network.name) {
            input.foreignNetworks[network.name] = try await engine.network(named: network.name)
        }
        let volumes = Set(input.observed.volumes.map(\.name))
        for volume in input.project.volumes.values where !volumes.contains(volume.name) {
            input.foreignVolumes[volume.name] = try await engine.volume(named: volume.name)
        }
    }

    private func down(
        _ project: Project?, _ options: DownOptions, _ send: @escaping @Sendable (Message) -> Void
    ) async throws -> Set<String> {
        let plan = try Planner.down(project: project, name: name, observed: try await observe(), options: options)
        try await execute(plan, send, keepsGoing: true)
        if options.services.isEmpty {
            try await dependencies.saveDesired(nil)
            desired = nil
        }
        return []
    }
}
