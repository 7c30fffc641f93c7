public import Orchestration

/// One container as `ps` shows it: the fields that Docker documents for tables, templates and JSON.
public struct ContainerRow: Sendable {
    public let container: ObservedContainer
    private let now: Timestamp
    private let truncate: Bool

    public init(_ container: ObservedContainer, now: Timestamp, truncate: Bool) {
        self.container = container
        self.now = now
        self.truncate = truncate
    }

    /// Every field by its name in templates and JSON, sorted.
    public static let fields = [
        "Command", "CreatedAt", "ExitCode", "Health", "ID", "Image", "Labels", "LocalVolumes", "Mounts", "Name",
        "Names", "Networks", "Ports", "Project", "Publishers", "RunningFor", "Service", "Size", "State", "Status",
    ]

    /// Column headings of `table` templates; Docker names some fields otherwise.
    public static func heading(_ field: String) -> String {
        switch field {
        case "ID": "CONTAINER ID"
        case "RunningFor": "CREATED"
        case "CreatedAt": "CREATED AT"
        case "LocalVolumes": "LOCAL VOLUMES"
        default: field.uppercased()
        }
    }

    public func value(_ field: String) -> JSONText? {
        switch field {
        case "Command": .string(command)
        case "CreatedAt": .string(HostClock.local(Timestamp(seconds: container.createdAt)))
        case "ExitCode": .number(Int(container.exit?.code ?? 0))
        case "Health": .string(container.state == .running ? container.health?.status.rawValue ?? "" : "")
        case "ID": .string(truncate ? container.id.short : container.id.value)
        case "Image": .string(container.spec.image)
        case "Labels": .string(container.spec.labels.map { "\($0)=\($1)" }.sorted().joined(separator: ","))
        case "LocalVolumes": .string(String(volumes.count))
        case "Mounts": .string(mounts)
        case "Name", "Names": .string(container.spec.name)
        case "Networks": .string(networks)
        case "Ports": .string(PortEntry.text(PortEntry.all(of: container)))
        case "Project": .string(container.spec.labels[Label.project] ?? "")
        case "Publishers": .array(PortEntry.all(of: container).map(publisher))
        case "RunningFor": .string(HumanUnits.duration(seconds: now.seconds - container.createdAt) + " ago")
        case "Service": .string(container.service ?? "")
        case "Size": .string("0B")
        case "State": .string(container.state.rawValue)
        case "Status": .string(ContainerTexts.status(of: container, now: now))
        default: nil
        }
    }

    /// `{{.Label "key"}}`
    public func label(_ key: String) -> String { container.spec.labels[key] ?? "" }

    public var json: String { JSONText.object(Self.fields.map { ($0, value($0)!) }).text }

    private var command: String {
        let known =
            container.command.isEmpty
            ? (container.spec.entrypoint ?? []) + (container.spec.command ?? []) : container.command
        var text = known.joined(separator: " ")
        if truncate, text.count > 20 { text = text.prefix(19) + "…" }
        return Self.quoted(text)
    }

    /// In double quotes, with control characters escaped.
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": out += "\\\(scalar)"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case "\r": out += "\\r"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                out += "\\x" + (digits.count < 2 ? "0" : "") + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private var volumes: [String] {
        container.spec.mounts.compactMap { mount in
            switch mount.source {
            case .volume(let name): name
            case .anonymous: container.anonymousVolumes[mount.target] ?? ""
            case .bind, .tmpfs: nil
            }
        }
    }

    private var mounts: String {
        let names = container.spec.mounts.compactMap { mount -> String? in
            switch mount.source {
            case .bind(let path): path
            case .volume(let name): name
            case .anonymous: container.anonymousVolumes[mount.target]
            case .tmpfs: nil
            }
        }
        return names.map { truncate && $0.count > 15 ? $0.prefix(14) + "…" : $0 }.joined(separator: ",")
    }

    private var networks: String {
        if let mode = container.spec.networkMode { return mode }
        return container.spec.networks.map(\.network).sorted().joined(separator: ",")
    }

    private func publisher(_ port: PortEntry) -> JSONText {
        .object([
            ("URL", .string(port.hostIP)), ("TargetPort", .number(Int(port.target))),
            ("PublishedPort", .number(Int(port.published))), ("Protocol", .string(port.protocol)),
        ])
    }
}
