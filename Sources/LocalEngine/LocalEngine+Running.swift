internal import ComposeFile
public import LinuxSystem
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
        let firewall = firewall
        let result: Launcher.Result
        do {
            result = try await BlockingPool.shared.run {
                try launcher.launch(container, joining: joined) { interfaces in
                    try firewall.publish(PublishedPort.all(held, interfaces))
                }
            }
        } catch {
            try? await BlockingPool.shared.run { try firewall.withdraw(held) }
            await ports.release(held)
            throw error
        }
        for port in held { await ports.setTarget(port, result.interfaces) }
        if let sockets = result.dns { try await names.serve(container, interfaces: result.interfaces, sockets) }
        entries[id]?.held = held
        entries[id]?.status = .running(pid: result.process.pid)
        try update(id) { state in
            state.startedAt = Self.now()
            state.exit = nil
            state.restarting = false
            state.stoppedOnPurpose = false
            state.health = nil
            state.interfaces = result.interfaces
            state.publishers = held.map(Publisher.init)
            state.command = result.command
            state.stopSignal = result.stopSignal
        }
        watch(id, process: result.process)
        emit(.started(id))
    }

    /// Follows the shim, which leaves only after it has recorded its container's end.
    func watch(_ id: ContainerID, process: LaunchedContainer) {
        watcher.watch(pid: process.shimPid, startTime: process.shimStartTime) { [weak self] in
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
            try firewall.withdraw(entry.held)
            if case .exited(let file) = status { return ExitRecord(file) }
            // The shim itself was killed: how its container ended is not known, only that it does not run any more.
            return ExitRecord(code: 137, finishedAt: Self.now(), error: "its monitor was killed")
        }
        let exit = record ?? ExitRecord(code: 255, finishedAt: Self.now())
        await names.stop(entry.stored)
        await ports.release(entry.held)
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

    private func holdPorts(of spec: ContainerSpec) async throws -> [HeldPort] {
        guard spec.networkMode == nil || spec.networkMode == "bridge" else { return [] }
        var held: [HeldPort] = []
        for port in spec.ports {
            do {
                held.append(try await ports.hold(PortRequest(port)))
            } catch {
                await ports.release(held)
                if case PortError.taken(let address, let holder) = error {
                    throw EngineError.portTaken(port: address, holder: holder)
                }
                throw EngineError.failed("port \(port.published):\(port.target): \(error)")
            }
        }
        return held
    }

    private func joinedContainers(of spec: ContainerSpec) throws -> Launcher.Joined {
        var joined = Launcher.Joined()
        for wish in [spec.networkMode, spec.ipc, spec.pid].compactMap({ $0 }) where wish.hasPrefix("container:") {
            let id = ContainerID(String(wish.dropFirst("container:".count)))
            if case .running(let pid) = entries[id]?.status {
                joined.pids[wish] = pid
            } else if case .running(let process) = try store.status(of: id) {
                joined.pids[wish] = process
            }
        }
        joined.volumesFrom = try spec.volumesFrom.map { (try entry($0.container).stored, $0.readOnly) }
        return joined
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
            if case .running(let process) = status { entry.status = .running(pid: process) }
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
        if !state.interfaces.isEmpty,
            let sockets = try? await BlockingPool.shared.run({ try networks.openDNSSockets(pid: pid) })
        {
            try? await names.serve(stored, interfaces: state.interfaces, sockets)
        }
        var held: [HeldPort] = []
        for publisher in state.publishers {
            // A port that somebody else took meanwhile is lost to the listener, not to NAT.
            if let port = try? await ports.hold(PortRequest(publisher)) {
                await ports.setTarget(port, state.interfaces)
                held.append(port)
            }
        }
        entries[stored.id]?.held = held
        if let process = try? ContainerProcesses.launched(runDirectory: run) { watch(stored.id, process: process) }
    }

    private func restoreFirewall() async throws {
        let published = entries.values.flatMap { PublishedPort.all($0.held, $0.state.interfaces) }
        let (networks, firewall, project) = (networks, firewall, project)
        try await BlockingPool.shared.run {
            let own = try networks.list().filter { $0.labels[Label.project] == project }
            for network in own { try networks.ensure(network) }
            try firewall.apply(networks: own, published: published)
        }
    }

    /// Lets go of sockets before the process ends; containers run on.
    public func shutDown() async {
        for entry in entries.values { await ports.release(entry.held) }
        if entries.isEmpty {
            let path = paths.project(project)
            try? await BlockingPool.shared.run { try Files.removeTree(path) }
        }
    }

    // MARK: Probes and records

    public func exec(_ id: ContainerID, _ request: ExecRequest) async throws -> ExecResult {
        let entry = try entry(id)
        guard case .running = entry.status else { throw EngineError.notRunning(entry.stored.spec.name) }
        let (store, stored) = (store, entry.stored)
        return try await BlockingPool.probes.run {
            try ContainerExec(store: store, container: stored).capture(request)
        }
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
