/// A normalised tree with its services split into those that take part and those whose profiles are not active.
struct Selection {
    var tree: Node
    private(set) var disabled: Mapping

    init(tree: Node, options: LoadOptions, environment: [String: String]) {
        var profiles = options.profiles
        if profiles.isEmpty, let list = environment["COMPOSE_PROFILES"] {
            profiles = list.split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
        }
        // None given is the profile without a name.
        let active = Set(profiles.isEmpty ? [""] : profiles)
        var enabled = Mapping()
        disabled = Mapping()
        for entry in tree["services"]?.mapping ?? Mapping() {
            // Text that was not interpolated does not tell which profiles it names.
            if options.noInterpolate || Self.isEnabled(entry.value, by: active) {
                enabled.set(entry.key, entry.value, keyMark: entry.keyMark)
            } else {
                disabled.set(entry.key, entry.value, keyMark: entry.keyMark)
            }
        }
        self.tree = tree
        services = enabled
    }

    private static func isEnabled(_ service: Node, by active: Set<String>) -> Bool {
        let own = service["profiles"]?.sequence?.compactMap(\.string) ?? []
        return own.isEmpty || active.contains("*") || own.contains(where: active.contains)
    }

    /// Enables the named services, and with them all that their profiles enable.
    mutating func enable(_ names: [String]) {
        var active: Set<String> = []
        for name in names { active.formUnion(disabled[name]?["profiles"]?.sequence?.compactMap(\.string) ?? []) }
        guard !active.isEmpty else { return }
        var all = services
        for entry in disabled where Self.isEnabled(entry.value, by: active) {
            all.set(entry.key, entry.value, keyMark: entry.keyMark)
        }
        disabled.removeAll { all[$0.key] != nil }
        services = all
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

    /// Leaves out dependencies on services that take no part.
    mutating func dropMissingDependencies() {
        var all = services
        let present = all
        all.mapValues { _, node in
            guard case .mapping(var service) = node.value, case .mapping(var names)? = service["depends_on"]?.value
            else { return }
            names.removeAll { present[$0.key] == nil }
            service.set("depends_on", Node(.mapping(names), at: service["depends_on"]?.mark ?? .none))
            node.value = .mapping(service)
        }
        services = all
    }

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
