extension Linter {
    private struct Port {
        var service: String
        var node: Node
        var hostIP: String
        var published: String
        var target: String
        var `protocol`: String

        init?(_ node: Node, of service: String) {
            guard let target = node["target"]?.scalarText else { return nil }
            self.service = service
            self.node = node
            self.target = target
            hostIP = node["host_ip"]?.string ?? ""
            published = node["published"]?.scalarText ?? ""
            `protocol` = node["protocol"]?.string ?? "tcp"
        }

        var listensEverywhere: Bool { hostIP.isEmpty || hostIP == "0.0.0.0" || hostIP == "::" }

        /// Both cannot be bound at once.
        func collides(with other: Port) -> Bool {
            published == other.published && `protocol` == other.`protocol`
                && (hostIP == other.hostIP || listensEverywhere || other.listensEverywhere)
        }
    }

    mutating func checkPorts() {
        var taken: [String: [Port]] = [:]
        for entry in services {
            let ports = (entry.value["ports"]?.sequence ?? []).compactMap { Port($0, of: entry.key) }
            checkAppended(ports)
            for port in ports {
                checkDatabase(port, image: entry.value["image"]?.string)
                guard !port.published.isEmpty, port.published != "0", !port.published.contains("-") else { continue }
                if let other = taken[port.published]?.first(where: {
                    $0.service != port.service && $0.collides(with: port) && canRunTogether($0.service, port.service)
                }) {
                    tell(
                        .portConflict,
                        "services \"\(other.service)\" and \"\(port.service)\" both publish port "
                            + "\(port.published)/\(port.`protocol`) of the host",
                        at: port.node.mark, hint: "only one of them can start: give one another host port",
                        notes: [.init(message: "the other is here", mark: other.node.mark)])
                }
                taken[port.published, default: []].append(port)
            }
        }
    }

    private func canRunTogether(_ one: String, _ other: String) -> Bool {
        func profiles(_ name: String) -> Set<String> {
            Set(services[name]?["profiles"]?.sequence?.compactMap(\.string) ?? [])
        }
        let (first, second) = (profiles(one), profiles(other))
        return first.isEmpty || second.isEmpty || !first.isDisjoint(with: second)
    }

    /// A port that a second file was probably meant to change, not to add.
    private mutating func checkAppended(_ ports: [Port]) {
        for (index, port) in ports.enumerated() {
            for earlier in ports[..<index] where earlier.node.mark.file != port.node.mark.file {
                let same: String
                if !port.published.isEmpty, earlier.collides(with: port) {
                    same = "host port \(port.published)"
                } else if port.target == earlier.target, port.`protocol` == earlier.`protocol` {
                    same = "container port \(port.target)"
                } else {
                    continue
                }
                tell(
                    .appendedPort,
                    "service \"\(port.service)\" publishes \(same) twice: ports of two files are appended",
                    at: port.node.mark, hint: "write `ports: !override` in the later file to replace the list",
                    notes: [.init(message: "the other file has it here", mark: earlier.node.mark)])
                break
            }
        }
    }

    private mutating func checkDatabase(_ port: Port, image: String?) {
        guard port.listensEverywhere, !port.published.isEmpty || port.node["mode"] != nil else { return }
        let name = image.map(ImageName.init)?.base ?? ""
        let kind: String
        if let known = KnownDatabases.byImage[name] {
            guard known.ports.contains(port.target) else { return }
            kind = known.title
        } else if let title = KnownDatabases.byPort[port.target] {
            kind = title
        } else {
            return
        }
        let published = port.published.isEmpty ? port.target : port.published
        tell(
            .exposedDatabase,
            "service \"\(port.service)\" publishes \(kind)'s port \(port.target) on every address of the host",
            at: port.node.mark,
            hint:
                "write \"127.0.0.1:\(published):\(port.target)\" for this host only; services of the project reach it "
                + "without a published port")
    }
}
