internal import ComposeFile
internal import LinuxSystem
internal import Networking
public import Orchestration
internal import Runtime

extension LocalEngine {
    var launcher: Launcher {
        Launcher(
            paths: paths, images: images, volumes: volumes, networks: networks, cgroups: cgroups, store: store)
    }

    public func startContainer(_ id: ContainerID) async throws {
        await waitForStart(of: id)
        let entry = try entry(id)
        guard entry.status == .resting else { return }
        entries[id]?.status = .starting
        defer { startEnded(id) }
        do {
            try await start(entry)
        } catch {
            entries[id]?.status = .resting
            let code = if case EngineError.startFailed(_, _, let code) = error { code } else { Int32(128) }
            record(id) { state in
                state.exit = ExitRecord(code: code, finishedAt: Self.now(), error: "\(error)")
                state.startedAt = state.startedAt ?? Self.now()
                state.restarting = false
                state.interfaces = []
                state.publishers = []
            }
            endAllWaits(for: id)
            throw error
        }
    }

    private func start(_ entry: Entry) async throws {
        let (container, before) = (entry.stored, entry.state)
        let id = container.id
        let directory = try directory(of: id)
        let joined = try joinedContainers(of: container.spec)
        let held = try await holdPorts(of: container.spec)
        let launcher = launcher
        let (firewall, names) = (firewall, names)
        let result: Launcher.Result
        let state: StoredState
        do {
            (result, state) = try await BlockingPool.shared.run {
                var state = before
                let result = try launcher.launch(container, joining: joined) { ready in
                    // Known before its process runs, and so before anybody can depend on it.
                    names.announce(container, interfaces: ready.interfaces)
                    try firewall.publish(held.flatMap { $0.published(ready.interfaces) })
                    state.startedAt = Self.now()
                    state.exit = nil
                    state.restarting = false
                    state.stoppedOnPurpose = false
                    state.health = nil
                    state.interfaces = ready.interfaces
                    state.publishers = held.flatMap(\.publishers)
                    state.command = ready.command
                    state.stopSignal = ready.stopSignal
                    // On disk before the process runs: whoever adopts it after a crash has to know all this.
                    try directory.write(state)
                }
                return (result, state)
            }
        } catch {
            await giveBack(container, held)
            throw error
        }
        for warning in result.warnings { EngineLog.write("container \(container.spec.name): \(warning)") }
        for binding in held { binding.lead(to: result.interfaces) }
        do {
            if let sockets = result.dns {
                try await names.serve(container, networks: result.networks, sockets)
            }
            try watch(id, shim: ProcessIdentity(pid: result.process.shimPid, startTime: result.process.shimStartTime))
        } catch {
            // It runs, but nobody would hear of its end, or it could not ask for a name.
            try? await BlockingPool.shared.run { launcher.cleanUp(after: container) }
            await giveBack(container, held)
            throw error
        }
        // Without a pause from here on: should it have ended already, that is handled after this.
        entries[id]?.held = held
        entries[id]?.state = state
        entries[id]?.status = .running(pid: result.process.pid)
        emit(.started(id))
    }

    /// Names and ports of a start that failed.
    private func giveBack(_ container: StoredContainer, _ held: [PortBinding]) async {
        let firewall = firewall
        await names.stop(container)
        try? await BlockingPool.shared.run {
            EngineLog.attempt("container \(container.spec.name)") { try firewall.withdraw(held) }
        }
        await release(held)
    }

    /// Follows the shim, which leaves only after it has recorded its container's end.
    func watch(_ id: ContainerID, shim: ProcessIdentity) throws {
        try watcher.watch(shim) { [weak self] in
            guard let self else { return }
            Task { await self.ended(id) }
        }
    }

    private func ended(_ id: ContainerID) async {
        guard let entry = entries[id] else { return }
        let (launcher, firewall, store) = (launcher, firewall, store)
        let status = try? await BlockingPool.shared.run { try store.status(of: id) }
        let exit: ExitRecord
        if case .exited(let file)? = status {
            exit = ExitRecord(file)
        } else {
            // The shim itself was killed: how its container ended is not known, only that it does not run any more.
            exit = ExitRecord(code: 137, finishedAt: Self.now(), error: "its monitor was killed")
        }
        // On disk before the shim's own record goes, so that a crash in between does not lose it.
        record(id) { state in
            state.exit = exit
            state.interfaces = []
            state.publishers = []
        }
        try? await BlockingPool.shared.run {
            launcher.cleanUp(after: entry.stored)
            EngineLog.attempt("container \(entry.stored.spec.name)") { try firewall.withdraw(entry.held) }
        }
        await names.stop(entry.stored)
        await release(entry.held)
        entries[id]?.held = []
        entries[id]?.status = .resting
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

    func release(_ bindings: [PortBinding]) async {
        for binding in bindings { await ports.release(binding.port) }
    }

    private func joinedContainers(of spec: ContainerSpec) throws -> Launcher.Joined {
        var joined = Launcher.Joined()
        for wish in [spec.networkMode, spec.ipc, spec.pid].compactMap({ $0 }) where wish.hasPrefix("container:") {
            let id = try identify(String(wish.dropFirst("container:".count)))
            if wish == spec.networkMode { joined.network = try entries[id]?.stored ?? store.stored(id: id) }
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
