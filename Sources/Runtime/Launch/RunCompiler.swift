internal import CLinux
internal import LaunchPlan
internal import OCI

/// The plan of a container's first process.
struct RunCompiler {
    let request: LaunchRequest
    let process: RuntimeSpec.Process
    let shimPath: String
    private var spec: RuntimeSpec { request.spec }
    private var isTerminal: Bool { process.terminal ?? false }
    private var steps: [PlanOperation] = []
    /// Bind sources come before everything else, so they are collected apart.
    private var sources: [PlanOperation] = []

    init(request: LaunchRequest, process: RuntimeSpec.Process, shimPath: String) {
        self.request = request
        self.process = process
        self.shimPath = shimPath
    }

    mutating func compile() throws(LaunchError) -> LaunchPlan {
        try root()
        for mount in spec.mounts { try add(mount) }
        try devices()
        for file in request.files { try inject(file) }
        if request.initProcess { bind(shimPath, LaunchPlanCompiler.initPath, set: UInt32(MOUNT_ATTR_RDONLY)) }
        for path in spec.linux.maskedPaths ?? [] { steps.append(.mask(path: path)) }
        for path in spec.linux.readonlyPaths ?? [] { steps.append(.readOnlyPath(path)) }
        if isTerminal {
            let size = request.terminalSize
            steps.append(
                .terminal(
                    rows: size?.rows ?? 0, columns: size?.columns ?? 0, uid: process.user.uid, console: hasOwnDev))
        }
        if process.cwd != "/" { steps.append(.directory(path: process.cwd, mode: 0o755, uid: 0, gid: 0)) }
        if spec.root.readonly ?? false { steps.append(.rootReadOnly) }
        steps.append(.pivotRoot)
        if let name = spec.hostname { steps.append(.hostName(name)) }
        if let name = spec.domainname { steps.append(.domainName(name)) }
        // The cgroup namespace's root is where the process is when it makes one.
        steps.append(.awaitCgroup)
        if creates(.cgroup) { steps.append(.unshare(UInt64(CLONE_NEWCGROUP))) }
        // Settings of the network may be about interfaces.
        steps.append(.awaitGo)
        try sysctls()
        steps += try LaunchPlanCompiler.identity(process, seccomp: request.seccomp, keyring: "_ses.\(request.id)")
        let arguments = request.initProcess ? [LaunchPlanCompiler.initPath, "init", "--"] + process.args : process.args
        steps.append(.execute(arguments: arguments, environment: process.env))
        let (monitor, joins) = try monitor()
        return LaunchPlan(kind: .run, operations: monitor + sources + joins + steps)
    }

    // MARK: - The monitor's part, and namespaces

    private func monitor() throws(LaunchError) -> (settings: [PlanOperation], joins: [PlanOperation]) {
        var settings: [PlanOperation] = [.runDirectory(request.runDirectory)]
        if let path = request.log.path {
            settings.append(.log(path: path, maximumSize: request.log.maxSize, maximumFiles: request.log.maxFiles))
        }
        settings.append(
            .stdio(flags: (isTerminal ? PlanFlag.terminal : 0) | (request.openStdin ? PlanFlag.openStdin : 0)))
        guard creates(.mount) else { throw .invalid("a container needs a mount namespace of its own") }
        var created: UInt64 = 0
        var joins: [PlanOperation] = []
        for namespace in spec.linux.namespaces {
            guard let flag = Self.namespaceFlags[namespace.type] else {
                throw .invalid("user namespaces are not supported")
            }
            switch (namespace.type, namespace.path) {
            case (.pid, let path?): settings.append(.joinPidNamespace(path: path))
            case (.cgroup, nil): break  // made by the child once it is in its cgroup
            case (_, let path?): joins.append(.joinNamespace(kind: UInt32(flag), path: path))
            case (_, nil): created |= flag
            }
        }
        settings.append(.namespaces(created))
        settings += LaunchPlanCompiler.placement(request.cgroup)
        switch request.cgroup {
        case .inherit: break
        case .v1(let hierarchies):
            if let memory = hierarchies.first(where: { $0.name.split(separator: ",").contains("memory") }) {
                settings.append(.memoryEvents(path: "\(memory.directory)/memory.oom_control"))
            }
        case .v2(let directory): settings.append(.memoryEvents(path: "\(directory)/memory.events"))
        }
        return (settings, joins)
    }

    private static let namespaceFlags: [RuntimeSpec.Namespace.Kind: UInt64] = [
        .pid: UInt64(CLONE_NEWPID), .network: UInt64(CLONE_NEWNET), .mount: UInt64(CLONE_NEWNS),
        .ipc: UInt64(CLONE_NEWIPC), .uts: UInt64(CLONE_NEWUTS), .cgroup: UInt64(CLONE_NEWCGROUP),
        .time: UInt64(CLONE_NEWTIME),
    ]

    private func creates(_ kind: RuntimeSpec.Namespace.Kind) -> Bool {
        spec.linux.namespaces.contains { $0.type == kind && $0.path == nil }
    }
    /// Made or joined: not the host's.
    private func hasOwn(_ kind: RuntimeSpec.Namespace.Kind) -> Bool {
        spec.linux.namespaces.contains { $0.type == kind }
    }

    // MARK: - File systems

    private mutating func root() throws(LaunchError) {
        switch spec.linux.rootfsPropagation {
        case nil, "private", "rprivate": steps.append(.mountPropagation(UInt64(MS_PRIVATE) | UInt64(MS_REC)))
        case "slave", "rslave": steps.append(.mountPropagation(UInt64(MS_SLAVE) | UInt64(MS_REC)))
        case let other?: throw .invalid("root file system propagation \"\(other)\" is not supported")
        }
        // What is injected, a page a file for its end, and a little for nodes and directories.
        let size = request.files.reduce(65_536) { $0 + UInt64($1.content.count) + 8192 }
        steps.append(.scratch(path: request.runDirectory, size: size))
        switch request.rootfs {
        case .overlay(let lower, let upper, let work):
            steps.append(.rootOverlay(lower: lower, upper: upper, work: work, options: []))
        case .directory(let path): steps.append(.rootDirectory(path))
        }
    }

    private mutating func add(_ mount: RuntimeSpec.Mount) throws(LaunchError) {
        let target = mount.destination
        guard target.hasPrefix("/") else { throw .invalid("mount \(target): the target must be an absolute path") }
        let options = try MountOptions(mount.options ?? [], destination: target)
        if options.isBind || mount.type == "bind" {
            guard let source = mount.source else { throw .invalid("mount \(target): a bind needs a source") }
            bind(
                source, target, set: options.set, clear: options.clear,
                propagation: options.propagation ?? UInt32(MS_PRIVATE), recursive: options.isRecursive,
                attributesRecursive: options.attributesRecursive)
            return
        }
        guard let type = mount.type else { throw .invalid("mount \(target): neither a bind nor a type") }
        if let propagation = options.propagation, propagation != UInt32(MS_PRIVATE) {
            throw .invalid("mount \(target): only binds can share mounts with the host")
        }
        switch type {
        case "cgroup", "cgroup2": cgroupView(target, options)
        case "proc", "sysfs":
            // Where a link led these elsewhere, masks would be put on the wrong files.
            steps.append(
                .mount(
                    type: type, source: type, target: target, attributes: options.set, options: options.data,
                    flags: PlanFlag.noSymlinks))
        default:
            let inherits = type == "tmpfs" && !options.data.contains { $0.hasPrefix("mode=") }
            steps.append(
                .mount(
                    type: type, source: mount.source ?? type, target: target, attributes: options.set,
                    options: options.data, flags: inherits ? PlanFlag.inheritMode : 0))
        }
    }

    private mutating func bind(
        _ source: String, _ target: String, set: UInt32, clear: UInt32 = 0, propagation: UInt32 = UInt32(MS_PRIVATE),
        recursive: Bool = false, attributesRecursive: Bool = false
    ) {
        steps.append(
            .bind(
                source: UInt32(sources.count), target: target, set: set, clear: clear, propagation: propagation,
                recursive: attributesRecursive))
        sources.append(.bindSource(path: source, recursive: recursive))
    }

    /// The container's own cgroups and nothing above them. Binds, as these need not wait for the process to be in
    /// its cgroup.
    private mutating func cgroupView(_ target: String, _ options: MountOptions) {
        switch request.cgroup {
        case .inherit: break
        case .v2(let directory):
            if hasOwn(.cgroup) {
                bind(directory, target, set: options.set)
            } else {
                steps.append(
                    .mount(
                        type: "cgroup2", source: "cgroup", target: target, attributes: options.set, options: [],
                        flags: 0))
            }
        case .v1(let hierarchies):
            steps.append(
                .mount(
                    type: "tmpfs", source: "tmpfs", target: target,
                    attributes: options.set & ~UInt32(MOUNT_ATTR_RDONLY), options: ["mode=755", "size=64k"], flags: 0))
            for hierarchy in hierarchies {
                bind(hierarchy.directory, "\(target)/\(hierarchy.name)", set: options.set)
                let controllers = hierarchy.name.split(separator: ",")
                for controller in controllers where controllers.count > 1 {
                    steps.append(.symlink(content: hierarchy.name, path: "\(target)/\(controller)"))
                }
            }
            steps.append(.mountAttributes(target: target, set: options.set))
        }
    }

    private mutating func inject(_ file: InjectedFile) throws(LaunchError) {
        guard file.path.hasPrefix("/") else {
            throw .invalid("mount \(file.path): the target must be an absolute path")
        }
        steps.append(
            .file(
                target: file.path, content: file.content, mode: file.mode, uid: file.uid, gid: file.gid,
                readOnly: file.readOnly))
    }

    // MARK: - Devices

    /// False where /dev is the host's by a bind: then nothing is made in it.
    private var hasOwnDev: Bool {
        spec.mounts.last { $0.destination == "/dev" }.map { $0.type == "tmpfs" } ?? false
    }

    private mutating func devices() throws(LaunchError) {
        if hasOwnDev {
            for (name, major, minor) in Self.standardDevices {
                let mode = UInt32(S_IFCHR) | 0o666
                steps.append(.device(path: "/dev/\(name)", mode: mode, major: major, minor: minor, uid: 0, gid: 0))
            }
            for (name, content) in Self.standardLinks { steps.append(.symlink(content: content, path: "/dev/\(name)")) }
        }
        for device in spec.linux.devices ?? [] where !Self.isStandard(device) || !hasOwnDev {
            let type: UInt32
            switch device.type {
            case "c", "u": type = UInt32(S_IFCHR)
            case "b": type = UInt32(S_IFBLK)
            case "p": type = UInt32(S_IFIFO)
            default: throw .invalid("device \(device.path): \"\(device.type)\" is not a type; c, b, u and p are")
            }
            steps.append(
                .device(
                    path: device.path, mode: type | (device.fileMode ?? 0o666) & 0o7777, major: device.major ?? 0,
                    minor: device.minor ?? 0, uid: device.uid ?? 0, gid: device.gid ?? 0))
        }
    }

    private static let standardDevices: [(String, UInt32, UInt32)] = [
        ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ]
    private static let standardLinks = [
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
    ]
    /// The standard ones are there already; one of their names with other numbers or rights takes their place.
    private static func isStandard(_ device: RuntimeSpec.Device) -> Bool {
        standardDevices.contains {
            device.path == "/dev/\($0.0)" && device.major == $0.1 && device.minor == $0.2
                && (device.fileMode ?? 0o666) & 0o7777 == 0o666 && device.uid ?? 0 == 0 && device.gid ?? 0 == 0
        }
    }

    // MARK: - Kernel parameters

    /// Only those that belong to a namespace the container has: any other would be the host's.
    private mutating func sysctls() throws(LaunchError) {
        for (name, value) in (spec.linux.sysctl ?? [:]).sorted(by: { $0.key < $1.key }) {
            let isAllowed =
                if name.hasPrefix("net.") || name.hasPrefix("net/") {
                    hasOwn(.network)
                } else if name.hasPrefix("fs.mqueue.") || Self.ipcParameters.contains(name) {
                    hasOwn(.ipc)
                } else if name == "kernel.hostname" || name == "kernel.domainname" {
                    hasOwn(.uts)
                } else {
                    false
                }
            guard isAllowed, !name.split(separator: "/").contains("..") else {
                throw .invalid("sysctl \"\(name)\" is not in a separate kernel namespace")
            }
            // An interface's name may hold dots: then the whole is written with slashes.
            let path = name.contains("/") ? name : String(name.map { $0 == "." ? "/" : $0 })
            steps.append(.sysctl(path: "sys/\(path)", value: value))
        }
    }

    private static let ipcParameters: Set<String> = [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
        "kernel.shmmni", "kernel.shm_rmid_forced",
    ]
}
