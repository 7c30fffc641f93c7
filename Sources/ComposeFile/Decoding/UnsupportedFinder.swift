/// Finds what a canonical tree asks for and the runtime cannot do.
struct UnsupportedFinder {
    let reporter: Reporter

    func find(in root: Node) -> [UnsupportedAttribute] {
        var found: [UnsupportedAttribute] = []
        for section in ["services", "networks", "volumes", "secrets", "configs", "models"] {
            guard let rule = Schema.project.member(section)?.values else { continue }
            for entry in root[section]?.mapping ?? Mapping() {
                let path = "\(section).\(entry.key)"
                let service = section == "services" ? entry.key : nil
                func add(_ name: String, _ mark: Mark, _ reason: String) {
                    found.append(
                        UnsupportedAttribute(
                            path: "\(path).\(name)", service: service, file: reporter.sources.name(of: mark.file) ?? "",
                            line: Int(mark.line), column: Int(mark.column), message: "\(path).\(name) \(reason)"))
                }
                walk(entry.value, rule, name: "", add)
                values(entry.value, section: section, add)
            }
        }
        return found.sorted { ($0.file, $0.line, $0.column) < ($1.file, $1.line, $1.column) }
    }

    /// Attributes that the table marks.
    private func walk(_ node: Node, _ rule: Rule, name: String, _ add: (String, Mark, String) -> Void) {
        switch node.value {
        case .mapping(let mapping):
            for entry in mapping {
                guard let member = rule.member(entry.key) else { continue }
                let path = name.isEmpty ? entry.key : "\(name).\(entry.key)"
                if let reason = member.traits.unsupported {
                    if !isEmpty(entry.value) { add(path, entry.keyMark, reason) }
                } else {
                    walk(entry.value, member, name: path, add)
                }
            }
        case .sequence(let items):
            guard let item = rule.item else { return }
            for (index, node) in items.enumerated() { walk(node, item, name: "\(name)[\(index)]", add) }
        default: return
        }
    }

    private func isEmpty(_ node: Node) -> Bool {
        switch node.value {
        case .null, .bool(false), .int(0), .string(""): true
        case .sequence(let items): items.isEmpty
        case .mapping(let mapping): mapping.isEmpty
        default: false
        }
    }

    /// Attributes of which the runtime knows some values.
    private func values(_ node: Node, section: String, _ add: (String, Mark, String) -> Void) {
        func only(_ key: String, _ known: [String], in container: Node? = nil, name: String? = nil, _ reason: String) {
            guard let value = (container ?? node)[key], let text = value.string, !text.isEmpty, !known.contains(text)
            else { return }
            add(name ?? key, value.mark, "\"\(text)\" \(reason)")
        }
        switch section {
        case "services":
            if let logging = node["logging"] {
                only(
                    "driver", ["json-file", "local", "none"], in: logging, name: "logging.driver",
                    "is not supported: json-file, local and none are")
            }
            only("isolation", ["default"], "is for Windows containers")
            only(
                "runtime", ["swcompose", "runc", "io.containerd.runc.v2"],
                "is not supported: containers run on the built-in runtime")
            only("platform", Self.platforms, "cannot run on this host")
            restart(node, add)
            addresses(node, add)
            for (index, mount) in (node["volumes"]?.sequence ?? []).enumerated() {
                only(
                    "type", ["bind", "volume", "tmpfs"], in: mount, name: "volumes[\(index)].type",
                    "is not supported yet")
            }
        case "networks":
            guard node["external"]?.bool != true else { return }
            only("driver", ["bridge", "default"], "is not supported yet: bridge is")
            if let ipam = node["ipam"] {
                only("driver", ["default"], in: ipam, name: "ipam.driver", "is not supported: default is")
            }
            if let flag = node["enable_ipv4"], flag.bool == false {
                add("enable_ipv4", flag.mark, "false is not supported yet")
            }
        case "volumes":
            guard node["external"]?.bool != true else { return }
            only("driver", ["local"], "needs a volume plugin: local is supported")
        case "secrets", "configs":
            if let flag = node["external"], flag.bool == true {
                add("external", flag.mark, "is not supported: there is no store outside the project")
            }
        default: return
        }
    }

    /// Spellings that only the making of a container would stumble over.
    private func addresses(_ node: Node, _ add: (String, Mark, String) -> Void) {
        for network in node["networks"]?.mapping ?? Mapping() {
            for (key, isValid) in [("ipv4_address", IPAddress.isIPv4), ("ipv6_address", IPAddress.isIPv6)] {
                guard let address = network.value[key], let text = address.string, !text.isEmpty, !isValid(text) else {
                    continue
                }
                add("networks.\(network.key).\(key)", address.mark, "\"\(text)\" is not such an address")
            }
        }
        for (index, port) in (node["ports"]?.sequence ?? []).enumerated() {
            if let target = port["target"], let number = target.int, !(1...65535).contains(number) {
                add("ports[\(index)].target", target.mark, "must be from 1 to 65535, not \(number)")
            }
        }
    }

    private func restart(_ node: Node, _ add: (String, Mark, String) -> Void) {
        if let condition = node["deploy"]?["restart_policy"]?["condition"], let text = condition.string,
            !["", "none", "on-failure", "any", "always", "unless-stopped"].contains(text)
        {
            add(
                "deploy.restart_policy.condition", condition.mark,
                "\"\(text)\" is not a condition: none, on-failure and any are")
        }
        guard let value = node["restart"], let text = value.string, !text.isEmpty else { return }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let isKnown =
            parts.count == 1
            ? ["no", "always", "unless-stopped", "on-failure"].contains(text)
            : parts[0] == "on-failure" && (Int(parts[1]) ?? -1) >= 0
        if !isKnown {
            add(
                "restart", value.mark,
                "\"\(text)\" is not a restart policy: no, always, on-failure[:N] and unless-stopped are")
        }
    }

    #if arch(x86_64)
        private static let platforms = ["linux", "linux/amd64", "linux/amd64/v1", "linux/x86_64"]
    #elseif arch(arm64)
        private static let platforms = ["linux", "linux/arm64", "linux/arm64/v8", "linux/aarch64"]
    #else
        private static let platforms = ["linux"]
    #endif
}
