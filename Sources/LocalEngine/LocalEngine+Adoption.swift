internal import ComposeFile
internal import LinuxSystem
internal import Networking
internal import Orchestration
internal import Runtime

/// Taking over from an earlier supervisor, and leaving to a later one.
extension LocalEngine {
    /// Reads every container, opens names and ports of those that run again, and gives back what those that ended
    /// unseen had.
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
            if case .running(let pid) = status {
                await reopen(stored, state, pid: pid)
                continue
            }
            if case .exited(let file) = status {
                try update(stored.id) { state in
                    state.exit = ExitRecord(file)
                    state.interfaces = []
                    state.publishers = []
                }
            }
            // Also of one that was never seen to run: a start that was cut off, or the host's last run, left addresses.
            let launcher = launcher
            try await BlockingPool.shared.run { launcher.cleanUp(after: stored) }
        }
        try await restoreFirewall()
        // Only now: the end of one must not take its rules back before they are there.
        for (stored, _, status) in found {
            if case .running = status { try await follow(stored) }
        }
    }

    private func follow(_ stored: StoredContainer) async throws {
        let run = paths.containerRun(stored.id.value)
        let processes = try await BlockingPool.shared.run { try ContainerProcesses.processes(runDirectory: run) }
        guard let processes else { throw EngineError.failed("\(run)/pid is gone while the container runs") }
        try watch(stored.id, shim: processes.shim)
    }

    /// Names and ports of a container that runs.
    private func reopen(_ stored: StoredContainer, _ state: StoredState, pid: Int32) async {
        let name = stored.spec.name
        if !state.interfaces.isEmpty {
            names.announce(stored, interfaces: state.interfaces)
            let networks = networks
            do {
                let (sockets, records) = try await BlockingPool.shared.run {
                    (
                        try networks.openDNSSockets(pid: pid),
                        try stored.spec.networks.compactMap { try networks.get($0.network) }
                    )
                }
                try await names.serve(stored, networks: records, sockets)
            } catch {
                EngineLog.write("container \(name): its DNS server could not be started again: \(error)")
            }
        }
        var held: [PortBinding] = []
        for publisher in state.publishers where !held.contains(where: { $0.publishers.contains(publisher) }) {
            var request = PortRequest(publisher, container: name)
            // Where both families were bound they are bound again together.
            var other = publisher
            other.hostIP = "::"
            if publisher.hostIP == "0.0.0.0", state.publishers.contains(other) { request.hostIP = nil }
            do {
                let binding = PortBinding(port: try await holdAgain(request), target: publisher.target)
                binding.lead(to: state.interfaces)
                held.append(binding)
            } catch {
                // Somebody took it while no supervisor held it: it is theirs now.
                EngineLog.write("container \(name): port \(publisher.published) is not published any more: \(error)")
            }
        }
        entries[stored.id]?.held = held
        let publishers = held.flatMap(\.publishers)
        if publishers != state.publishers { record(stored.id) { $0.publishers = publishers } }
    }

    /// The sockets of a supervisor that was killed may be closed a moment after its lock is free.
    private func holdAgain(_ request: PortRequest) async throws -> HeldPort {
        for _ in 0..<10 {
            do { return try await ports.hold(request) } catch PortError.taken {
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        return try await ports.hold(request)
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
}
