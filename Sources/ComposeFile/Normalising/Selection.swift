/// A normalised tree with its services split into those that take part and those whose profiles are not active.
struct Selection {
    var tree: Node
    private(set) var disabled: Mapping

    init(tree: Node, options: LoadOptions, environment: [String: String]) {
        var profiles = options.profiles
        if profiles.isEmpty, let list = environment["COMPOSE_PROFILES"] {
            profiles = list.split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
        }
        var active = Set(profiles)
        let all = tree["services"]?.mapping ?? Mapping()
        for name in options.services {
            for profile in all[name]?["profiles"]?.sequence ?? [] {
                if let text = profile.string { active.insert(text) }
            }
        }
        var enabled = Mapping()
        disabled = Mapping()
        for entry in all {
            let own = entry.value["profiles"]?.sequence?.compactMap(\.string) ?? []
            if own.isEmpty || active.contains("*") || own.contains(where: active.contains) {
                enabled.set(entry.key, entry.value, keyMark: entry.keyMark)
            } else {
                disabled.set(entry.key, entry.value, keyMark: entry.keyMark)
            }
        }
        self.tree = tree
        services = enabled
    }

    var services: Mapping {
        get { tree["services"]?.mapping ?? Mapping() }
        set {
            guard case .mapping(var top) = tree.value else { return }
            top.set("services", Node(.mapping(newValue), at: top["services"]?.mark ?? .none))
            tree.value = .mapping(top)
        }
    }

    /// For output: what the env files say is in the variables already.
    var treeWithoutServiceFiles: Node {
        var copy = self
        var services = services
        services.mapValues { _, node in
            guard case .mapping(var service) = node.value else { return }
            service.remove("env_file")
            node.value = .mapping(service)
        }
        copy.services = services
        return copy.tree
    }

    /// Where a service that is not active has its profiles.
    func profilesMark(of service: String) -> Mark { disabled[service]?["profiles"]?.mark ?? .none }

    func resource(_ section: String, _ name: String) -> Node? { tree[section]?[name] }

    /// Leaves only those networks, volumes, secrets, configs and models that a service uses.
    mutating func dropUnusedResources() {
        guard case .mapping(var top) = tree.value else { return }
        var used: [String: Set<String>] = [:]
        func use(_ section: String, _ name: String?) { if let name { used[section, default: []].insert(name) } }
        for entry in services {
            for network in entry.value["networks"]?.mapping ?? Mapping() { use("networks", network.key) }
            for model in entry.value["models"]?.mapping ?? Mapping() { use("models", model.key) }
            for mount in entry.value["volumes"]?.sequence ?? [] where mount["type"]?.string == "volume" {
                use("volumes", mount["source"]?.string)
            }
            for section in ["secrets", "configs"] {
                for reference in entry.value[section]?.sequence ?? [] { use(section, reference["source"]?.string) }
            }
            for secret in entry.value["build"]?["secrets"]?.sequence ?? [] { use("secrets", secret["source"]?.string) }
        }
        for section in ["networks", "volumes", "secrets", "configs", "models"] {
            guard let node = top[section], case .mapping(var resources) = node.value else { continue }
            resources.removeAll { used[section]?.contains($0.key) != true }
            top.set(section, Node(.mapping(resources), at: node.mark))
        }
        tree.value = .mapping(top)
    }
}
