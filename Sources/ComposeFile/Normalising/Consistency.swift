/// Rules across attributes and between services.
struct Consistency {
    let reporter: Reporter
    let selection: Selection

    func check(isNormalised: Bool) {
        let services = selection.services
        var containerNames: [String: (service: String, mark: Mark)] = [:]
        for entry in services.entries.sorted(by: { $0.key < $1.key }) {
            guard let service = entry.value.mapping else { continue }
            let checker = ServiceConsistency(
                reporter: reporter, selection: selection, name: entry.key, service: service, mark: entry.keyMark)
            checker.check(services: services, refersToResources: isNormalised)
            if let node = service["container_name"], let name = node.string {
                if let other = containerNames[name] {
                    reporter.error(
                        "services.\(entry.key): container name \"\(name)\" is already in use by service \"\(other.service)\"",
                        at: node.mark, hint: "give each service a name of its own, or leave the name to Compose",
                        code: .duplicateContainerName,
                        notes: [.init(message: "service \"\(other.service)\" has it here", mark: other.mark)])
                }
                containerNames[name] = (entry.key, node.mark)
            }
        }
        for entry in selection.tree["secrets"]?.mapping ?? Mapping() where entry.value["external"]?.bool != true {
            if (entry.value["file"]?.string ?? "").isEmpty, (entry.value["environment"]?.string ?? "").isEmpty {
                reporter.error(
                    "secret \"\(entry.key)\" must declare either `file` or `environment`", at: entry.keyMark,
                    hint: "or `external: true`")
            }
        }
        if let cycle = Dependencies.cycle(in: services) {
            let links = zip(cycle, cycle.dropFirst()).map { from, to -> Reporter.Note in
                let mark = services[from]?["depends_on"]?.mapping?.keyMark(of: to)
                return .init(message: "\"\(from)\" depends on \"\(to)\" here", mark: mark ?? .none)
            }
            reporter.error(
                "dependency cycle detected: \(cycle.joined(separator: " -> "))", at: links[0].mark,
                hint: "remove one of these dependencies: none of the services could start before the others",
                code: .dependencyCycle, notes: Array(links.dropFirst()))
        }
    }
}

enum Dependencies {
    /// The names along a cycle, its first again at the end; nil if there is none.
    static func cycle(in services: Mapping) -> [String]? {
        var finished: Set<String> = []
        var edges: [String: [String]] = [:]
        for entry in services {
            edges[entry.key] = (entry.value["depends_on"]?.mapping ?? Mapping()).map(\.key).filter {
                services[$0] != nil
            }
            .sorted()
        }
        for start in services.map(\.key).sorted() where !finished.contains(start) {
            // An explicit stack: a chain of services can be longer than the thread's.
            var path: [(name: String, next: Int)] = [(start, 0)]
            var onPath: Set<String> = [start]
            while let top = path.last {
                let targets = edges[top.name] ?? []
                guard top.next < targets.count else {
                    finished.insert(top.name)
                    onPath.remove(top.name)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let target = targets[top.next]
                if onPath.contains(target) {
                    let names = path.map(\.name)
                    return Array(names[(names.firstIndex(of: target) ?? 0)...]) + [target]
                }
                if !finished.contains(target) {
                    path.append((target, 0))
                    onPath.insert(target)
                }
            }
        }
        return nil
    }
}
