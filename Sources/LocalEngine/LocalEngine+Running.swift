internal import ComposeFile
internal import LinuxSystem
internal import Networking
public import Orchestration
internal import Runtime

extension LocalEngine {
    private var launcher: Launcher {
        Launcher(
            paths: paths, images: images, volumes: volumes, networks: networks, cgroups: cgroups, store: store)
    }

    public func startContainer(_ id: ContainerID) async throws {
        let entry = try entry(id)
        guard entry.status == .resting else { return }
        entries[id]?.status = .starting
        do {
            try await start(entry.stored)
        } catch {
            entries[id]?.status = .resting
            let code = if case EngineError.startFailed(_, _, let code) = error { code } else { Int32(128) }
            try? update(id) { state in
                state.exit = ExitRecord(code: code, finishedAt: Self.now(), error: "\(error)")
                state.startedAt = state.startedAt ?? Self.now()
                state.restarting = false
            }
            endAllWaits(for: id)
            throw error
        }
    }

    private func start(_ container: StoredContainer) async throws {
        let id = container.id
        let joined = try joinedContainers(of: container.spec)
        let held = try await holdPorts(of: container.spec)
        let launcher = launcher
        let (firewall, names) = (firewall, names)
        let result: Launcher.Result
        do {
            result = try await BlockingPool.shared.run {
                try launcher.launch(container, joining: joined) { interfaces in
                    // Known before its process runs, and so before anybody can depend on it.
                    names.announce(container, interfaces: interfaces)
                    try firewall.publish(held.flatMap { $0.published(interfaces) })
                }
            }
        } catch {
            await names.stop(container)
            try? await BlockingPool.shared.run { try firewall.withdraw(held) }
            await release(held)
            throw error
        }
        for warning in result.warnings { Self.log("container \(container.spec.name): warning: \(warning)") }
        for binding in held { binding.lead(to: result.interfaces) }
        if let sockets = result.dns {
            try await names.serve(container, networks: result.networks, sockets)
        }
        entries[id]?.held = held
        entries[id]?.status = .running(pid: result.process.pid)
        try update(id) { state in
            state.startedAt = Self.now()
            state.exit = nil
            state.restarting = false
            state.stoppedOnPurpose = false
            state.health = nil
            state.interfaces = result.interfaces
            state.publishers = held.flatMap(\.publishers)
            state.command = result.command
            state.stopSignal = result.stopSignal
        }
        emit(.started(id))
        try watch(id, shim: ProcessIdentity(pid: result.process.shimPid, startTime: result.process.shimStartTime))
    }

    /// To the supervisor's log, which its standard error is. Losing it is no reason to stop.
    private static func log(_ line: String) {
        try? Files.writeAll(2, Array("\(line)\n".utf8), subject: "log")
    }

    /// Follows the shim, which leaves only after it has recorded its container's end.
    private func watch(_ id: ContainerID, shim: ProcessIdentity) throws {
        try watcher.watch(shim) { [weak self] in
            guard let self else { return }
            Task { await self.ended(id) }
        }
    }

    private func ended(_ id: ContainerID) async {
        guard let entry = entries[id] else { return }
        let (launcher, firewall, store) = (launcher, firewall, store)
        let record = try? await BlockingPool.shared.run { () -> ExitRecord in
            let status = try store.status(of: id)
            launcher.cleanUp(after: entry.stored)
            try? firewall.withdraw(entry.held)
            if case .exited(let file) = status { return ExitRecord(file) }
            // The shim itself was killed: how its container ended is not known, only that it does not run any more.
            return ExitRecord(code: 137, finishedAt: Self.now(), error: "its monitor was killed")
        }
        let exit = record ?? ExitRecord(code: 255, finishedAt: Self.now())
        await names.stop(entry.stored)
        await release(entry.held)
        entries[id]?.held = []
        entries[id]?.status = .resting
        try? update(id) { state in
            state.exit = exit
            state.interfaces = []
            state.publishers = []
        }
        endAllWaits(for: id)
        emit(.exited(id, exit))
    }

    /// Ports are published on networks with a way out; a container on internal ones only has none.
    private func holdPorts(of spec: ContainerSpec) async throws -> [PortBinding] {
        guard spec.networkMode == nil, !spec.ports.isEmpty, try await hasWayOut(spec) else { return [] }
        var held: [PortBinding] = []
        for port in spec.ports {
            do {
                let request = try PortRequest(port, container: spec.name)
                held.append(PortBinding(port: try await ports.hold(request), target: port.target))
            } catch {
                await release(held)
                if case PortError.taken(let address, let holder) = error {
                    throw EngineError.portTaken(port: address, holder: holder)
                }
                throw error is EngineError ? error : EngineError.failed("\(error)")
            }
        }
        return held
    }

    private func hasWayOut(_ spec: ContainerSpec) async throws -> Bool {
        let networks = networks
        return try await BlockingPool.shared.run {
            try spec.networks.contains { try networks.get($0.network)?.isInternal == false }
        }
    }

    private func release(_ bindings: [PortBinding]) async {
        for binding in bindings { await ports.release(binding.port) }
    }

    private func joinedContainers(of spec: ContainerSpec) throws -> Launcher.Joined {
        var joined = Launcher.Joined()
        for wish in [spec.networkMode, spec.ipc, spec.pid].compactMap({ $0 }) where wish.hasPrefix("container:") {
            let id = try identify(String(wish.dropFirst("container:".count)))
            if case .running(let pid) = entries[id]?.status {
                joined.pids[wish] = pid
            } else if case .running(let pid) = try store.status(of: id) {
                joined.pids[wish] = pid
            }
        }
        joined.volumesFrom = try spec.volumesFrom.map { source in
            let id = try identify(source.container.value)
            guard let stored = try entries[id]?.stored ?? store.stored(id: id) else {
                throw EngineError.noSuchContainer(source.container.value)
            }
            return (stored, source.readOnly)
        }
        return joined
    }

    /// An id of ours, or what a user wrote after `container:`: the name of any container on this host.
    private func identify(_ text: String) throws -> ContainerID {
        if entries[ContainerID(text)] != nil { return ContainerID(text) }
        if let own = entries.values.first(where: { $0.stored.spec.name == text }) { return own.stored.id }
        guard let project = try store.project(ofContainerNamed: text),
            let stored = try store.directory(named: text, of: project).readConfig()
        else { return ContainerID(text) }
        return stored.id
    }

    // MARK: Adoption and leaving

    /// Takes over what an earlier supervisor left: reads every container, and for those that run opens their names and
    /// ports again.
    /// - Throws: ``SystemError``; an unreadable record.
    public func adopt() async throws {
        let (store, project) = (store, project)
        let found = try await BlockingPool.shared.run {
            try store.stored(of: project).map { stored, directory in
                (stored, try directory.readState(), try store.status(of: stored.id))
            }
        }
        for (stored, state, status) in found {
            var entry = Entry(stored: stored, state: state, status: .resting)
            if case .running(let pid) = status { entry.status = .running(pid: pid) }
            entries[stored.id] = entry
        }
        for (stored, state, status) in found {
            switch status {
            case .running: await readopt(stored, state)
            case .exited(let file):
                // Ended while nobody watched.
                try update(stored.id) { $0.exit = ExitRecord(file) }
                let launcher = launcher
                try await BlockingPool.shared.run { launcher.cleanUp(after: stored) }
            case .gone: break
            }
        }
        try await restoreFirewall()
    }

    private func readopt(_ stored: StoredContainer, _ state: StoredState) async {
        let (networks, run) = (networks, paths.containerRun(stored.id.value))
        guard case .running(let pid) = entries[stored.id]?.status else { return }
        if !state.interfaces.isEmpty {
            names.announce(stored, interfaces: state.interfaces)
            let reopened = try? await BlockingPool.shared.run {
                (
                    try networks.openDNSSockets(pid: pid),
                    try stored.spec.networks.compactMap { try networks.get($0.network) }
                )
            }
            if let (sockets, records) = reopened { try? await names.serve(stored, networks: records, sockets) }
        }
        var held: [PortBinding] = []
        for publisher in state.publishers where !held.contains(where: { $0.publishers.contains(publisher) }) {
            // Where both families were bound they are bound again together.
            var request = PortRequest(publisher, container: stored.spec.name)
            if publisher.hostIP == "0.0.0.0" { request.hostIP = nil }
            // A port that somebody else took meanwhile is lost to the listener, not to the kernel's translation.
            guard let port = try? await ports.hold(request) else { continue }
            let binding = PortBinding(port: port, target: publisher.target)
            binding.lead(to: state.interfaces)
            held.append(binding)
        }
        entries[stored.id]?.held = held
        if let processes = try? await BlockingPool.shared.run({ try ContainerProcesses.processes(runDirectory: run) }) {
            try? watch(stored.id, shim: processes.shim)
        }
    }

    private func restoreFirewall() async throws {
        let published = entries.values.flatMap { entry in
            entry.held.flatMap { $0.published(entry.state.interfaces) }
        }
        let (networks, firewall, project) = (networks, firewall, project)
        try await BlockingPool.shared.run {
            let own = try networks.list().filter { $0.labels[Label.project] == project }
            for network in own { try networks.ensure(network) }
            try firewall.apply(networks: own, published: published)
        }
        try watchFirewall()
    }

    /// Lets go of sockets before the process ends; containers run on.
    public func shutDown() async {
        for entry in entries.values { await release(entry.held) }
        if entries.isEmpty {
            let path = paths.project(project)
            try? await BlockingPool.shared.run { try Files.removeTree(path) }
        }
    }

    // MARK: Probes and records

    /// Probes wait for what they run: they must not keep threads from those that start and stop containers.
    private static let probes = BlockingPool(limit: 64)

    public func exec(_ id: ContainerID, _ request: ExecRequest) async throws -> ExecResult {
        let entry = try entry(id)
        guard case .running = entry.status else { throw EngineError.notRunning(entry.stored.spec.name) }
        let (paths, stored) = (paths, entry.stored)
        return try await Self.probes.run { try ContainerExec(paths: paths, container: stored).capture(request) }
    }

    public func recordHealth(_ id: ContainerID, _ health: HealthRecord) async throws {
        let before = entries[id]?.state.health?.status
        try update(id) { $0.health = health }
        if before != health.status { emit(.health(id, health.status)) }
    }

    public func recordRestart(_ id: ContainerID, count: Int, restarting: Bool) async throws {
        try update(id) { state in
            state.restartCount = count
            state.restarting = restarting
        }
    }
}
