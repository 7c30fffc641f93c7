/// The rules of ``Consistency`` for one service.
struct ServiceConsistency {
    let reporter: Reporter
    let selection: Selection
    let name: String
    let service: Mapping
    let mark: Mark

    func check(services: Mapping, refersToResources: Bool) {
        checkSource()
        checkReferences(refersToResources)
        checkDependencies(services)
        checkHealth()
        checkLimits()
        checkTargets()
        for watch in service["develop"]?["watch"]?.sequence ?? [] {
            let action = watch["action"]?.string
            if action != "rebuild", action != "restart", watch["target"]?.string ?? "" == "" {
                error(
                    "services.\(name).develop.watch: target is required for non-rebuild actions", watch.mark,
                    hint: "add `target:`, the path in the container", code: .missingAttribute)
            }
        }
    }

    private func error(
        _ message: String, _ place: Mark? = nil, hint: String? = nil, code: DiagnosticCode = .conflictingAttributes,
        notes: [Reporter.Note] = []
    ) {
        reporter.error(message, at: place ?? mark, hint: hint, code: code, notes: notes)
    }

    private func place(of key: String) -> Mark { service.keyMark(of: key) ?? mark }

    private func checkSource() {
        let build = service["build"]
        if build == nil, service["provider"] == nil, service["image"]?.string ?? "" == "" {
            error(
                "service \"\(name)\" has neither an image nor a build context specified",
                hint: "give it `image:` or `build:`", code: .missingImage)
        }
        if let build {
            if build["dockerfile"]?.string ?? "" != "", build["dockerfile_inline"]?.string ?? "" != "" {
                error(
                    "service \"\(name)\" declares mutualy exclusive dockerfile and dockerfile_inline",
                    place(of: "build"), hint: "keep one of the two")
            }
            let platforms = build["platforms"]?.sequence?.compactMap(\.string) ?? []
            if let platform = service["platform"]?.string, !platforms.isEmpty, !platforms.contains(platform) {
                error(
                    "service.build.platforms MUST include service.platform \"\(platform)\"", place(of: "platform"),
                    hint: "add `\(platform)` to build.platforms")
            }
        }
        let replicas = service["scale"]?.int ?? service["deploy"]?["replicas"]?.int
        if let replicas, replicas < 0 {
            error(
                "services.\(name): replicas must be greater than or equal to 0",
                place(of: service["scale"] != nil ? "scale" : "deploy"), code: .outOfRange)
        }
        if let scale = service["scale"]?.int, let other = service["deploy"]?["replicas"]?.int, scale != other {
            error(
                "services.\(name): can't set distinct values on 'scale' and 'deploy.replicas'", place(of: "scale"),
                hint: "give it in one of the two places",
                notes: [.init(message: "deploy.replicas is \(other) here", mark: replicasMark)])
        }
        if let replicas, replicas > 1, service["container_name"] != nil {
            let attribute = service["scale"] != nil ? "scale" : "deploy.replicas"
            error(
                "services.\(name): can't set container_name and \(attribute) as container name must be unique",
                place(of: "container_name"), hint: "remove container_name: Compose numbers the containers",
                notes: [
                    .init(message: "\(attribute) is \(replicas) here", mark: service["scale"]?.mark ?? replicasMark)
                ])
        }
    }

    private var replicasMark: Mark { service["deploy"]?["replicas"]?.mark ?? .none }

    private func checkReferences(_ refersToResources: Bool) {
        if service["network_mode"]?.string ?? "" != "", service["networks"]?.mapping?.isEmpty == false {
            error(
                "service \(name) declares mutually exclusive `network_mode` and `networks`", place(of: "network_mode"),
                hint: "keep one of the two",
                notes: [.init(message: "networks are given here", mark: place(of: "networks"))])
        }
        func require(_ section: String, _ kind: String, _ target: String?, _ place: Mark) {
            guard let target, selection.resource(section, target) == nil else { return }
            let known = reporter.isFull ? [] : selection.tree[section]?.mapping?.map(\.key) ?? []
            let hint =
                Suggestion.nearest(to: target, among: known).map { "did you mean `\($0)`?" }
                ?? "declare it below the top-level `\(section)`: `\(target): {}`"
            error(
                "service \"\(name)\" refers to undefined \(kind) \(target)", place, hint: hint,
                code: .undefinedResource)
        }
        for network in service["networks"]?.mapping ?? Mapping() where refersToResources || network.key != "default" {
            require("networks", "network", network.key, network.keyMark)
        }
        for model in service["models"]?.mapping ?? Mapping() { require("models", "model", model.key, model.keyMark) }
        for mount in service["volumes"]?.sequence ?? [] where mount["type"]?.string == "volume" {
            if let source = mount["source"], source.string != "" {
                require("volumes", "volume", source.string, mount.mark)
            }
        }
        for use in service["configs"]?.sequence ?? [] {
            require("configs", "config", use["source"]?.string ?? "", use.mark)
        }
        for use in service["secrets"]?.sequence ?? [] {
            require("secrets", "secret", use["source"]?.string ?? "", use.mark)
        }
        for use in service["build"]?["secrets"]?.sequence ?? [] {
            require("secrets", "build secret", use["source"]?.string, use.mark)
        }
    }

    private func checkDependencies(_ services: Mapping) {
        for dependency in service["depends_on"]?.mapping ?? Mapping() where services[dependency.key] == nil {
            let isDisabled = selection.disabled[dependency.key] != nil
            if isDisabled, dependency.value["required"]?.bool == false { continue }
            let others = reporter.isFull ? [] : services.map(\.key).filter { $0 != name }
            var hint = Advice.spelling(dependency.key, among: others, kind: "services")
            var notes: [Reporter.Note] = []
            if isDisabled {
                hint = "its profiles are not active: enable one with --profile, or set `required: false`"
                notes = [.init(message: "it has profiles here", mark: selection.profilesMark(of: dependency.key))]
            }
            error(
                "service \"\(name)\" depends on undefined service \"\(dependency.key)\"", dependency.keyMark,
                hint: hint,
                code: .undefinedService, notes: notes)
        }
    }

    private func checkHealth() {
        if let test = service["healthcheck"]?["test"], let first = test.sequence?.first?.string,
            !["CMD", "CMD-SHELL", "NONE"].contains(first)
        {
            error(
                "healthcheck.test must start either by \"CMD\", \"CMD-SHELL\" or \"NONE\"", test.mark,
                hint: "write [\"CMD\", \"\(first)\", …], or one string for the shell",
                code: .notAChoice)
        }
    }

    private func checkLimits() {
        guard let resources = service["deploy"]?["resources"] else { return }
        func compare(_ key: String, _ group: String, _ deployKey: String) {
            guard let own = service[key], Self.value(own) != 0, let settings = resources[group], !settings.isNull,
                settings[deployKey]?.string == nil
            else { return }
            guard Self.value(own) != settings[deployKey].map(Self.value) ?? 0 else { return }
            error(
                "services.\(name): can't set distinct values on '\(key)' and 'deploy.resources.\(group).\(deployKey)'",
                place(of: key), hint: "give it in one of the two places",
                notes: settings[deployKey].map { [.init(message: "the other is here", mark: $0.mark)] } ?? [])
        }
        compare("cpus", "limits", "cpus")
        compare("mem_limit", "limits", "memory")
        compare("mem_reservation", "reservations", "memory")
        compare("pids_limit", "limits", "pids")
    }

    private static func value(_ node: Node) -> Double {
        switch node.value {
        case .int(let number): Double(number)
        // Held with 32 bits by the reference, so that 0.1 and "0.1" agree.
        case .float(let number): Double(Float(number))
        default: 0
        }
    }

    /// A volume cannot lie where a tmpfs or another volume does.
    private func checkTargets() {
        var seen: [String: (attribute: String, mark: Mark)] = [:]
        func claim(_ target: String, _ attribute: String, _ place: Mark) {
            guard let other = seen.updateValue((attribute, place), forKey: target) else { return }
            error(
                "services.\(name).\(attribute): target \(target) already mounted as services.\(name).\(other.attribute)",
                place, hint: "give one of the two another target", code: .duplicateTarget,
                notes: [.init(message: "the other is here", mark: other.mark)])
        }
        for (index, entry) in (service["tmpfs"]?.sequence ?? []).enumerated() {
            guard let text = entry.string else { continue }
            claim(String(text.prefix { $0 != ":" }), "tmpfs[\(index)]", entry.mark)
        }
        for (index, volume) in (service["volumes"]?.sequence ?? []).enumerated() {
            guard let target = volume["target"]?.string else { continue }
            claim(Paths.clean(target), "volumes[\(index)]", volume.mark)
        }
    }
}
