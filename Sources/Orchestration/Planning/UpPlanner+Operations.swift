import ComposeFile

/// Puts the decisions into a graph.
extension UpPlanner {
    mutating func emitRemovals() {
        let orphans = Self.orphans(of: input.project, in: input.observed)
        if input.options.removeOrphans {
            for orphan in orphans { orphanOperations.append(remove(orphan, cause: .orphan)) }
        } else if !orphans.isEmpty, !input.options.ignoreOrphans {
            warnings.append(Self.orphanWarning(orphans))
        }
        for (container, cause) in removals { remove(container, cause: cause) }
    }

    @discardableResult
    private mutating func remove(_ container: ObservedContainer, cause: Cause) -> Operation.ID {
        let target = ContainerTarget(container)
        var before: [Operation.ID] = []
        if container.state == .running || container.state == .restarting || container.state == .paused {
            let stop = plan.add(.stop(target, options: stopOptions(container.service)), cause: cause)
            before = [stop]
            release(container, by: stop)
        }
        let operation = plan.add(.remove(target, volumes: false), cause: cause, after: .init(required: before))
        nameReleases[container.spec.name] = operation
        return operation
    }

    private mutating func release(_ container: ObservedContainer, by operation: Operation.ID) {
        for key in PortKey.keys(container.spec) { portReleases[key, default: []].append(operation) }
    }

    /// Dependants before what they depend on.
    mutating func emitEarlyStops() {
        for name in graph.order.reversed() {
            guard let state = services[name], state.slots.contains(where: \.stopsEarly) else { continue }
            let before = (graph.dependants[name] ?? []).flatMap { earlyStops[$0].map { Array($0.values) } ?? [] }
            for slot in state.slots {
                guard slot.stopsEarly, let container = slot.current else { continue }
                let stop = plan.add(
                    .stop(ContainerTarget(container), options: stopOptions(name)), cause: slot.cause,
                    after: .init(required: before))
                earlyStops[name, default: [:]][container.id] = stop
            }
        }
    }

    mutating func emit(_ name: String) throws {
        guard var state = services[name] else { return }
        for index in state.slots.indices { try emitMaking(of: &state.slots[index], service: name) }
        services[name] = state
        guard !input.options.noStart else { return }
        let needsStart = state.slots.contains { $0.action != .keep }
        let before = needsStart ? dependencyPrerequisites(of: name) : []
        for index in state.slots.indices { emitStart(of: &state.slots[index], service: name, after: before) }
        services[name] = state
    }

    private mutating func emitMaking(of slot: inout Slot, service: String) throws {
        switch slot.action {
        case .create, .recreate:
            guard var blueprint = slot.blueprint else { return }
            var before = orphanOperations
            for attachment in blueprint.spec.networks {
                if let id = networkOperations[attachment.network] { before.append(id) }
            }
            for volume in blueprint.spec.mounts.compactMap(\.volumeName) {
                if let id = volumeOperations[volume] { before.append(id) }
            }
            for index in blueprint.references.indices {
                let reference = blueprint.references[index]
                let attribute = reference.field.attribute
                guard let target = try self.slot(of: reference.service, for: attribute, by: service) else { continue }
                blueprint.references[index].target = target.target(service: reference.service)
                if let id = target.makeOperation { before.append(id) }
            }
            slot.makeOperation = add(blueprint, replacing: slot, service: service, after: before)
        case .keep, .start, .bounce:
            if slot.needsRename, let container = slot.current {
                slot.makeOperation = plan.add(
                    .rename(ContainerTarget(container), to: slot.name), cause: .unfinished("unfinished replacement"))
            }
            if slot.action == .keep, !(services[service]?.isBystander ?? false) {
                plan.add(.report(ProgressEvent(.container, slot.name, .running)), cause: .upToDate)
            } else if slot.action == .start, input.options.noStart {
                plan.add(.report(ProgressEvent(.container, slot.name, .created)), cause: slot.cause)
            }
        }
    }

    private mutating func add(
        _ blueprint: ContainerBlueprint, replacing slot: Slot, service: String, after: [Operation.ID]
    ) -> Operation.ID {
        var before = after
        guard slot.action == .recreate, let old = slot.current else {
            if let id = nameReleases[blueprint.spec.name] { before.append(id) }
            return plan.add(.create(blueprint), cause: slot.cause, after: .init(required: before))
        }
        var blueprint = blueprint
        let renews = input.options.renewAnonymousVolumes && selected.contains(service)
        if !renews { blueprint.spec.carryOver(old.anonymousVolumes) }
        before += earlyStopsAbove(service)
        let options = RecreateOptions(stop: stopOptions(service), dropAnonymousVolumes: renews)
        let id = plan.add(
            .recreate(blueprint, old: old, options: options), cause: slot.cause, after: .init(required: before))
        release(old, by: id)
        return id
    }

    /// What has to have stopped before a container of this service may be replaced.
    private func earlyStopsAbove(_ service: String) -> [Operation.ID] {
        let own = earlyStops[service].map { Array($0.values) } ?? []
        return own + (graph.dependants[service] ?? []).flatMap { earlyStops[$0].map { Array($0.values) } ?? [] }
    }

    private mutating func emitStart(of slot: inout Slot, service: String, after before: [Operation.Prerequisite]) {
        guard slot.action != .keep else { return }
        var prerequisites = before
        if let make = slot.makeOperation { prerequisites.append(.init(make)) }
        let spec = slot.blueprint?.spec ?? slot.current?.spec
        for attachment in spec?.networks ?? [] {
            if let id = networkOperations[attachment.network] { prerequisites.append(.init(id)) }
        }
        if let container = slot.current, let stop = earlyStops[service]?[container.id] {
            prerequisites.append(.init(stop))
        }
        if !portReleases.isEmpty, let spec {
            for key in PortKey.keys(spec) {
                prerequisites += (portReleases[key] ?? []).map { Operation.Prerequisite($0) }
            }
        }
        let hooks = input.project.services[service]?.postStart ?? []
        slot.startOperation = plan.add(
            .start(slot.target(service: service), hooks: hooks), cause: slot.cause, after: prerequisites)
    }

    /// What has to be so before containers of this service may start.
    private mutating func dependencyPrerequisites(of name: String) -> [Operation.Prerequisite] {
        var result: [Operation.Prerequisite] = []
        for (dependency, terms) in (graph.dependencies[name] ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let state = services[dependency], !state.slots.isEmpty, !state.isBystander else { continue }
            switch terms.condition {
            case .started:
                let starts = state.slots.compactMap(\.startOperation)
                result += starts.map { Operation.Prerequisite($0, isRequired: terms.required) }
            case .healthy, .completedSuccessfully:
                let completed = terms.condition == .completedSuccessfully
                let id = wait(for: dependency, state, completed ? .completedSuccessfully : .healthy, by: name)
                result.append(.init(id, isRequired: terms.required))
            }
        }
        return result
    }

    private mutating func wait(
        for service: String, _ state: ServiceState, _ condition: WaitCondition, by user: String
    ) -> Operation.ID {
        let key = WaitKey(service: service, completed: condition == .completedSuccessfully)
        if let id = waits[key] { return id }
        let id = plan.add(
            .wait(
                service: service, containers: state.slots.map { $0.target(service: service) }, condition: condition),
            cause: .needed(by: user), after: .init(required: state.slots.compactMap(\.startOperation)))
        waits[key] = id
        return id
    }

    /// `--wait`: a service that another one waits for to complete is done when it has; the others have to run.
    mutating func emitFinalWaits() {
        var completing: Set<String> = []
        for name in scope {
            for (dependency, terms) in graph.dependencies[name] ?? [:] where terms.condition == .completedSuccessfully {
                completing.insert(dependency)
            }
        }
        for name in scope {
            guard let state = services[name], !state.slots.isEmpty else { continue }
            let targets = state.slots.map { $0.target(service: name) }
            plan.add(
                .wait(
                    service: name, containers: targets,
                    condition: completing.contains(name) ? .completedSuccessfully : .runningOrHealthy),
                cause: .command("--wait"), after: .init(required: state.slots.compactMap(\.startOperation)))
        }
    }
}

extension ContainerSpec {
    /// Gives anonymous mounts the volumes that the container which this one replaces had there.
    mutating func carryOver(_ volumes: [String: String]) {
        guard !volumes.isEmpty else { return }
        for index in mounts.indices {
            if case .anonymous = mounts[index].source, let volume = volumes[mounts[index].target] {
                mounts[index].source = .anonymous(carriedOver: volume)
            }
        }
    }
}
