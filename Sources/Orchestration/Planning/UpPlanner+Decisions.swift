import ComposeFile

/// What becomes of each container.
extension UpPlanner {
    mutating func decide(_ name: String) throws {
        guard let service = input.project.services[name] else { return }
        let translation = try translate(service)
        let wanted = input.options.scale[name] ?? service.replicas ?? 1
        if wanted > 1, let containerName = service.containerName {
            throw Failure(
                "service \"\(name)\" cannot be scaled to \(wanted): its container_name \"\(containerName)\" would not be "
                    + "unique; remove container_name")
        }
        let containers = sortOutUnfinished(existing[name] ?? [], translation)
        var current: [Slot] = []
        var obsolete: [Slot] = []
        for container in containers {
            var slot = try slot(for: container, translation)
            if let cause = try divergence(of: container, slot.blueprint, service) {
                slot.action = .recreate
                slot.cause = cause
                obsolete.append(slot)
            } else {
                current.append(slot)
            }
        }
        // What is up to date stays, lowest numbers first; what goes is obsolete or has the highest number.
        var slots = current + obsolete
        for slot in slots.dropFirst(wanted) {
            if let container = slot.current {
                removals.append((container, .scale(from: containers.count, to: wanted)))
            }
        }
        slots = Array(slots.prefix(wanted))
        var number = containers.compactMap(\.number).max() ?? 0
        while slots.count < wanted {
            number += 1
            let blueprint = translation.container(number: number)
            let cause = containers.isEmpty ? Cause.noContainer : .scale(from: containers.count, to: wanted)
            slots.append(
                Slot(action: .create, cause: cause, blueprint: blueprint, name: blueprint.spec.name, number: number))
        }
        slots.sort { $0.number < $1.number }
        var state = ServiceState(slots: slots)
        state.isDisturbed = slots.contains { $0.action == .recreate }
        services[name] = state
    }

    private func translate(_ service: Service) throws -> ServiceTranslation {
        let reference = ServiceTranslation.imageName(
            of: service, project: input.project, compatibilityNames: input.options.compatibilityNames)
        guard let image = input.images[reference] else {
            let hint = service.hasBuild ? "it has to be built first" : "load or import it first"
            throw Failure("service \"\(service.name)\": No such image: \(reference) (\(hint))")
        }
        var peers: [String: [String]] = [:]
        for link in service.links {
            let target = String(link.prefix { $0 != ":" })
            peers[target] = services[target]?.slots.map(\.name) ?? existing[target]?.map(\.spec.name)
        }
        return try ServiceTranslation(
            service: service, project: input.project, image: image, version: input.version,
            compatibilityNames: input.options.compatibilityNames, peers: peers)
    }

    /// A crash in the middle of a recreation leaves the new container under its temporary name: it goes if the old
    /// one is still there, and takes its place otherwise.
    private mutating func sortOutUnfinished(
        _ containers: [ObservedContainer], _ translation: ServiceTranslation
    ) -> [ObservedContainer] {
        let unfinished = containers.filter { Self.isUnfinished($0) }
        guard !unfinished.isEmpty else { return containers }
        var taken = Set(containers.filter { !Self.isUnfinished($0) }.compactMap(\.number))
        var kept: [ObservedContainer] = []
        for container in containers {
            guard Self.isUnfinished(container), let number = container.number, !taken.insert(number).inserted else {
                kept.append(container)
                continue
            }
            let name = translation.containerName(number: number)
            removals.append((container, .unfinished("unfinished replacement of \(name)")))
        }
        return kept
    }

    /// `<twelve digits>_<name>`
    static func isUnfinished(_ container: ObservedContainer) -> Bool {
        guard container.spec.labels[Label.replace] != nil, container.state == .created else { return false }
        let digits = container.spec.name.prefix { $0 != "_" }
        return digits.count == 12 && digits.allSatisfy(\.isHexDigit) && digits.count < container.spec.name.count
    }

    private func slot(for container: ObservedContainer, _ translation: ServiceTranslation) throws -> Slot {
        let number = container.number ?? 1
        let blueprint = translation.container(number: number)
        var slot = Slot(
            action: .keep, cause: .upToDate, current: container, blueprint: blueprint, name: container.spec.name,
            number: number)
        switch container.state {
        case .running, .paused: break
        case .created, .exited, .restarting, .dead:
            slot.action = .start
            slot.cause = .state(container.state)
        }
        if Self.isUnfinished(container) {
            slot.needsRename = true
            slot.name = blueprint.spec.name
        }
        return slot
    }

    /// Why a container has to be replaced; nil where it may stay. Fills in nothing.
    private func divergence(
        of container: ObservedContainer, _ blueprint: ContainerBlueprint?, _ service: Service
    ) throws -> Cause? {
        guard let blueprint else { return nil }
        if container.state == .dead { return .state(.dead) }
        if let cause = try staleReference(of: container, blueprint) { return cause }
        let isSelected = selected.contains(service.name)
        let policy = isSelected ? input.options.recreate : input.options.recreateDependencies
        if policy == .never { return nil }
        if policy == .force { return .forced }
        if isSelected, input.options.renewAnonymousVolumes { return .renewVolumes }
        let old = container.spec
        let new = blueprint.spec
        if old.labels[Label.configHash] != new.labels[Label.configHash] {
            return .configChanged(SpecDifference.describe(from: old, to: new))
        }
        if old.imageID != new.imageID { return .imageChanged(from: old.imageID, to: new.imageID) }
        let networks = Set(old.networks.map(\.network))
        if let missing = new.networks.first(where: { !networks.contains($0.network) }) {
            return .missing("network \(missing.network)")
        }
        let volumes = Set(old.mounts.compactMap(\.volumeName))
        if let missing = new.mounts.lazy.compactMap(\.volumeName).first(where: { !volumes.contains($0) }) {
            return .missing("volume \(missing)")
        }
        // The hash covers which secrets and configs are used, not what is in them.
        if old.files != new.files {
            return .configChanged(SpecDifference.describe(from: old, to: new))
        }
        return nil
    }

    private func staleReference(of container: ObservedContainer, _ blueprint: ContainerBlueprint) throws -> Cause? {
        guard !blueprint.references.isEmpty else { return nil }
        for (reference, recorded) in zip(blueprint.references, blueprint.recordedReferences(in: container.spec)) {
            // Another kind of mode than recorded: that is a change of configuration.
            guard let recorded else { continue }
            let attribute = reference.field.attribute
            guard let target = try slot(of: reference.service, for: attribute, by: blueprint.service) else { continue }
            if target.action == .create || target.action == .recreate {
                return .dependency("\(attribute): \(target.name) is replaced")
            }
            if target.current?.id != recorded {
                return .dependency("\(attribute): \(target.name) is not the container it was made with")
            }
        }
        return nil
    }

    /// The first container of a service that another one refers to.
    func slot(of service: String, for attribute: String, by user: String) throws -> Slot? {
        if let slot = services[service]?.slots.first { return slot }
        if let container = existing[service]?.first {
            return Slot(
                action: .keep, cause: .upToDate, current: container, name: container.spec.name,
                number: container.number ?? 1)
        }
        throw Failure("service \"\(user)\": \(attribute): service \"\(service)\" has no container")
    }

    // MARK: What follows from it

    /// Services that are not asked for but have running containers: they may have to be started anew.
    mutating func addBystanders() {
        guard !input.options.noDeps, scope.count < graph.order.count else { return }
        for (name, containers) in existing where services[name] == nil && input.project.services[name] != nil {
            let slots = containers.filter { $0.state == .running }.map {
                Slot(action: .keep, cause: .upToDate, current: $0, name: $0.spec.name, number: $0.number ?? 1)
            }
            if !slots.isEmpty { services[name] = ServiceState(slots: slots, isBystander: true) }
        }
    }

    /// Finds the containers that have to be stopped before, and started after, something that they are built upon
    /// changes: a network, the container whose namespace they share, a dependency with `restart: true`.
    mutating func spreadDisturbance() {
        for name in graph.order {
            guard var state = services[name] else { continue }
            let disturbed = graph.dependencies[name]?
                .filter { $0.value.restart && (services[$0.key]?.isDisturbed ?? false) }
                .keys.min()
            for index in state.slots.indices {
                let slot = state.slots[index]
                guard let container = slot.current, container.state == .running else { continue }
                let cause: Cause
                if let network = container.spec.networks.first(where: { changedNetworks.contains($0.network) }) {
                    cause = .dependency("network \(network.network) changed")
                } else if let disturbed {
                    cause = .dependency("\(disturbed) is replaced")
                } else if let target = restartedNamespace(of: slot) {
                    cause = .dependency("\(target) is started anew")
                } else {
                    continue
                }
                state.slots[index].stopsEarly = true
                if slot.action == .keep {
                    state.slots[index].action = .bounce
                    state.slots[index].cause = cause
                }
                state.isDisturbed = true
            }
            services[name] = state
        }
    }

    private func restartedNamespace(of slot: Slot) -> String? {
        for reference in slot.blueprint?.references ?? [] where reference.field.isNamespace {
            guard let target = services[reference.service]?.slots.first else { continue }
            if target.action == .start || target.action == .bounce { return target.name }
        }
        return nil
    }
}

extension ContainerSpec.MountSpec {
    var volumeName: String? { if case .volume(let name) = source { name } else { nil } }
}
