public import Orchestration

/// How a container's state reads in listings.
public enum ContainerTexts {
    /// "Up 3 minutes (healthy)", "Exited (3) 2 seconds ago".
    public static func status(of container: ObservedContainer, now: Timestamp) -> String {
        func since(_ seconds: Double?) -> String {
            HumanUnits.duration(seconds: now.seconds - (seconds ?? now.seconds))
        }
        switch container.state {
        case .created: return "Created"
        case .dead: return "Dead"
        case .restarting:
            return "Restarting (\(container.exit?.code ?? 0)) \(since(container.exit?.finishedAt)) ago"
        case .exited:
            guard let exit = container.exit else { return "Created" }
            guard exit.finishedAt > 0 else { return "Exited (\(exit.code))" }
            return "Exited (\(exit.code)) \(since(exit.finishedAt)) ago"
        case .running, .paused:
            let up = "Up \(since(container.startedAt))"
            if container.state == .paused { return "\(up) (Paused)" }
            switch container.health?.status {
            case nil: return up
            case .starting: return "\(up) (health: starting)"
            case .healthy: return "\(up) (healthy)"
            case .unhealthy: return "\(up) (unhealthy)"
            }
        }
    }

    /// Without the project's part, where the name is the one that Compose makes.
    public static func shortName(of container: ObservedContainer) -> String {
        guard let project = container.spec.labels[Label.project] else { return container.spec.name }
        return shortName(
            container.spec.name, project: project, service: container.service ?? "", number: container.number ?? 0)
    }

    public static func shortName(_ name: String, project: String, service: String, number: Int) -> String {
        for separator in ["-", "_"] where name == [project, service, String(number)].joined(separator: separator) {
            return String(name.dropFirst(project.count + 1))
        }
        return name
    }

    /// `running(2), exited(1)`
    public static func combinedStatus(_ states: [ObservedContainer.State]) -> String {
        Dictionary(grouping: states, by: \.rawValue).sorted { $0.key < $1.key }
            .map { "\($0.key)(\($0.value.count))" }.joined(separator: ", ")
    }
}

/// One way into a container, for listings: a published port, or one that is only exposed.
public struct PortEntry: Sendable, Equatable {
    /// Empty: not published.
    public var hostIP: String
    public var published: UInt16
    public var target: UInt16
    public var `protocol`: String

    public init(hostIP: String, published: UInt16, target: UInt16, protocol: String) {
        self.hostIP = hostIP
        self.published = published
        self.target = target
        self.protocol = `protocol`
    }

    /// Published ports as bound, then what is exposed without being published; sorted.
    public static func all(of container: ObservedContainer) -> [PortEntry] {
        var entries = container.publishers.map {
            PortEntry(hostIP: $0.hostIP, published: $0.published, target: $0.target, protocol: $0.protocol)
        }
        if container.state == .running || container.state == .paused {
            for port in container.spec.expose {
                for target in range(port) {
                    let kind = port.split(separator: "/").dropFirst().first.map(String.init) ?? "tcp"
                    if entries.contains(where: { $0.target == target && $0.protocol == kind }) { continue }
                    entries.append(PortEntry(hostIP: "", published: 0, target: target, protocol: kind))
                }
            }
        }
        return entries.sorted { $0.key < $1.key }
    }

    private var key: (UInt16, String, Int, String, UInt16) { (target, `protocol`, family, hostIP, published) }
    private var runKey: (String, Int, String, UInt16, UInt16) { (`protocol`, family, hostIP, target, published) }
    /// Addresses of IPv4 come before those of IPv6.
    private var family: Int { hostIP.contains(":") ? 6 : 4 }

    private static func range(_ port: String) -> [UInt16] {
        let ends = port.split(separator: "/")[0].split(separator: "-").compactMap { UInt16($0) }
        guard let first = ends.first, let last = ends.last, first <= last else { return [] }
        return Array(first...last)
    }

    /// `0.0.0.0:8080->80/tcp, [::]:8080->80/tcp`; ports in a row are drawn together (`8000-8002->80-82/tcp`).
    public static func text(_ entries: [PortEntry]) -> String {
        var groups: [(first: PortEntry, count: UInt16)] = []
        for entry in entries.sorted(by: { $0.runKey < $1.runKey }) {
            if let last = groups.last, last.first.hostIP == entry.hostIP, last.first.protocol == entry.protocol,
                entry.target == last.first.target &+ last.count,
                entry.published == (entry.hostIP.isEmpty ? 0 : last.first.published &+ last.count)
            {
                groups[groups.count - 1].count += 1
            } else {
                groups.append((entry, 1))
            }
        }
        let sorted = groups.sorted { $0.first.key < $1.first.key }
        return sorted.map { group in
            let target = span(group.first.target, group.count) + "/" + group.first.protocol
            guard !group.first.hostIP.isEmpty else { return target }
            let address = group.first.hostIP.contains(":") ? "[\(group.first.hostIP)]" : group.first.hostIP
            return "\(address):\(span(group.first.published, group.count))->\(target)"
        }.joined(separator: ", ")
    }

    private static func span(_ first: UInt16, _ count: UInt16) -> String {
        count == 1 ? String(first) : "\(first)-\(first &+ count &- 1)"
    }
}
