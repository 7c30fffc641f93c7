/// Fills in what the files leave to be understood: the default network, names, implied dependencies, values
/// taken from the environment.
struct Normaliser {
    let projectName: String
    let environment: [String: String]
    let reporter: Reporter
    /// `scale` stands for `deploy.replicas`: not so where consistency is not looked at.
    var unitesReplicas = true

    /// Defaults that hold whether or not the rest is normalised.
    ///
    /// - Parameter everyDevice: the count that stands for all devices.
    static func fillDefaults(_ root: Node, everyDevice: Node.Value = .int(-1)) -> Node {
        guard case .mapping(var top) = root.value, case .mapping(var services)? = top["services"]?.value else {
            return root
        }
        services.mapValues { _, node in
            guard case .mapping(var service) = node.value else { return }
            defaults(of: &service, everyDevice)
            node.value = .mapping(service)
        }
        top.set("services", Node(.mapping(services), at: top["services"]?.mark ?? .none))
        return Node(.mapping(top), at: root.mark)
    }

    private static func defaults(of service: inout Mapping, _ everyDevice: Node.Value) {
        func each(_ key: String, _ body: (inout Mapping, Mark) -> Void) {
            guard let list = service[key], case .sequence(var items) = list.value else { return }
            for index in items.indices {
                guard case .mapping(var mapping) = items[index].value else { continue }
                body(&mapping, items[index].mark)
                items[index].value = .mapping(mapping)
            }
            service.set(key, Node(.sequence(items), at: list.mark))
        }
        func fill(_ mapping: inout Mapping, _ key: String, _ value: String, _ mark: Mark) {
            if mapping[key] == nil { mapping.set(key, Node(.string(value), at: mark)) }
        }
        each("ports") { port, mark in
            fill(&port, "protocol", "tcp", mark)
            fill(&port, "mode", "ingress", mark)
        }
        each("secrets") { secret, mark in
            if let source = secret["source"]?.string { fill(&secret, "target", "/run/secrets/\(source)", mark) }
        }
        func request(_ mapping: inout Mapping, _ mark: Mark) {
            if mapping["count"] == nil, mapping["device_ids"] == nil {
                mapping.set("count", Node(everyDevice, at: mark))
            }
        }
        each("gpus", request)
        if case .mapping(var build)? = service["build"]?.value, build["context"] == nil {
            let mark = service["build"]?.mark ?? .none
            build.set("context", Node(.string("."), at: mark))
            service.set("build", Node(.mapping(build), at: mark))
        }
        if case .mapping(var deploy)? = service["deploy"]?.value,
            case .mapping(var resources)? = deploy["resources"]?.value,
            case .mapping(var reservations)? = resources["reservations"]?.value,
            let devices = reservations["devices"], case .sequence(var items) = devices.value
        {
            for index in items.indices {
                guard case .mapping(var mapping) = items[index].value else { continue }
                request(&mapping, items[index].mark)
                items[index].value = .mapping(mapping)
            }
            reservations.set("devices", Node(.sequence(items), at: devices.mark))
            resources.set("reservations", Node(.mapping(reservations), at: devices.mark))
            deploy.set("resources", Node(.mapping(resources), at: devices.mark))
            service.set("deploy", Node(.mapping(deploy), at: devices.mark))
        }
    }

    func normalise(_ root: Node) -> Node {
        guard case .mapping(var top) = root.value else { return root }
        top.set("name", Node(.string(projectName)))
        var usesDefault = false
        if let section = top["services"], case .mapping(var services) = section.value {
            services.mapValues { _, node in
                guard case .mapping(var service) = node.value else { return }
                attachToDefault(&service, at: node.mark, used: &usesDefault)
                normalise(&service)
                node.value = .mapping(service)
            }
            top.set("services", Node(.mapping(services), at: section.mark))
        }
        var networks = top["networks"]?.mapping ?? Mapping()
        if usesDefault, networks["default"] == nil { networks.set("default", Node(.mapping(Mapping()))) }
        if !networks.isEmpty { top.set("networks", Node(.mapping(networks), at: top["networks"]?.mark ?? .none)) }
        for key in ["networks", "volumes", "configs", "secrets"] {
            guard let section = top[key], case .mapping(var resources) = section.value else { continue }
            resources.mapValues { name, node in setName(&node, key: name) }
            top.set(key, Node(.mapping(resources), at: section.mark))
        }
        return Node(.mapping(top), at: root.mark)
    }

    private func setName(_ node: inout Node, key: String) {
        var resource = node.mapping ?? Mapping()
        if resource["name"] == nil {
            let name = resource["external"]?.bool == true ? key : "\(projectName)_\(key)"
            resource.set("name", Node(.string(name), at: node.mark))
        }
        node.value = .mapping(resource)
    }

    private func attachToDefault(_ service: inout Mapping, at mark: Mark, used: inout Bool) {
        if service["provider"] != nil || service["network_mode"] != nil { return }
        let networks = service["networks"]?.mapping ?? Mapping()
        guard networks.isEmpty else {
            if networks["default"] != nil { used = true }
            return
        }
        var implied = Mapping()
        implied.set("default", Node(.null, at: mark))
        service.set("networks", Node(.mapping(implied), at: mark))
        used = true
    }

    private func normalise(_ service: inout Mapping) {
        if unitesReplicas, let scale = service["scale"], let node = service["deploy"],
            case .mapping(var deploy) = node.value, deploy["replicas"] == nil
        {
            deploy.set("replicas", scale)
            service.set("deploy", Node(.mapping(deploy), at: node.mark))
        }
        if service["pull_policy"]?.string == "if_not_present" {
            service.set("pull_policy", Node(.string("missing"), at: service["pull_policy"]?.mark ?? .none))
        }
        if let node = service["build"], case .mapping(var build) = node.value {
            if build["dockerfile"] == nil, build["dockerfile_inline"] == nil {
                build.set("dockerfile", Node(.string("Dockerfile"), at: node.mark))
            }
            if let arguments = build["args"] {
                build.set("args", Self.resolve(arguments, environment, keepsUnset: false))
            }
            service.set("build", Node(.mapping(build), at: node.mark))
        }
        if let variables = service["environment"] {
            service.set("environment", Self.resolve(variables, environment, keepsUnset: true))
        }
        if let volumes = service["volumes"], case .sequence(var items) = volumes.value {
            for index in items.indices {
                guard case .mapping(var mount) = items[index].value, let target = mount["target"]?.string else {
                    continue
                }
                mount.set("target", Node(.string(Paths.clean(target)), at: items[index].mark))
                items[index].value = .mapping(mount)
            }
            service.set("volumes", Node(.sequence(items), at: volumes.mark))
        }
        implyDependencies(&service)
    }

    /// Takes values that a mapping leaves open from the environment.
    static func resolve(_ node: Node, _ environment: [String: String], keepsUnset: Bool) -> Node {
        guard case .mapping(let mapping) = node.value, mapping.contains(where: { $0.value.isNull }) else { return node }
        var result = Mapping()
        for entry in mapping {
            if !entry.value.isNull {
                result.set(entry.key, entry.value, keyMark: entry.keyMark)
            } else if let value = environment[entry.key] {
                result.set(entry.key, Node(.string(value), at: entry.value.mark), keyMark: entry.keyMark)
            } else if keepsUnset {
                result.set(entry.key, entry.value, keyMark: entry.keyMark)
            }
        }
        return Node(.mapping(result), at: node.mark)
    }

    private func implyDependencies(_ service: inout Mapping) {
        var dependencies = service["depends_on"]?.mapping ?? Mapping()
        func imply(_ name: String, restart: Bool, _ mark: Mark) {
            guard dependencies[name] == nil else { return }
            var settings = Mapping()
            settings.set("condition", Node(.string("service_started"), at: mark))
            if restart { settings.set("restart", Node(.bool(true), at: mark)) }
            settings.set("required", Node(.bool(true), at: mark))
            dependencies.set(name, Node(.mapping(settings), at: mark))
        }
        for link in service["links"]?.sequence ?? [] {
            guard let text = link.string else { continue }
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            imply(parts.count == 2 ? String(parts[0]) : text, restart: true, link.mark)
        }
        for key in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
            guard let node = service[key], let text = node.string, text.hasPrefix("service:") else { continue }
            imply(String(text.dropFirst(8)), restart: true, node.mark)
        }
        for source in service["volumes_from"]?.sequence ?? [] {
            guard let text = source.string, !text.hasPrefix("container:") else { continue }
            imply(String(text.prefix { $0 != ":" }), restart: false, source.mark)
        }
        if !dependencies.isEmpty {
            service.set("depends_on", Node(.mapping(dependencies), at: service["depends_on"]?.mark ?? .none))
        }
    }
}
