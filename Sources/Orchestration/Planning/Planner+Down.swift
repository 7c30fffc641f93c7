public import ComposeFile

extension Planner {
    /// Stops and removes containers, dependants first, then the networks that nobody uses any more, and on request
    /// volumes and images. Containers of services whose profile is not active are left alone, with the networks
    /// and volumes they are on.
    /// - Parameter project: nil where there is no file: everything that exists is taken down.
    /// - Throws: ``Failure`` for an unknown service.
    public static func down(
        project: Project?, name: String, observed: ObservedProject, options: DownOptions
    ) throws -> Plan {
        var planner = try LifecyclePlanner(project: project, observed: observed)
        let selected = try downSelection(planner, project: project, options: options)
        let isWhole = options.services.isEmpty
        var services = selected
        if isWhole {
            let orphans = planner.containers.keys.filter { service in
                guard let project else { return false }
                return project.services[service] == nil && project.disabledServices[service] == nil
            }
            if options.removeOrphans {
                services.formUnion(orphans)
            } else if !orphans.isEmpty, !options.ignoreOrphans {
                planner.plan.warnings.append(
                    UpPlanner.orphanWarning(orphans.flatMap { planner.containers[$0] ?? [] }))
            }
        }
        let removals = planner.takeDown(services, selected: selected, oneOffs: isWhole, options: options)
        let remaining = observed.containers.filter { removals[$0.id] == nil }
        planner.removeNetworks(observed, remaining: remaining, removals: removals)
        if options.volumes { planner.removeVolumes(observed, remaining: remaining, removals: removals) }
        planner.removeImages(observed, selected: selected, removals: removals, which: options.removeImages)
        if planner.plan.operations.isEmpty {
            planner.plan.warnings.append("No resource found to remove for project \"\(name)\".")
        }
        return planner.plan
    }

    private static func downSelection(
        _ planner: LifecyclePlanner, project: Project?, options: DownOptions
    ) throws -> Set<String> {
        if options.services.isEmpty { return try planner.selection([]) }
        return planner.graph.dependantClosure(of: try planner.selection(options.services))
    }
}

extension LifecyclePlanner {
    /// Returns the removing operation of each container.
    fileprivate mutating func takeDown(
        _ services: Set<String>, selected: Set<String>, oneOffs includesOneOffs: Bool, options: DownOptions
    ) -> [ContainerID: Operation.ID] {
        var removals: [ContainerID: Operation.ID] = [:]
        var stops = stop(services, timeout: options.timeout, cause: .command("down"))
        if includesOneOffs {
            for container in oneOffs where belongs(container, to: services) && isStoppable(container) {
                stops[container.id] = plan.add(
                    .stop(ContainerTarget(container), options: StopOptions(timeout: options.timeout)), cause: .oneOff)
            }
        }
        for service in graph.order.reversed() + (services.contains("") ? [""] : []) where services.contains(service) {
            for container in containers[service] ?? [] {
                removals[container.id] = plan.add(
                    .remove(ContainerTarget(container), volumes: options.volumes),
                    cause: selected.contains(service) ? .command("down") : .orphan,
                    after: stops[container.id].map { [.init($0)] } ?? [])
            }
        }
        if includesOneOffs {
            for container in oneOffs where belongs(container, to: services) {
                removals[container.id] = plan.add(
                    .remove(ContainerTarget(container), volumes: options.volumes), cause: .oneOff,
                    after: stops[container.id].map { [.init($0)] } ?? [])
            }
        }
        return removals
    }

    /// A one-off goes with its service; without a file, or where the service is gone for good, with the project.
    private func belongs(_ oneOff: ObservedContainer, to services: Set<String>) -> Bool {
        guard let project, let service = oneOff.service else { return true }
        return services.contains(service) || project.disabledServices[service] == nil
    }

    fileprivate mutating func removeNetworks(
        _ observed: ObservedProject, remaining: [ObservedContainer], removals: [ContainerID: Operation.ID]
    ) {
        let used = Set(remaining.flatMap { $0.spec.networks.map(\.network) })
        var users: [String: [Operation.ID]] = [:]
        for container in observed.containers {
            guard let removal = removals[container.id] else { continue }
            for attachment in container.spec.networks { users[attachment.network, default: []].append(removal) }
        }
        for network in observed.networks.sorted(by: { $0.name < $1.name }) {
            if used.contains(network.name) {
                plan.add(
                    .report(ProgressEvent(.network, network.name, .resourceInUse)), cause: .command("down"))
                continue
            }
            plan.add(
                .removeNetwork(name: network.name), cause: .command("down"),
                after: .init(required: users[network.name] ?? []))
        }
    }

    fileprivate mutating func removeVolumes(
        _ observed: ObservedProject, remaining: [ObservedContainer], removals: [ContainerID: Operation.ID]
    ) {
        let used = Set(remaining.flatMap { $0.spec.mounts.compactMap(\.volumeName) + $0.anonymousVolumes.values })
        var users: [String: [Operation.ID]] = [:]
        var goesWithContainer: Set<String> = []
        for container in observed.containers {
            guard let removal = removals[container.id] else { continue }
            goesWithContainer.formUnion(container.anonymousVolumes.values)
            for volume in container.spec.mounts.compactMap(\.volumeName) { users[volume, default: []].append(removal) }
        }
        for volume in observed.volumes.sorted(by: { $0.name < $1.name }) where !goesWithContainer.contains(volume.name)
        {
            if used.contains(volume.name) {
                plan.add(
                    .report(ProgressEvent(.volume, volume.name, .resourceInUse)), cause: .command("down --volumes"))
                continue
            }
            plan.add(
                .removeVolume(name: volume.name), cause: .command("down --volumes"),
                after: .init(required: users[volume.name] ?? []))
        }
    }

    /// `local`: only images that were built for a service without a name of their own.
    fileprivate mutating func removeImages(
        _ observed: ObservedProject, selected: Set<String>, removals: [ContainerID: Operation.ID],
        which: DownOptions.RemoveImages
    ) {
        guard which != .none else { return }
        var images: Set<String> = []
        if let project {
            for service in project.services.values where selected.contains(service.name) {
                if which == .local, service.image != nil || !service.hasBuild { continue }
                images.insert(ServiceTranslation.imageName(of: service, project: project))
            }
        } else if which == .all {
            images.formUnion(observed.containers.map(\.spec.image))
        }
        let before = removals.values.sorted()
        for image in images.sorted() {
            plan.add(
                .removeImage(image), cause: .command("down --rmi \(which.rawValue)"), after: .init(required: before))
        }
    }
}
