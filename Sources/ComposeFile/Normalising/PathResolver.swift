/// Makes the paths of a canonical tree absolute, or relative to another directory.
struct PathResolver {
    /// Directory that the tree's relative paths start from.
    let base: String
    let home: String?
    let reader: any FileReader
    let reporter: Reporter

    func resolve(_ root: Node) -> Node {
        guard case .mapping(var top) = root.value else { return root }
        top.mapValues { key, section in
            guard case .mapping(var members) = section.value else { return }
            switch key {
            case "services": members.mapValues { _, node in edit(&node, service) }
            case "volumes": members.mapValues { _, node in edit(&node, driverOptions) }
            case "configs", "secrets":
                members.mapValues { _, node in edit(&node) { string("file", in: &$0) { $0.isEmpty ? base : file($0) } }
                }
            default: return
            }
            section.value = .mapping(members)
        }
        return Node(.mapping(top), at: root.mark)
    }

    private func edit(_ node: inout Node, _ body: (inout Mapping) -> Void) {
        guard case .mapping(var mapping) = node.value else { return }
        body(&mapping)
        node.value = .mapping(mapping)
    }

    private func string(_ key: String, in mapping: inout Mapping, _ change: (String) -> String) {
        guard let node = mapping[key], let text = node.string else { return }
        mapping.set(key, Node(.string(change(text)), at: node.mark))
    }

    private func service(_ service: inout Mapping) {
        if var build = service["build"] {
            edit(&build) { build in
                string("context", in: &build, context)
                if var contexts = build["additional_contexts"] {
                    edit(&contexts) {
                        $0.mapValues { _, node in if let text = node.string { node.value = .string(context(text)) } }
                    }
                    build.set("additional_contexts", contexts)
                }
                if var keys = build["ssh"] {
                    edit(&keys) {
                        $0.mapValues { _, node in if let text = node.string { node.value = .string(file(text)) } }
                    }
                    build.set("ssh", keys)
                }
            }
            service.set("build", build)
        }
        each("env_file", in: &service) { node in edit(&node) { string("path", in: &$0, file) } }
        each("label_file", in: &service) { node in if let text = node.string { node.value = .string(file(text)) } }
        each("volumes", in: &service) { node in
            let mark = node.mark
            edit(&node) { mount(&$0, at: mark) }
        }
        if var extends = service["extends"] {
            edit(&extends) { string("file", in: &$0, file) }
            service.set("extends", extends)
        }
        if var develop = service["develop"] {
            edit(&develop) { develop in
                each("watch", in: &develop) { node in edit(&node) { string("path", in: &$0, linked) } }
            }
            service.set("develop", develop)
        }
    }

    private func each(_ key: String, in mapping: inout Mapping, _ body: (inout Node) -> Void) {
        guard let node = mapping[key], case .sequence(var items) = node.value else { return }
        for index in items.indices { body(&items[index]) }
        mapping.set(key, Node(.sequence(items), at: node.mark))
    }

    private func mount(_ mount: inout Mapping, at mark: Mark) {
        guard mount["type"]?.string == "bind" else { return }
        guard let source = mount["source"]?.string else {
            return reporter.error("invalid mount config for type \"bind\": field Source must not be empty", at: mark)
        }
        mount.set("source", Node(.string(source.isEmpty ? base : file(source)), at: mount["source"]?.mark ?? mark))
    }

    /// A local volume that binds a directory names it in its options.
    private func driverOptions(_ volume: inout Mapping) {
        guard volume["driver"]?.string == "local", var options = volume["driver_opts"],
            options["o"]?.string == "bind"
        else { return }
        edit(&options) { string("device", in: &$0, file) }
        volume.set("driver_opts", options)
    }

    func file(_ path: String) -> String {
        if path.isEmpty || Paths.isWindows(path) { return path }
        let expanded = Paths.expandingHome(path, home: home)
        return Paths.isAbsolute(expanded) ? expanded : Paths.join(base, expanded)
    }

    /// A context may be a URL or name a service.
    private func context(_ path: String) -> String {
        if path.isEmpty || path.contains("://") || path.hasPrefix("service:") || Self.isRemote(path) { return path }
        return file(path)
    }

    static func isRemote(_ path: String) -> Bool {
        ["https://", "http://", "git://", "ssh://", "github.com/", "git@"].contains { path.hasPrefix($0) }
    }

    private func linked(_ path: String) -> String {
        let absolute = file(path)
        return reader.resolvingLinks(absolute) ?? absolute
    }
}
