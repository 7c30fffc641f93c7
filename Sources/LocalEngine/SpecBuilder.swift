internal import ComposeFile
internal import OCI
internal import Orchestration
internal import Runtime

/// A container's wishes and its image's defaults as an OCI runtime specification. Pure: everything that has to be
/// looked up on the host is handed in.
struct SpecBuilder {
    let container: StoredContainer
    let image: ImageConfiguration.Defaults
    let user: ResolvedUser
    let hostname: String
    /// Of volumes, binds, tmpfs and the files of /etc, already resolved to host paths.
    let mounts: [RuntimeSpec.Mount]
    let security: SecurityOptions
    /// Paths of namespaces to join in place of making them, by kind; an empty path: the host's.
    let joined: [RuntimeSpec.Namespace.Kind: String]

    private var spec: ContainerSpec { container.spec }

    /// - Throws: ``EngineError`` for what cannot be done; the parsers' errors for what is not well-formed.
    func build() throws -> RuntimeSpec {
        var result = DockerDefaults.spec()
        result.process = try process()
        result.root.readonly = spec.readOnlyRootfs
        result.hostname = hostname
        result.domainname = spec.domainname
        result.annotations = spec.annotations.isEmpty ? nil : spec.annotations
        result.mounts = allMounts(defaults: result.mounts)
        applyNamespaces(to: &result)
        result.linux.sysctl = try sysctls(defaults: result.linux.sysctl ?? [:])
        result.linux.resources = try resources(defaults: result.linux.resources ?? .init())
        try addDevices(to: &result)
        if spec.privileged || security.unconfinedSystemPaths {
            result.linux.maskedPaths = []
            result.linux.readonlyPaths = []
        }
        if spec.privileged {
            result.linux.resources?.devices = [.init(allow: true, access: "rwm")]
            result.mounts = result.mounts.map(Self.writable)
        }
        result.linux.seccomp = try seccomp(result.process?.capabilities?.bounding ?? [])
        return result
    }

    // MARK: Process

    private func process() throws -> RuntimeSpec.Process {
        var process = RuntimeSpec.Process()
        process.terminal = spec.tty
        process.args = try ProcessResolution.arguments(spec, image: image)
        process.env = ProcessResolution.environment(spec, image: image, hostname: hostname, home: user.home)
        process.cwd = spec.workingDir ?? image.workingDirectory.flatMap { $0.isEmpty ? nil : $0 } ?? "/"
        process.user = user.processUser
        process.capabilities = try Self.capabilities(
            add: spec.capAdd, drop: spec.capDrop, privileged: spec.privileged, uid: user.uid)
        process.rlimits = try spec.ulimits.sorted { $0.key < $1.key }.map { name, limit in
            try Ulimits.rlimit(name, soft: limit.soft, hard: limit.hard)
        }
        process.noNewPrivileges = security.noNewPrivileges
        process.oomScoreAdj = spec.resources.oomScoreAdj
        return process
    }

    static func capabilities(
        add: [String], drop: [String], privileged: Bool, uid: UInt32
    ) throws -> RuntimeSpec.Capabilities {
        let names = try Capabilities.resolve(add: add, drop: drop, privileged: privileged)
        var result = RuntimeSpec.Capabilities()
        result.bounding = names
        // Whoever is not root has none in effect, as with Docker; a set-user-ID program can still gain them.
        result.permitted = uid == 0 ? names : []
        result.effective = uid == 0 ? names : []
        return result
    }

    // MARK: Namespaces, mounts, devices

    private func applyNamespaces(to result: inout RuntimeSpec) {
        for (kind, path) in joined {
            result.linux.namespaces.removeAll { $0.type == kind }
            if !path.isEmpty { result.linux.namespaces.append(.init(kind, path: path)) }
        }
        if joined[.uts] == "" { result.hostname = nil }
    }

    /// Parents before children; what the service mounts replaces a default at the same place.
    private func allMounts(defaults: [RuntimeSpec.Mount]) -> [RuntimeSpec.Mount] {
        let given = Set(mounts.map(\.destination))
        var kept = defaults.filter { !given.contains($0.destination) }
        if let index = kept.firstIndex(where: { $0.destination == "/dev/shm" }) {
            if joined[.ipc] == "" {
                kept[index] = RuntimeSpec.Mount(
                    destination: "/dev/shm", type: "bind", source: "/dev/shm", options: ["bind", "rw", "rprivate"])
            } else if let size = spec.resources.shmSize {
                kept[index].options = (kept[index].options ?? []).filter { !$0.hasPrefix("size=") } + ["size=\(size)"]
            }
        }
        let depth = { (path: String) in path.split(separator: "/").count }
        return kept
            + mounts.enumerated()
            .sorted { (depth($0.element.destination), $0.offset) < (depth($1.element.destination), $1.offset) }
            .map(\.element)
    }

    /// The system's own file systems without `ro`, for a privileged container.
    private static func writable(_ mount: RuntimeSpec.Mount) -> RuntimeSpec.Mount {
        guard ["sysfs", "cgroup", "cgroup2"].contains(mount.type ?? "") else { return mount }
        var mount = mount
        mount.options?.removeAll { $0 == "ro" }
        return mount
    }

    private func addDevices(to result: inout RuntimeSpec) throws {
        let devices = try spec.privileged ? HostDevices.all() : spec.devices.flatMap { try HostDevices.expand($0) }
        result.linux.devices = (result.linux.devices ?? []) + devices.map(\.node)
        if !spec.privileged {
            let rules = try devices.map(\.rule) + spec.deviceCgroupRules.map(HostDevices.rule)
            result.linux.resources?.devices?.append(contentsOf: rules)
        }
    }

    // MARK: Limits

    private func sysctls(defaults: [String: String]) throws -> [String: String] {
        let ownNetwork = joined[.network] == nil
        try Sysctls.check(
            spec.sysctls, hostNetwork: joined[.network] == "", hostIPC: joined[.ipc] == "",
            hostUTS: joined[.uts] == "")
        // The network defaults belong to a namespace that this container makes.
        let base = ownNetwork ? defaults : defaults.filter { !$0.key.hasPrefix("net.") }
        return base.merging(spec.sysctls) { $1 }
    }

    private func resources(defaults: RuntimeSpec.Resources) throws -> RuntimeSpec.Resources {
        var result = defaults
        let wanted = spec.resources
        if wanted.memory != nil || wanted.memoryReservation != nil || wanted.memorySwap != nil {
            var memory = RuntimeSpec.Memory()
            memory.limit = wanted.memory
            memory.reservation = wanted.memoryReservation
            memory.swap = wanted.memorySwap
            result.memory = memory
        }
        var cpu = RuntimeSpec.CPU()
        cpu.shares = wanted.cpuShares.map { UInt64(clamping: $0) }
        cpu.quota = wanted.cpuQuota
        cpu.period = wanted.cpuPeriod.map { UInt64(clamping: $0) }
        cpu.cpus = wanted.cpuset
        if let cpus = wanted.cpus {
            let period = cpu.period ?? 100_000
            cpu.period = period
            cpu.quota = Int64((cpus * Double(period)).rounded())
        }
        if cpu != RuntimeSpec.CPU() { result.cpu = cpu }
        if let pids = wanted.pids { result.pids = .init(limit: pids) }
        if let weight = wanted.blkioWeight {
            var io = RuntimeSpec.BlockIO()
            io.weight = UInt16(clamping: weight)
            result.blockIO = io
        }
        return result
    }

    private func seccomp(_ capabilities: [String]) throws -> RuntimeSpec.Seccomp? {
        switch security.seccomp {
        case .unconfined: nil
        case .profile(let path): try SeccompProfile.load(path, capabilities: capabilities)
        case .docker: spec.privileged ? nil : DockerDefaults.seccomp(capabilities: capabilities)
        }
    }
}
