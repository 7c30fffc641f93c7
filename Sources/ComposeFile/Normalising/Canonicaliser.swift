/// Turns short forms into long ones. Applied to a tree that is canonical already, it changes nothing.
struct Canonicaliser {
    let reporter: Reporter
    /// With uninterpolated text, what cannot be parsed stays as it is.
    var isLenient = false
    /// Mappings and lists of pairs stay what they are: only interpolated text has a type to give them.
    var keepsPairs = false

    func canonicalise(_ root: Node) -> Node {
        guard case .mapping(var top) = root.value else { return root }
        top.mapValues { key, section in
            guard case .mapping(var members) = section.value else { return }
            switch key {
            case "services":
                members.mapValues { name, node in service(&node, path: "services.\(name)") }
            case "networks", "volumes", "secrets", "configs":
                members.mapValues { name, node in
                    external(&node, path: "\(key).\(name)")
                    general(&node, Schema.project.member(key)?.values)
                }
            default: return
            }
            section.value = .mapping(members)
        }
        return Node(.mapping(top), at: root.mark)
    }

    /// What the table alone decides: pairs, hosts, names and lists in place of single strings.
    private func general(_ node: inout Node, _ rule: Rule?) {
        guard let rule else { return }
        switch rule.traits.merge {
        case .keyValues: if !keepsPairs, let pairs = Forms.pairs(node) { node.value = .mapping(pairs) }
        case .hosts: if let hosts = Forms.hosts(node) { node.value = .sequence(hosts) }
        case .names: if let names = Forms.names(node) { node.value = .mapping(names) }
        case .dependsOn: if let names = Forms.dependencies(node) { node.value = .mapping(names) }
        case .concatenate: if let list = Forms.list(node) { node.value = .sequence(list) }
        case .build: if let build = Forms.build(node) { node.value = .mapping(build) }
        case .natural, .replace, .logging, .pools: break
        }
        switch node.value {
        case .mapping(var mapping):
            mapping.mapValues { key, value in general(&value, rule.member(key)) }
            node.value = .mapping(mapping)
        case .sequence(var items):
            guard rule.item?.fields != nil else { return }
            for index in items.indices { general(&items[index], rule.item) }
            node.value = .sequence(items)
        default: return
        }
    }

    private func service(_ node: inout Node, path: String) {
        guard case .mapping(var attributes) = node.value else { return }
        attributes.mapValues { key, value in
            switch key {
            case "ports": ports(&value, path: path)
            case "volumes": each(&value) { volume(&$0) }
            case "devices": each(&value) { device(&$0) }
            case "secrets", "configs": each(&value) { reference(&$0, isSecret: key == "secrets") }
            case "env_file": envFiles(&value)
            case "gpus": gpus(&value)
            case "environment": if !isLenient { checkNames(value, path: "\(path).environment") }
            case "build": if !isLenient { checkNames(value["args"], path: "\(path).build.args") }
            default: break
            }
            // The reference gives these their long form with their type, which needs the values.
            if keepsPairs, ["dns_search", "tmpfs", "extra_hosts"].contains(key) { return }
            general(&value, Schema.service.member(key))
            switch key {
            case "build":
                if case .mapping(var build) = value.value, var secrets = build["secrets"] {
                    each(&secrets) { reference(&$0, isSecret: false) }
                    build.set("secrets", secrets)
                    value.value = .mapping(build)
                }
            case "deploy": deviceRequests(&value)
            case "depends_on": dependencies(&value)
            // A server that a variable left empty is none.
            case "dns":
                if let servers = value.sequence { value.value = .sequence(servers.filter { $0.string != "" }) }
            default: break
            }
        }
        node.value = .mapping(attributes)
    }

    /// `NAME =value` in a list is a slip of the pen.
    private func checkNames(_ node: Node?, path: String) {
        for item in node?.sequence ?? [] {
            guard let name = item.string?.prefix(while: { $0 != "=" }), name.hasSuffix(" ") else { continue }
            reporter.error(
                "\(path): environment variable \(name) is declared with a trailing space", at: item.mark,
                hint: "write NAME=value without blanks around the sign")
        }
    }

    private func each(_ node: inout Node, _ body: (inout Node) -> Void) {
        guard case .sequence(var items) = node.value else { return }
        for index in items.indices { body(&items[index]) }
        node.value = .sequence(items)
    }

    private func ports(_ node: inout Node, path: String) {
        guard let items = node.sequence else { return }
        var result: [Node] = []
        for item in items {
            switch item.value {
            case .int(let number):
                guard (1...65535).contains(number) else {
                    reporter.error(
                        "\(path).ports: invalid containerPort: \(number)", at: item.mark,
                        hint: "ports are from 1 to 65535")
                    continue
                }
                var port = Mapping()
                port.set("target", Node(.int(number), at: item.mark))
                result.append(Node(.mapping(port), at: item.mark))
            case .string(let text):
                do throws(PortSpec.Failure) {
                    let ports = try PortSpec.parse(text)
                    // Each port becomes a mapping with about five values, with names and texts of their own.
                    if ports.count > 1, let problem = reporter.budget.take(ports.count * 10, of: .madeNodes) {
                        return reporter.error(problem, at: item.mark, code: .tooLarge)
                    }
                    result += ports.map { Self.node(of: $0, at: item.mark) }
                } catch {
                    if isLenient { return }
                    reporter.error(
                        "\(path).ports: \(error.text)", at: item.mark, hint: error.hint ?? Advice.port(text),
                        code: .invalidPort)
                }
            case .mapping: result.append(item)
            default: reporter.error("\(path).ports: a port cannot be \(item.kindName)", at: item.mark, code: .wrongType)
            }
        }
        node.value = .sequence(result)
    }

    private static func node(of port: PortSpec.Entry, at mark: Mark) -> Node {
        var result = Mapping()
        result.set("mode", Node(.string("ingress"), at: mark))
        if !port.hostIP.isEmpty { result.set("host_ip", Node(.string(port.hostIP), at: mark)) }
        result.set("target", Node(.int(Int64(port.target)), at: mark))
        if !port.published.isEmpty { result.set("published", Node(.string(port.published), at: mark)) }
        result.set("protocol", Node(.string(port.protocol), at: mark))
        return Node(.mapping(result), at: mark)
    }

    private func volume(_ node: inout Node) {
        guard let text = node.string else { return }
        do throws(VolumeSpec.Failure) {
            node = try VolumeSpec.parse(text).node(at: node.mark)
        } catch {
            if !isLenient {
                reporter.error(
                    error.text, at: node.mark, hint: "write [SOURCE:]TARGET[:OPTIONS], or the long form with `type:`",
                    code: .invalidVolume)
            }
        }
    }

    private func device(_ node: inout Node) {
        guard let text = node.string else { return }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 3 else {
            if !isLenient {
                reporter.error(
                    "confusing device mapping, please use long syntax: \(text)", at: node.mark,
                    hint: "write HOST[:CONTAINER[:PERMISSIONS]], or the long form with `source:`")
            }
            return
        }
        var result = Mapping()
        result.set("source", Node(.string(parts[0]), at: node.mark))
        result.set("target", Node(.string(parts.count > 1 ? parts[1] : parts[0]), at: node.mark))
        result.set("permissions", Node(.string(parts.count > 2 ? parts[2] : "rwm"), at: node.mark))
        node.value = .mapping(result)
    }

    private func reference(_ node: inout Node, isSecret: Bool) {
        guard let name = node.string else { return }
        var result = Mapping()
        result.set("source", Node(.string(name), at: node.mark))
        if isSecret { result.set("target", Node(.string("/run/secrets/\(name)"), at: node.mark)) }
        node.value = .mapping(result)
    }

    private func dependencies(_ node: inout Node) {
        guard case .mapping(var names) = node.value else { return }
        names.mapValues { _, dependency in
            guard case .mapping(var settings) = dependency.value, settings["required"] == nil else { return }
            settings.set("required", Node(.bool(true), at: dependency.mark))
            dependency.value = .mapping(settings)
        }
        node.value = .mapping(names)
    }

    private func envFiles(_ node: inout Node) {
        guard let files = Forms.list(node) else { return }
        node.value = .sequence(
            files.map { file in
                var settings: Mapping
                if file.string != nil {
                    settings = Mapping()
                    settings.set("path", file)
                } else if let mapping = file.mapping {
                    settings = mapping
                } else {
                    return file
                }
                if settings["required"] == nil { settings.set("required", Node(.bool(true), at: file.mark)) }
                return Node(.mapping(settings), at: file.mark)
            })
    }

    private func gpus(_ node: inout Node) {
        if node.string == "all" {
            var all = Mapping()
            all.set("count", keepsPairs ? node : Node(.int(-1), at: node.mark))
            node.value = .sequence([Node(.mapping(all), at: node.mark)])
        }
        each(&node) { request(&$0) }
    }

    private func deviceRequests(_ node: inout Node) {
        guard case .mapping(var deploy) = node.value, case .mapping(var resources)? = deploy["resources"]?.value,
            case .mapping(var reservations)? = resources["reservations"]?.value, var devices = reservations["devices"]
        else { return }
        each(&devices) { request(&$0) }
        reservations.set("devices", devices)
        resources.set("reservations", Node(.mapping(reservations), at: devices.mark))
        deploy.set("resources", Node(.mapping(resources), at: devices.mark))
        node.value = .mapping(deploy)
    }

    /// `count: all` is -1, and so is neither a count nor ids.
    private func request(_ node: inout Node) {
        guard case .mapping(var settings) = node.value else { return }
        if settings["count"]?.string == "all", !keepsPairs { settings.set("count", Node(.int(-1), at: node.mark)) }
        node.value = .mapping(settings)
    }

    /// `external: {name: X}` is `external: true` with `name: X`.
    private func external(_ node: inout Node, path: String) {
        guard case .mapping(var resource) = node.value, case .mapping(let old)? = resource["external"]?.value else {
            return
        }
        let mark = resource.keyMark(of: "external") ?? node.mark
        if let name = old["name"] {
            if let other = resource["name"], !other.isSame(as: name) {
                reporter.error(
                    "\(path): name and external.name conflict; only use name", at: mark,
                    hint: "remove `name` below `external`", code: .conflictingAttributes)
            }
            reporter.warn(
                "\(path): external.name is deprecated. Please set name and external: true", at: mark,
                code: .deprecated)
            resource.set("name", name)
        }
        resource.set("external", Node(.bool(true), at: mark), keyMark: mark)
        node.value = .mapping(resource)
    }
}
