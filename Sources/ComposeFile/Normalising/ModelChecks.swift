/// Rules about single resources that the table cannot express.
struct ModelChecks {
    let reporter: Reporter

    func check(_ root: Node) {
        each("volumes", of: root) { name, volume, mark in external(volume, "volumes.\(name)", mark) }
        each("configs", of: root) { name, config, mark in
            source(config, ["file", "environment", "content"], "configs.\(name)", mark)
        }
        each("secrets", of: root) { name, secret, mark in
            source(secret, ["file", "environment"], "secrets.\(name)", mark)
        }
        each("services", of: root) { name, service, _ in self.service(service, "services.\(name)") }
    }

    private func each(_ section: String, of root: Node, _ body: (String, Mapping, Mark) -> Void) {
        for entry in root[section]?.mapping ?? Mapping() {
            body(entry.key, entry.value.mapping ?? Mapping(), entry.keyMark)
        }
    }

    /// What exists already cannot be configured here. Volumes only: the reference passes over it elsewhere.
    private func external(_ resource: Mapping, _ path: String, _ mark: Mark) {
        guard resource["external"]?.bool == true else { return }
        for entry in resource where entry.key != "name" && entry.key != "external" && !entry.key.hasPrefix("x-") {
            reporter.error(
                "\(path): conflicting parameters \"external\" and \"\(entry.key)\" specified", at: entry.keyMark,
                hint: "an external resource is used as it is: only `name` may be given with it",
                code: .conflictingAttributes,
                notes: [.init(message: "external is set here", mark: resource.keyMark(of: "external") ?? mark)])
        }
    }

    private func source(_ object: Mapping, _ keys: [String], _ path: String, _ mark: Mark) {
        let list = keys.joined(separator: "|")
        switch keys.count(where: { object[$0] != nil }) {
        case 0:
            if object["driver"] == nil, object["external"] == nil {
                reporter.error("\(path): one of \(list) must be set", at: mark, code: .missingAttribute)
            }
        case 1: break
        default:
            reporter.error(
                "\(path): \(list) attributes are mutually exclusive", at: mark, hint: "keep one of them",
                code: .conflictingAttributes)
        }
    }

    private func service(_ service: Mapping, _ path: String) {
        for port in service["ports"]?.sequence ?? [] {
            if let node = port["host_ip"], let text = node.string, !IPAddress.isValid(text) {
                reporter.error(
                    "\(path).ports: invalid IP address: \(text)", at: node.mark,
                    hint: text == "localhost" ? "write 127.0.0.1 for localhost" : nil)
            }
        }
        for watch in service["develop"]?["watch"]?.sequence ?? [] {
            if watch["path"]?.string == "" {
                reporter.error("\(path).develop.watch.path: value can't be blank", at: watch.mark)
            }
        }
        let requests =
            (service["gpus"]?.sequence ?? []).map { ("gpus", $0) }
            + (service["deploy"]?["resources"]?["reservations"]?["devices"]?.sequence ?? []).map {
                ("deploy.resources.reservations.devices", $0)
            }
        for (name, request) in requests {
            if name != "gpus", request["capabilities"] == nil {
                reporter.error(
                    "\(path).\(name).[]: \"capabilities\" attribute is required", at: request.mark,
                    hint: "write capabilities: [gpu]", code: .missingAttribute)
            }
            if request["count"] != nil, request["device_ids"] != nil {
                reporter.error(
                    "\(path).\(name).[]: \"count\" and \"device_ids\" attributes are exclusive", at: request.mark,
                    hint: "keep one of the two", code: .conflictingAttributes)
            }
        }
    }
}
