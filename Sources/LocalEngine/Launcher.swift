internal import CLinux
internal import ComposeFile
internal import Images
internal import LinuxSystem
internal import Networking
internal import OCI
internal import Orchestration
internal import Runtime
internal import SystemPackage
internal import Volumes

/// Starting one container, from what is stored to a running process. Everything here blocks.
struct Launcher: Sendable {
    let paths: HostPaths
    let images: ImageStore
    let volumes: VolumeStore
    let networks: NetworkManager
    let cgroups: CgroupManager
    let store: ContainerStore

    /// What is running now.
    struct Result: Sendable {
        var process: LaunchedContainer
        var interfaces: [AttachedInterface]
        var dns: DNSSockets?
        /// Those it is on.
        var networks: [NetworkRecord]
        /// What was asked for and this host cannot give.
        var warnings: [String]
    }

    /// What is known of a container that is about to be executed.
    struct Ready {
        var interfaces: [AttachedInterface]
        var command: [String]
        var stopSignal: String?
    }

    /// - Parameter ready: called when the container has its addresses and before its process is executed.
    /// - Throws: ``EngineError``. Nothing of the attempt is left then.
    func launch(
        _ container: StoredContainer, joining others: Joined, ready: (Ready) throws -> Void
    ) throws -> Result {
        let name = container.spec.name
        do {
            return try attempt(container, joining: others, ready: ready)
        } catch {
            cleanUp(after: container)
            switch error {
            case let error as EngineError: throw error
            case let error as LaunchError:
                throw EngineError.startFailed(container: name, reason: error.description, code: error.exitCode)
            default: throw EngineError.startFailed(container: name, reason: "\(error)", code: 128)
            }
        }
    }

    /// Containers whose namespaces or volumes this one shares.
    struct Joined: Sendable {
        /// By `container:<id>` reference: the pid of a running container.
        var pids: [String: Int32] = [:]
        var volumesFrom: [(StoredContainer, readOnly: Bool)] = []
        /// Whose network, host name and files of /etc it has.
        var network: StoredContainer?
    }

    private func attempt(
        _ container: StoredContainer, joining others: Joined, ready: (Ready) throws -> Void
    ) throws -> Result {
        let spec = container.spec
        let directory = store.directory(named: spec.name, of: container.project)
        guard let image = try images.resolve(spec.imageID) else { throw EngineError.noSuchImage(spec.image) }
        let layers = try images.layers(of: image)
        let defaults = image.config.config ?? .init()
        let hostname = try hostname(of: container, others)
        let namespaces = try joinedNamespaces(spec, others)

        if others.network == nil { try writeEtcFiles(directory, spec, hostname: hostname, network: spec.networkMode) }
        let mounts = try MountPlanner(
            volumes: volumes,
            directory: others.network.map { store.directory(named: $0.spec.name, of: $0.project) } ?? directory,
            container: container, rootLayers: [directory.upper] + layers
        ).mounts(volumesFrom: others.volumesFrom)

        let userText = spec.user ?? defaults.user ?? ""
        let user = try users(of: [directory.upper] + layers).resolve(userText, additionalGroups: spec.groupAdd)
        let security = try SecurityOptions(parsing: spec.securityOpt)
        let runtimeSpec = try SpecBuilder(
            container: container, image: defaults, user: user, hostname: hostname, mounts: mounts,
            security: security, joined: namespaces
        ).build()

        let cgroup = try cgroups.create(
            container.id.value, resources: runtimeSpec.linux.resources ?? .init(), parent: spec.cgroupParent)
        var request = LaunchRequest(
            id: container.id.value, spec: runtimeSpec,
            rootfs: .overlay(lower: layers, upper: directory.upper, work: directory.work),
            runDirectory: paths.containerRun(container.id.value))
        request.log = try logOptions(spec, directory)
        request.openStdin = spec.openStdin
        request.initProcess = spec.initProcess
        request.files = try injectedFiles(spec)
        request.cgroup = cgroup.placement
        request.seccomp = try runtimeSpec.linux.seccomp.map { try SeccompCompiler(paths: paths).bpf(for: $0) } ?? []
        // An exit file that an earlier run left would be taken for this one's.
        try Files.removeTree(request.runDirectory)
        try RunRecord.write(runtimeSpec, seccomp: request.seccomp, in: request.runDirectory)

        var interfaces: [AttachedInterface] = []
        var sockets: DNSSockets?
        let process = try ContainerRuntime.launch(request) { pid in
            if spec.networkMode == nil || spec.networkMode == "none" {
                let attached = try networks.attach(AttachRequest(container, pid: pid))
                interfaces = attached.interfaces
                sockets = attached.dns
                try writeHosts(directory, spec, hostname: hostname, interfaces: interfaces)
            }
            try ready(
                Ready(
                    interfaces: interfaces, command: runtimeSpec.process?.args ?? [],
                    stopSignal: spec.stopSignal ?? defaults.stopSignal))
        }
        return Result(
            process: process, interfaces: interfaces, dns: sockets,
            networks: try spec.networks.compactMap { try networks.get($0.network) },
            warnings: Self.ungranted(runtimeSpec) + cgroup.warnings.map(\.description) + process.warnings)
    }

    private static func ungranted(_ spec: RuntimeSpec) -> [String] {
        let names = Capabilities.ungrantable(spec.process?.capabilities?.bounding ?? [])
        return names.isEmpty
            ? [] : ["\(names.joined(separator: ", ")) cannot be granted: this host does not have it to give"]
    }

    /// Gives back what a run held: cgroups, addresses, what it left in /run. That goes last and only after the rest:
    /// where it is still there, something is still to be given back.
    func cleanUp(after container: StoredContainer) {
        // Each by itself: one that fails must not keep the others from being given back.
        var isClean = true
        func attempt(_ body: () throws -> Void) {
            do { try body() } catch {
                isClean = false
                EngineLog.write("cleaning up after container \(container.spec.name): \(error)")
            }
        }
        attempt {
            let cgroup = try cgroups.handle(container.id.value, parent: container.spec.cgroupParent)
            guard cgroup.exists else { return }
            try cgroup.killAll()
            try cgroup.remove()
        }
        attempt {
            try networks.release(container: container.id.value, networks: container.spec.networks.map(\.network))
        }
        if isClean { attempt { try Files.removeTree(paths.containerRun(container.id.value)) } }
    }

    // MARK: Parts

    private func users(of layers: [String]) throws -> UserDatabase {
        try UserDatabase(layers: layers) ?? UserDatabase(root: DetachedMount.overlay(lower: layers))
    }

    private func joinedNamespaces(
        _ spec: ContainerSpec, _ others: Joined
    ) throws -> [RuntimeSpec.Namespace.Kind: String] {
        let wishes: [(RuntimeSpec.Namespace.Kind, String?, String)] = [
            (.network, spec.networkMode, "net"), (.ipc, spec.ipc, "ipc"), (.pid, spec.pid, "pid"),
            (.uts, spec.uts, "uts"), (.cgroup, spec.cgroupNamespace, "cgroup"),
        ]
        var result: [RuntimeSpec.Namespace.Kind: String] = [:]
        for (kind, wish, file) in wishes {
            switch wish {
            case "host": result[kind] = ""
            case let wish? where wish.hasPrefix("container:"):
                guard let pid = others.pids[wish] else {
                    throw EngineError.startFailed(
                        container: spec.name, reason: "\(wish), whose \(file) namespace it shares, is not running",
                        code: 128)
                }
                result[kind] = "/proc/\(pid)/ns/\(file)"
            default: break
            }
        }
        return result
    }

    /// As Docker has it: with the network of the host or of another container goes that one's name.
    private func hostname(of container: StoredContainer, _ others: Joined) throws -> String {
        if let own = container.spec.hostname { return own }
        if let network = others.network { return network.spec.hostname ?? network.id.short }
        guard container.spec.networkMode == "host" else { return container.id.short }
        let lines = try Files.readString("/proc/sys/kernel/hostname").split(separator: "\n")
        return lines.first.map(String.init) ?? container.id.short
    }

    private func logOptions(_ spec: ContainerSpec, _ directory: ContainerDirectory) throws -> LogOptions {
        switch spec.loggingDriver {
        case "none": return LogOptions(path: nil, maxSize: 0, maxFiles: 1)
        case nil, "json-file", "local":
            let limits = try LogLimits(spec.loggingOptions)
            return LogOptions(path: directory.log, maxSize: limits.maxSize, maxFiles: limits.maxFiles)
        case let driver?:
            throw EngineError.unsupported(
                "logging driver \"\(driver)\" is not done yet: json-file, local and none are")
        }
    }

    private func injectedFiles(_ spec: ContainerSpec) throws -> [InjectedFile] {
        try spec.files.compactMap { file in
            guard case .content(let text) = file.source else { return nil }
            func number(_ text: String?, _ what: String) throws -> UInt32 {
                guard let text else { return 0 }
                guard let value = UInt32(text) else {
                    throw EngineError.failed("\(file.target): \(what) \"\(text)\" is not a number")
                }
                return value
            }
            return InjectedFile(
                path: file.target, content: Array(text.utf8), mode: file.mode ?? 0o444,
                uid: try number(file.uid, "uid"), gid: try number(file.gid, "gid"))
        }
    }

    // MARK: /etc

    /// The three files of /etc that Docker puts in place; their addresses come later, in place.
    private func writeEtcFiles(
        _ directory: ContainerDirectory, _ spec: ContainerSpec, hostname: String, network: String?
    ) throws {
        let hostResolver = (try? Files.readString("/etc/resolv.conf")) ?? ""
        let kind: ContainerFiles.Resolver =
            switch network {
            case "host": .host
            case "none": .unreachable
            default: .embedded
            }
        let resolver = ContainerFiles.resolvConf(
            kind, dns: spec.dns, search: spec.dnsSearch, options: spec.dnsOptions, host: hostResolver)
        try Files.replace(directory.resolvConf, with: Array(resolver.utf8))
        try Files.replace(directory.hostname, with: Array("\(hostname)\n".utf8))
        try writeHosts(directory, spec, hostname: hostname, interfaces: [])
    }

    /// In place: the file may already be mounted.
    private func writeHosts(
        _ directory: ContainerDirectory, _ spec: ContainerSpec, hostname: String, interfaces: [AttachedInterface]
    ) throws {
        let gateways = interfaces.compactMap(\.ipv4Gateway)
        let text: String
        if spec.networkMode == "host" {
            text = try ContainerFiles.hosts(
                host: (try? Files.readString("/etc/hosts")) ?? "", extraHosts: spec.extraHosts,
                hostGateway: [IPAddress("127.0.0.1")!])
        } else if interfaces.isEmpty, !spec.networks.isEmpty {
            // Known when the interfaces are there; until then the mount only needs a file.
            text = ""
        } else {
            text = try ContainerFiles.hosts(
                hostname: hostname, domainname: spec.domainname,
                addresses: interfaces.flatMap { [$0.ipv4, $0.ipv6].compactMap { $0 } }, extraHosts: spec.extraHosts,
                hostGateway: Array(gateways.prefix(1)), ipv6Loopback: true)
        }
        let file = try OwnedDescriptor.open(directory.hosts, O_WRONLY | O_CREAT | O_TRUNC)
        try Files.writeAll(file.raw, Array(text.utf8), subject: directory.hosts)
    }
}

/// `max-size` and `max-file` of json-file. Without a size logs would grow without end; they are cut at 100 MiB.
struct LogLimits: Equatable {
    var maxSize: UInt64 = 100 << 20
    var maxFiles: UInt32 = 3

    /// - Throws: ``EngineError/failed(_:)`` for an option that is not known or not well-formed.
    init(_ options: [String: String]) throws {
        for (name, value) in options.sorted(by: { $0.key < $1.key }) {
            switch name {
            case "max-size":
                guard let bytes = Self.bytes(value) else {
                    throw EngineError.failed("logging option max-size: \"\(value)\" is no size such as 10m")
                }
                maxSize = bytes
                if options["max-file"] == nil { maxFiles = 1 }
            case "max-file":
                guard let count = UInt32(value), count > 0 else {
                    throw EngineError.failed("logging option max-file: \"\(value)\" is no number of files")
                }
                maxFiles = count
            case "mode" where value == "blocking", "compress" where value == "false": break
            default:
                throw EngineError.unsupported(
                    "logging option \(name)=\(value) is not done yet: max-size and max-file are")
            }
        }
    }

    private static func bytes(_ text: String) -> UInt64? {
        let units: [Character: UInt64] = ["b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30]
        var number = text.lowercased()[...]
        if number == "-1" { return 0 }
        if number.hasSuffix("b"), number.count > 1, let last = number.dropLast().last, units[last] != nil {
            number = number.dropLast()
        }
        guard let last = number.last else { return nil }
        let factor = units[last]
        if factor != nil { number = number.dropLast() }
        guard let bytes = UInt64(number)?.multipliedReportingOverflow(by: factor ?? 1), !bytes.overflow else {
            return nil
        }
        return bytes.partialValue
    }
}
