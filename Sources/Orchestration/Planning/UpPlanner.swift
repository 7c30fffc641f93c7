import ComposeFile

/// Plans `up` and `create` in two steps: first decide for every container what becomes of it, dependencies before
/// dependants, then put the operations into a graph.
struct UpPlanner {
    let input: PlannerInput
    let graph: DependencyGraph
    /// Services worked on, in dependency order.
    let scope: [String]
    let selected: Set<String>
    /// Observed containers by service, without one-offs.
    let existing: [String: [ObservedContainer]]

    var services: [String: ServiceState] = [:]
    var warnings: [String] = []
    var removals: [(container: ObservedContainer, cause: Cause)] = []
    /// Names of networks that have to be made anew, and those to be made.
    var changedNetworks: Set<String> = []
    var missingNetworks: [(spec: NetworkSpec, cause: Cause)] = []
    var missingVolumes: [(spec: VolumeSpec, cause: Cause)] = []

    var plan = Plan()
    var networkOperations: [String: Operation.ID] = [:]
    var volumeOperations: [String: Operation.ID] = [:]
    var orphanOperations: [Operation.ID] = []
    /// Operations that free a host port or a container name.
    var portReleases: [PortKey: [Operation.ID]] = [:]
    var nameReleases: [String: Operation.ID] = [:]
    var waits: [WaitKey: Operation.ID] = [:]
    /// Stop operations of containers that are stopped before something beneath them changes, by service.
    var earlyStops: [String: [ContainerID: Operation.ID]] = [:]

    struct WaitKey: Hashable {
        var service: String
        var completed: Bool
    }

    /// What becomes of one service's containers.
    struct ServiceState {
        var slots: [Slot] = []
        /// Containers of it are replaced or started anew, so that what depends on it with `restart` has to be, too.
        var isDisturbed = false
        /// Not asked for: its containers are only stopped and started again where something beneath them changes.
        var isBystander = false
    }

    struct Slot {
        enum Action { case keep, start, create, recreate, bounce }
        var action: Action
        var cause: Cause
        var current: ObservedContainer?
        var blueprint: ContainerBlueprint?
        var name: String
        var number: Int
        var needsRename = false
        /// Stopped before something beneath it changes.
        var stopsEarly = false
        var makeOperation: Operation.ID?
        var startOperation: Operation.ID?

        func target(service: String) -> ContainerTarget {
            let identity: ContainerTarget.Identity =
                switch (action, current, makeOperation) {
                case (.create, _, let operation?), (.recreate, _, let operation?): .madeBy(operation)
                case (_, let current?, _): .existing(current.id)
                default: preconditionFailure("container \(name) has neither an id nor an operation that makes it")
                }
            return ContainerTarget(identity, name: name, service: service, number: number)
        }
    }

    init(_ input: PlannerInput) throws {
        self.input = input
        graph = try DependencyGraph(project: input.project)
        scope = try input.scope(in: graph)
        selected = input.options.services.isEmpty ? Set(scope) : Set(input.options.services)
        var existing: [String: [ObservedContainer]] = [:]
        for container in input.observed.containers where !container.isOneOff {
            if let service = container.service { existing[service, default: []].append(container) }
        }
        self.existing = existing.mapValues {
            $0.sorted { ($0.number ?? 0, $0.createdAt) < ($1.number ?? 0, $1.createdAt) }
        }
    }

    mutating func make() throws -> Plan {
        try decideNetworks()
        try decideVolumes()
        for name in scope { try decide(name) }
        addBystanders()
        spreadDisturbance()
        emitRemovals()
        emitEarlyStops()
        emitResources()
        for name in graph.order { if services[name] != nil { try emit(name) } }
        if input.options.wait, !input.options.noStart { emitFinalWaits() }
        plan.warnings = warnings
        return plan
    }

    /// Containers of the project whose service the file does not have, and one-offs that have ended.
    static func orphans(of project: Project, in observed: ObservedProject) -> [ObservedContainer] {
        observed.containers.filter { container in
            if container.isOneOff { return container.state != .running }
            guard let service = container.service else { return true }
            return project.services[service] == nil && project.disabledServices[service] == nil
        }
    }

    static func orphanWarning(_ orphans: [ObservedContainer]) -> String {
        let names = orphans.map(\.spec.name).sorted().joined(separator: " ")
        return "Found orphan containers ([\(names)]) for this project. If you removed or renamed this service in your "
            + "compose file, you can run this command with the --remove-orphans flag to clean it up."
    }

    func stopOptions(_ service: String?) -> StopOptions {
        StopOptions(
            timeout: input.options.timeout, hooks: service.flatMap { input.project.services[$0]?.preStop } ?? [])
    }
}

/// A host port as far as two containers can quarrel over it.
struct PortKey: Hashable {
    var port: String
    var `protocol`: String

    static func keys(_ spec: ContainerSpec) -> [PortKey] {
        spec.ports.compactMap { $0.published.isEmpty ? nil : PortKey(port: $0.published, protocol: $0.protocol) }
    }
}
