extension Linter {
    mutating func checkDependencies() {
        let services = services
        var awaited: [String: (by: String, mark: Mark)] = [:]
        for entry in services {
            for dependency in entry.value["depends_on"]?.mapping ?? Mapping() {
                guard let target = services[dependency.key] else { continue }
                let condition = dependency.value["condition"]?.string ?? "service_started"
                let check = Self.healthcheck(of: target)
                switch condition {
                case "service_started": started(entry.key, dependency, check)
                case "service_healthy":
                    awaited[dependency.key] = awaited[dependency.key] ?? (entry.key, dependency.keyMark)
                    guard check == nil else { continue }
                    tell(
                        .healthyWithoutHealthcheck,
                        "service \"\(entry.key)\" waits until \"\(dependency.key)\" is healthy, which has no health check "
                            + "here",
                        at: dependency.keyMark,
                        hint: "give \"\(dependency.key)\" a `healthcheck:`, unless its image has one")
                default: continue
                }
            }
        }
        for (name, wait) in awaited.sorted(by: { $0.key < $1.key }) {
            guard let check = services[name].flatMap(Self.healthcheck) else { continue }
            checkPace(name, check, wait)
        }
    }

    /// nil where there is none, or where it is switched off.
    private static func healthcheck(of service: Node) -> Node? {
        guard let check = service["healthcheck"], !check.isNull, check["disable"]?.bool != true else { return nil }
        if check["test"]?.sequence?.first?.string == "NONE" { return nil }
        return check
    }

    private mutating func started(_ name: String, _ dependency: Mapping.Entry, _ check: Node?) {
        if let check {
            tell(
                .dependencyNotAwaited,
                "service \"\(name)\" starts as soon as \"\(dependency.key)\" has started, without waiting for its health "
                    + "check",
                at: dependency.keyMark,
                hint: "write `\(dependency.key): {condition: service_healthy}` below depends_on",
                notes: [.init(message: "the health check is here", mark: check.mark)])
        } else {
            tell(
                .dependencyWithoutHealthcheck,
                "service \"\(name)\" depends on \"\(dependency.key)\", which has no health check: started does not mean "
                    + "ready",
                at: dependency.keyMark,
                hint: "give \"\(dependency.key)\" a `healthcheck:` and wait for `condition: service_healthy`")
        }
    }

    /// The first check runs after the first interval: until then nobody who waits can start.
    private mutating func checkPace(_ name: String, _ check: Node, _ wait: (by: String, mark: Mark)) {
        let second: Int64 = 1_000_000_000
        let interval = check["interval"]?.int ?? 30 * second
        guard interval >= 30 * second, check["start_period"]?.int ?? 0 == 0 else { return }
        tell(
            .slowHealthcheck,
            "service \"\(wait.by)\" waits \(DurationText.format(interval)) at least for the first health check of "
                + "\"\(name)\"",
            at: check.mark, hint: "set a shorter `interval:`, or `start_period:` with `start_interval:`",
            notes: [.init(message: "it is waited for here", mark: wait.mark)])
    }
}
