public import ComposeFile

/// What the planners of commands that work on existing containers share.
struct LifecyclePlanner {
    let project: Project?
    let graph: DependencyGraph
    /// Containers by service, one-offs apart.
    let containers: [String: [ObservedContainer]]
    let oneOffs: [ObservedContainer]
    var plan = Plan()

    /// Dependencies are the project's; for services it does not have, and without a project, those in the labels.
    init(project: Project?, observed: ObservedProject) throws {
        self.project = project
        var services = try DependencyGraph(containers: observed.containers).dependencies
        if let project {
            for (name, service) in project.services { services[name] = service.dependsOn }
        }
        graph = try DependencyGraph(services)
        let sorted = observed.containers.sorted { ($0.number ?? 0, $0.spec.name) < ($1.number ?? 0, $1.spec.name) }
        containers = Dictionary(grouping: sorted.filter { !$0.isOneOff }) { $0.service ?? "" }
        oneOffs = sorted.filter(\.isOneOff)
    }

    /// The services a command is about: those named, or all that the project has, or all that exist.
    func selection(_ names: [String]) throws -> Set<String> {
        if names.isEmpty {
            guard let project else { return Set(graph.order) }
            return Set(project.services.keys)
        }
        for name in names where graph.dependencies[name] == nil { throw Failure("no such service: \(name)") }
        return Set(names)
    }

    func stopOptions(_ service: String, _ timeout: Duration?) -> StopOptions {
        StopOptions(timeout: timeout, hooks: project?.services[service]?.preStop ?? [])
    }

    func isStoppable(_ container: ObservedContainer) -> Bool {
        switch container.state {
        case .running, .restarting, .paused: true
        case .created, .exited, .dead: false
        }
    }

    /// Stops what runs of these services, dependants first, replicas at once. Returns the operations by container.
    mutating func stop(
        _ services: Set<String>, timeout: Duration?, cause: Cause
    ) -> [ContainerID: Operation.ID] {
        var byContainer: [ContainerID: Operation.ID] = [:]
        var byService: [String: [Operation.ID]] = [:]
        let stopping = services.filter { containers[$0]?.contains(where: isStoppable) ?? false }
        let dependants = graph.nearestDependants(within: stopping)
        for service in graph.order.reversed() where stopping.contains(service) {
            let before = (dependants[service] ?? []).flatMap { byService[$0] ?? [] }
            for container in containers[service] ?? [] where isStoppable(container) {
                let id = plan.add(
                    .stop(ContainerTarget(container), options: stopOptions(service, timeout)), cause: cause,
                    after: .init(required: before))
                byService[service, default: []].append(id)
                byContainer[container.id] = id
            }
        }
        return byContainer
    }
}

extension Planner {
    /// - Throws: ``Failure`` for an unknown service and a dependency cycle.
    public static func stop(
        project: Project?, observed: ObservedProject, services: [String], timeout: Duration?
    ) throws -> Plan {
        var planner = try LifecyclePlanner(project: project, observed: observed)
        _ = planner.stop(try planner.selection(services), timeout: timeout, cause: .command("stop"))
        return planner.plan
    }

    /// Starts existing containers in dependency order, dependencies included and their conditions honoured.
    /// - Throws: ``Failure`` where a service has no container.
    public static func start(
        project: Project?, observed: ObservedProject, services: [String], wait: Bool = false
    ) throws -> Plan {
        let planner = try LifecyclePlanner(project: project, observed: observed)
        let selected = planner.graph.closure(of: try planner.selection(services))
        var starter = Starter(planner: planner, cause: .command("start"))
        for service in planner.graph.order where selected.contains(service) {
            let existing = planner.containers[service] ?? []
            if existing.isEmpty {
                // Without a file a dependency may be known by name only.
                if let project, project.services[service]?.replicas != 0 {
                    throw Failure("service \"\(service)\" has no container to start")
                }
                continue
            }
            starter.start(service, existing.filter { $0.state != .running && $0.state != .paused })
        }
        if wait { starter.waitForAll(planner.graph.order.filter(selected.contains)) }
        return starter.planner.plan
    }

    /// Restarts containers in dependency order; dependants follow where their dependency says `restart: true`.
    public static func restart(
        project: Project?, observed: ObservedProject, services: [String], timeout: Duration?, noDeps: Bool
    ) throws -> Plan {
        let planner = try LifecyclePlanner(project: project, observed: observed)
        var selected = try planner.selection(services)
        if !noDeps { selected = planner.graph.dependantClosure(of: selected) { $0.restart } }
        var starter = Starter(planner: planner, cause: .command("restart"))
        starter.onlyRestartDependencies = true
        for service in planner.graph.order where selected.contains(service) {
            starter.restart(service, planner.containers[service] ?? [], timeout: timeout)
        }
        return starter.planner.plan
    }

    /// Signals running containers, one-offs too; with `removeOrphans`, orphans are killed and removed.
    public static func kill(
        project: Project?, observed: ObservedProject, services: [String], signal: String, removeOrphans: Bool
    ) throws -> Plan {
        var planner = try LifecyclePlanner(project: project, observed: observed)
        let selected = try planner.selection(services)
        for container in observed.containers.sorted(by: { $0.spec.name < $1.spec.name }) {
            guard container.state == .running, selected.contains(container.service ?? "") else { continue }
            planner.plan.add(.kill(ContainerTarget(container), signal: signal), cause: .command("kill"))
        }
        if removeOrphans, let project {
            for orphan in UpPlanner.orphans(of: project, in: observed) {
                var before: [Operation.ID] = []
                if planner.isStoppable(orphan) {
                    let options = StopOptions(timeout: .zero)
                    before = [planner.plan.add(.stop(ContainerTarget(orphan), options: options), cause: .orphan)]
                }
                planner.plan.add(
                    .remove(ContainerTarget(orphan), volumes: false), cause: .orphan, after: .init(required: before))
            }
        }
        if planner.plan.operations.isEmpty { planner.plan.warnings.append("no container to kill") }
        return planner.plan
    }

    /// Removes stopped containers, with `stop` also running ones; one-offs stay.
    public static func remove(
        project: Project?, observed: ObservedProject, services: [String], stop: Bool, volumes: Bool
    ) throws -> Plan {
        var planner = try LifecyclePlanner(project: project, observed: observed)
        let selected = try planner.selection(services)
        let stops = stop ? planner.stop(selected, timeout: nil, cause: .command("rm --stop")) : [:]
        for service in planner.graph.order.reversed() where selected.contains(service) {
            for container in planner.containers[service] ?? [] {
                let stopped = stops[container.id]
                guard stopped != nil || !planner.isStoppable(container) else { continue }
                planner.plan.add(
                    .remove(ContainerTarget(container), volumes: volumes), cause: .command("rm"),
                    after: stopped.map { [.init($0)] } ?? [])
            }
        }
        if planner.plan.operations.isEmpty { planner.plan.warnings.append("No stopped containers") }
        return planner.plan
    }
}

/// Adds starts and restarts, each after what the service depends on is as its condition says.
private struct Starter {
    var planner: LifecyclePlanner
    let cause: Cause
    /// `restart` looks at dependencies with `restart: true` only.
    var onlyRestartDependencies = false
    private var starts: [String: [Operation.ID]] = [:]
    private var waits: [String: Operation.ID] = [:]

    init(planner: LifecyclePlanner, cause: Cause) {
        self.planner = planner
        self.cause = cause
    }

    mutating func start(_ service: String, _ containers: [ObservedContainer]) {
        guard !containers.isEmpty else { return }
        let before = prerequisites(of: service)
        let hooks = planner.project?.services[service]?.postStart ?? []
        for container in containers {
            let id = planner.plan.add(
                .start(ContainerTarget(container), hooks: hooks), cause: cause, after: before)
            starts[service, default: []].append(id)
        }
    }

    mutating func restart(_ service: String, _ containers: [ObservedContainer], timeout: Duration?) {
        guard !containers.isEmpty else { return }
        let before = prerequisites(of: service)
        let hooks = planner.project?.services[service]?.postStart ?? []
        for container in containers {
            let id = planner.plan.add(
                .restart(
                    ContainerTarget(container), options: planner.stopOptions(service, timeout), hooks: hooks),
                cause: cause, after: before)
            starts[service, default: []].append(id)
        }
    }

    mutating func waitForAll(_ services: [String]) {
        let completing = Set(
            services.flatMap { name in
                (planner.graph.dependencies[name] ?? [:])
                    .filter { $0.value.condition == .completedSuccessfully }.map(\.key)
            })
        for service in services {
            guard let containers = planner.containers[service], !containers.isEmpty else { continue }
            planner.plan.add(
                .wait(
                    service: service, containers: containers.map { ContainerTarget($0) },
                    condition: completing.contains(service) ? .completedSuccessfully : .runningOrHealthy),
                cause: .command("--wait"), after: .init(required: starts[service] ?? []))
        }
    }

    private mutating func prerequisites(of service: String) -> [Operation.Prerequisite] {
        var result: [Operation.Prerequisite] = []
        for (name, terms) in (planner.graph.dependencies[service] ?? [:]).sorted(by: { $0.key < $1.key }) {
            if onlyRestartDependencies, !terms.restart || starts[name] == nil { continue }
            guard let containers = planner.containers[name], !containers.isEmpty else { continue }
            guard terms.condition != .started else {
                result += (starts[name] ?? []).map { .init($0, isRequired: terms.required) }
                continue
            }
            let condition: WaitCondition =
                terms.condition == .healthy ? .healthy : .completedSuccessfully
            let key = "\(name) \(condition.description)"
            let id =
                waits[key]
                ?? planner.plan.add(
                    .wait(service: name, containers: containers.map { ContainerTarget($0) }, condition: condition),
                    cause: .needed(by: service), after: .init(required: starts[name] ?? []))
            waits[key] = id
            result.append(.init(id, isRequired: terms.required))
        }
        return result
    }
}
