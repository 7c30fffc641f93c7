import ComposeFile

/// Networks and volumes.
extension UpPlanner {
    private var usedNetworks: [Network] {
        let all = input.project.networks
        guard !input.options.services.isEmpty else { return all.sorted { $0.key < $1.key }.map(\.value) }
        let keys = Set(scope.flatMap { name in input.project.services[name].map { Array($0.networks.keys) } ?? [] })
        return keys.sorted().compactMap { all[$0] }
    }

    private var usedVolumes: [Volume] {
        let all = input.project.volumes
        guard !input.options.services.isEmpty else { return all.sorted { $0.key < $1.key }.map(\.value) }
        let keys = Set(
            scope.flatMap { name in
                (input.project.services[name]?.volumes ?? []).compactMap { $0.kind == .volume ? $0.source : nil }
            })
        return keys.sorted().compactMap { all[$0] }
    }

    mutating func decideNetworks() throws {
        let own = Dictionary(input.observed.networks.map { ($0.name, $0) }) { first, _ in first }
        for network in usedNetworks {
            let found = own[network.name] ?? input.foreignNetworks[network.name]
            if network.external {
                guard found != nil else {
                    throw Failure("network \(network.name) declared as external, but could not be found")
                }
                continue
            }
            let spec = ResourceTranslation.network(network, project: input.project, version: input.version)
            guard let found else {
                missingNetworks.append((spec, .missing("network")))
                continue
            }
            guard found.labels[Label.project] == input.project.name else {
                let owner = found.labels[Label.project].map { _ in "for project \"\(input.project.name)\"" }
                warnings.append(
                    "a network with name \(network.name) exists but was not created \(owner ?? "by compose").\n"
                        + "Set `external: true` to use an existing network")
                continue
            }
            if let key = found.labels[Label.network], key != network.key {
                throw Failure(
                    "network \(network.name) was found but has incorrect label \(Label.network) set to \"\(key)\" "
                        + "(expected: \"\(network.key)\")")
            }
            if let hash = found.labels[Label.configHash], hash != spec.labels[Label.configHash] {
                changedNetworks.insert(network.name)
                missingNetworks.append((spec, .configChanged([])))
            }
        }
    }

    mutating func decideVolumes() throws {
        let own = Dictionary(input.observed.volumes.map { ($0.name, $0) }) { first, _ in first }
        for volume in usedVolumes {
            let found = own[volume.name] ?? input.foreignVolumes[volume.name]
            if volume.external {
                guard found != nil else { throw Failure("external volume \"\(volume.name)\" not found") }
                continue
            }
            let spec = ResourceTranslation.volume(volume, project: input.project, version: input.version)
            guard let found else {
                missingVolumes.append((spec, .missing("volume")))
                continue
            }
            if let owner = found.labels[Label.project], owner != input.project.name {
                warnings.append(
                    "volume \"\(volume.name)\" already exists but was created for project \"\(owner)\" (expected "
                        + "\"\(input.project.name)\"). Use `external: true` to use an existing volume")
            } else if found.labels[Label.project] == nil {
                warnings.append(
                    "volume \"\(volume.name)\" already exists but was not created by Docker Compose. "
                        + "Use `external: true` to use an existing volume")
            } else if let hash = found.labels[Label.configHash], hash != spec.labels[Label.configHash] {
                warnings.append(
                    "volume \"\(volume.name)\" exists but doesn't match configuration in compose file. It is kept as "
                        + "it is, because making it anew would lose its data; remove it to have it made anew")
            }
        }
    }

    mutating func emitResources() {
        let stops = earlyStops.values.flatMap { $0 }
        for (spec, cause) in missingNetworks {
            var before: [Operation.ID] = []
            if changedNetworks.contains(spec.name) {
                let users = input.observed.containers.filter { $0.spec.networks.contains { $0.network == spec.name } }
                let ids = Set(users.map(\.id))
                let stopped =
                    stops.filter { ids.contains($0.key) }.map(\.value)
                    + users.compactMap { nameReleases[$0.spec.name] }
                before = [plan.add(.removeNetwork(name: spec.name), cause: cause, after: .init(required: stopped))]
            }
            networkOperations[spec.name] = plan.add(
                .createNetwork(spec), cause: cause, after: .init(required: before))
        }
        for (spec, cause) in missingVolumes {
            volumeOperations[spec.name] = plan.add(.createVolume(spec), cause: cause)
        }
    }
}
