import ComposeFile

/// Says in words what differs between two container specs, in the names of the Compose file.
enum SpecDifference {
    /// Sorted as the table below; empty where the specs are equivalent.
    static func describe(from old: ContainerSpec, to new: ContainerSpec) -> [String] {
        table.flatMap { $0(old, new) }
    }

    private typealias Compare = @Sendable (ContainerSpec, ContainerSpec) -> [String]

    private static let table: [Compare] = [
        value("image", \.image),
        value("entrypoint", \.entrypoint) { $0.map { $0.joined(separator: " ") } },
        value("command", \.command) { $0.map { $0.joined(separator: " ") } },
        map("environment", \.environment) { $0 ?? "(removed)" },
        value("user", \.user) { $0 },
        value("group_add", \.groupAdd) { $0.joined(separator: ",") },
        value("working_dir", \.workingDir) { $0 },
        value("hostname", \.hostname) { $0 },
        value("domainname", \.domainname) { $0 },
        value("init", \.initProcess),
        value("tty", \.tty),
        value("stdin_open", \.openStdin),
        value("privileged", \.privileged),
        value("read_only", \.readOnlyRootfs),
        value("stop_signal", \.stopSignal) { $0 },
        value("stop_grace_period", \.stopGracePeriod) { $0.map { "\($0)" } },
        value("restart", \.restart) { "\($0)" },
        map("annotations", \.annotations) { $0 },
        { labels(userLabels($0), userLabels($1)) },
        changed("network_mode", \.comparableNetworkMode),
        { networks($0, $1) },
        changed("ports", \.ports),
        changed("expose", \.expose),
        changed("extra_hosts", \.extraHosts),
        changed("links", \.links),
        changed("dns", \.dns), changed("dns_opt", \.dnsOptions), changed("dns_search", \.dnsSearch),
        { mounts($0, $1) },
        { files($0, $1) },
        changed("cap_add", \.capAdd), changed("cap_drop", \.capDrop), changed("security_opt", \.securityOpt),
        map("sysctls", \.sysctls) { $0 },
        map("ulimits", \.ulimits) { "\($0.soft):\($0.hard)" },
        changed("ipc", \.comparableIPC), changed("pid", \.comparablePID), changed("uts", \.uts),
        changed("cgroup", \.cgroupNamespace), changed("cgroup_parent", \.cgroupParent),
        changed("devices", \.devices), changed("device_cgroup_rules", \.deviceCgroupRules),
        value("cpus", \.resources.cpus) { $0.map { "\($0)" } },
        value("mem_limit", \.resources.memory) { $0.map { "\($0)" } },
        value("pids_limit", \.resources.pids) { $0.map { "\($0)" } },
        value("shm_size", \.resources.shmSize) { $0.map { "\($0)" } },
        { old, new in otherResources(old.resources) == otherResources(new.resources) ? [] : ["resources"] },
        changed("healthcheck", \.healthcheck),
        value("logging.driver", \.loggingDriver) { $0 },
        map("logging.options", \.loggingOptions) { $0 },
    ]

    private static func value<T: Equatable & Sendable>(
        _ name: String, _ read: @escaping @Sendable (ContainerSpec) -> T,
        _ show: @escaping @Sendable (T) -> String? = { "\($0)" }
    ) -> Compare {
        { old, new in
            let (before, after) = (read(old), read(new))
            return before == after ? [] : ["\(name) \(shown(show(before))) → \(shown(show(after)))"]
        }
    }

    private static func changed<T: Equatable & Sendable>(
        _ name: String, _ read: @escaping @Sendable (ContainerSpec) -> T
    ) -> Compare {
        { old, new in read(old) == read(new) ? [] : [name] }
    }

    private static func map<T: Equatable & Sendable>(
        _ name: String, _ read: @escaping @Sendable (ContainerSpec) -> [String: T],
        _ show: @escaping @Sendable (T) -> String
    ) -> Compare {
        { old, new in entries(name, read(old), read(new), show) }
    }

    private static func entries<T: Equatable>(
        _ name: String, _ old: [String: T], _ new: [String: T], _ show: (T) -> String
    ) -> [String] {
        guard old != new else { return [] }
        return Set(old.keys).union(new.keys).sorted().compactMap { key in
            let (before, after) = (old[key], new[key])
            guard before != after else { return nil }
            if isSecret(key) { return "\(name).\(key)" }
            return "\(name).\(key) \(shown(before.map(show))) → \(shown(after.map(show)))"
        }
    }

    private static func shown(_ text: String?) -> String {
        guard let text else { return "(none)" }
        if text.isEmpty { return "\"\"" }
        return text.count > 40 ? String(text.prefix(40)) + "…" : text
    }

    /// Plans are printed and logged: values that look like credentials are not.
    private static func isSecret(_ key: String) -> Bool {
        let key = key.uppercased()
        return ["PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "AUTH", "DSN", "URL"].contains { key.contains($0) }
    }

    private static func userLabels(_ spec: ContainerSpec) -> [String: String] {
        spec.labels.filter { !$0.key.hasPrefix(Label.prefix) }
    }

    private static func labels(_ old: [String: String], _ new: [String: String]) -> [String] {
        entries("labels", old, new) { $0 }
    }

    private static func networks(_ old: ContainerSpec, _ new: ContainerSpec) -> [String] {
        named("networks", old.networks, new.networks, \.network)
    }

    private static func mounts(_ old: ContainerSpec, _ new: ContainerSpec) -> [String] {
        named("volumes", old.mounts.map(\.withoutCarriedVolume), new.mounts.map(\.withoutCarriedVolume), \.target)
    }

    private static func files(_ old: ContainerSpec, _ new: ContainerSpec) -> [String] {
        named("secrets and configs", old.files, new.files, \.target)
    }

    private static func named<T: Equatable>(
        _ title: String, _ old: [T], _ new: [T], _ name: (T) -> String
    ) -> [String] {
        guard old != new else { return [] }
        let before = Dictionary(old.map { (name($0), $0) }) { first, _ in first }
        let after = Dictionary(new.map { (name($0), $0) }) { first, _ in first }
        let changes: [String] = Set(before.keys).union(after.keys).sorted().compactMap { key in
            switch (before[key], after[key]) {
            case (nil, _): "\(title) + \(key)"
            case (_, nil): "\(title) - \(key)"
            case (let one, let other): one == other ? nil : "\(title).\(key)"
            }
        }
        return changes.isEmpty ? ["\(title) order"] : changes
    }

    private static func otherResources(_ resources: ContainerSpec.Resources) -> ContainerSpec.Resources {
        var other = resources
        other.cpus = nil
        other.memory = nil
        other.pids = nil
        other.shmSize = nil
        return other
    }
}

extension ContainerSpec.MountSpec {
    /// Which volume an anonymous mount got is not part of what was asked for.
    fileprivate var withoutCarriedVolume: Self {
        guard case .anonymous = source else { return self }
        var copy = self
        copy.source = .anonymous(carriedOver: nil)
        return copy
    }
}

/// Ids of other containers differ with every run: those changes have their own cause.
extension ContainerSpec {
    fileprivate var comparableNetworkMode: String? { networkMode.map(Self.withoutID) }
    fileprivate var comparableIPC: String? { ipc.map(Self.withoutID) }
    fileprivate var comparablePID: String? { pid.map(Self.withoutID) }
    private static func withoutID(_ mode: String) -> String {
        mode.hasPrefix("container:") || mode.hasPrefix("service:") ? "container" : mode
    }
}
