import ComposeFile

/// Who needs whom among the services of a project.
struct DependencyGraph {
    /// By name of the dependant, then of the dependency. Only services that exist.
    private(set) var dependencies: [String: [String: Dependency]] = [:]
    private(set) var dependants: [String: [String]] = [:]
    /// Every service after those that it depends on; equals by name.
    let order: [String]

    init(_ services: [String: [String: Dependency]]) throws {
        for (name, all) in services {
            let known = all.filter { services[$0.key] != nil && $0.key != name }
            dependencies[name] = known
            for dependency in known.keys { dependants[dependency, default: []].append(name) }
        }
        order = try Self.sort(dependencies, dependants)
    }

    init(project: Project) throws { try self.init(project.services.mapValues(\.dependsOn)) }

    /// Rebuilt from the labels of what exists, where there is no file.
    init(containers: [ObservedContainer]) throws {
        var services: [String: [String: Dependency]] = [:]
        for container in containers {
            guard let service = container.service else { continue }
            let parsed = Self.parse(container.spec.labels[Label.dependsOn] ?? "")
            services[service, default: [:]].merge(parsed) { first, _ in first }
        }
        try self.init(services)
    }

    /// `db:service_healthy:false,cache:service_started:true`
    static func parse(_ label: String) -> [String: Dependency] {
        var result: [String: Dependency] = [:]
        for entry in label.split(separator: ",") {
            let parts = entry.split(separator: ":").map(String.init)
            guard let name = parts.first else { continue }
            var dependency = Dependency()
            if parts.count > 1, let condition = Dependency.Condition(rawValue: parts[1]) {
                dependency.condition = condition
            }
            dependency.restart = parts.count > 2 && parts[2] == "true"
            result[name] = dependency
        }
        return result
    }

    private static func sort(
        _ dependencies: [String: [String: Dependency]], _ dependants: [String: [String]]
    ) throws -> [String] {
        var missing = dependencies.mapValues(\.count)
        var ready = missing.filter { $0.value == 0 }.keys.sorted()
        var order: [String] = []
        order.reserveCapacity(dependencies.count)
        while !ready.isEmpty {
            order += ready
            var next: [String] = []
            for name in ready {
                for dependant in dependants[name] ?? [] {
                    missing[dependant]! -= 1
                    if missing[dependant] == 0 { next.append(dependant) }
                }
            }
            ready = next.sorted()
        }
        if order.count < dependencies.count {
            throw Failure("dependency cycle detected: " + cycle(dependencies, order))
        }
        return order
    }

    private static func cycle(_ dependencies: [String: [String: Dependency]], _ done: [String]) -> String {
        let done = Set(done)
        var path: [String] = []
        var name = dependencies.keys.filter { !done.contains($0) }.min()
        while let current = name {
            if let start = path.firstIndex(of: current) {
                return (path[start...] + [current]).joined(separator: " -> ")
            }
            path.append(current)
            name = dependencies[current]?.keys.filter { !done.contains($0) }.min()
        }
        return path.joined(separator: " -> ")
    }

    /// The services and everything that they depend on.
    func closure(of names: some Sequence<String>) -> Set<String> {
        reach(from: names) { dependencies[$0].map { Array($0.keys) } ?? [] }
    }

    /// The services and everything that depends on them, through edges that `follow` accepts.
    func dependantClosure(
        of names: some Sequence<String>, where follow: (Dependency) -> Bool = { _ in true }
    ) -> Set<String> {
        reach(from: names) { name in
            (dependants[name] ?? []).filter { dependencies[$0]?[name].map(follow) ?? false }
        }
    }

    private func reach(from names: some Sequence<String>, _ edges: (String) -> [String]) -> Set<String> {
        var seen = Set(names)
        var queue = Array(seen)
        while let name = queue.popLast() {
            for next in edges(name) where seen.insert(next).inserted { queue.append(next) }
        }
        return seen
    }

    /// For each service, those of `selection` that directly depend on it, or do so through others not selected.
    func nearestDependants(within selection: Set<String>) -> [String: Set<String>] {
        var result: [String: Set<String>] = [:]
        for name in order.reversed() {
            var nearest: Set<String> = []
            for dependant in dependants[name] ?? [] {
                if selection.contains(dependant) {
                    nearest.insert(dependant)
                } else {
                    nearest.formUnion(result[dependant] ?? [])
                }
            }
            result[name] = nearest
        }
        return result
    }
}
