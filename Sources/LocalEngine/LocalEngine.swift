internal import ComposeFile
internal import Images
public import LinuxSystem
internal import Networking
public import NIOCore
public import Orchestration
internal import Runtime
internal import SystemPackage
internal import Volumes

/// ``Engine`` on this host, for one project: the only writer of that project's state. What it knows of its containers
/// it reads once, at ``adopt()``, and then follows through their exits.
public actor LocalEngine: Engine {
    let project: String
    let paths: HostPaths
    let store: ContainerStore
    let images: ImageStore
    let volumes: VolumeStore
    let networks: NetworkManager
    let firewall: FirewallKeeper
    let names: NameService
    let ports: PortHolder
    let watcher: ExitWatcher
    private var firewallWatch: FirewallWatch?
    let cgroups: CgroupManager

    /// A container in memory: what is on disk, and what this process holds for it.
    struct Entry {
        var stored: StoredContainer
        var state: StoredState
        var status: Phase
        var held: [PortBinding] = []

        enum Phase: Equatable {
            case resting
            case starting
            case running(pid: Int32)
        }
    }
    var entries: [ContainerID: Entry] = [:]
    private var listeners: [Int: AsyncStream<EngineEvent>.Continuation] = [:]
    private var nextListener = 0
    /// Those who wait for a container's end, by a number of their own.
    private var exitWaiters: [ContainerID: [Int: CheckedContinuation<Bool, Never>]] = [:]
    private var nextWaiter = 0
    /// Those who wait for a start that is under way.
    private var startWaiters: [ContainerID: [CheckedContinuation<Void, Never>]] = [:]

    /// - Throws: ``SystemError`` where the stores cannot be opened.
    public init(project: String, paths: HostPaths, group: any EventLoopGroup) async throws {
        self.project = project
        self.paths = paths
        store = ContainerStore(paths: paths)
        images = ImageStore(paths: paths)
        volumes = VolumeStore(paths: paths)
        networks = NetworkManager(paths: paths)
        firewall = FirewallKeeper(project: project)
        names = NameService(group: group)
        ports = PortHolder(group: group) { PortBinding.supervisedProject(by: $0) }
        cgroups = try CgroupManager.detect()
        watcher = try ExitWatcher()
    }

    /// Whether there is anything to look after.
    public enum Occupancy: Sendable, Equatable {
        /// No containers.
        case empty
        /// None that runs or is going to.
        case stopped
        case running
    }

    public var occupancy: Occupancy {
        if entries.isEmpty { return .empty }
        return entries.values.contains { $0.status != .resting || $0.state.restarting } ? .running : .stopped
    }

    /// Puts rules back that somebody else takes away, from now on.
    func watchFirewall() throws {
        let firewall = firewall
        firewallWatch = try Firewall.watchFlush { _ in
            EngineLog.attempt("putting the packet filter right") { try firewall.repair() }
        }
    }

    // MARK: Events

    public func events() -> AsyncStream<EngineEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: EngineEvent.self)
        let number = nextListener
        nextListener += 1
        listeners[number] = continuation
        continuation.onTermination = { _ in Task { await self.removeListener(number) } }
        return stream
    }

    private func removeListener(_ number: Int) { listeners[number] = nil }

    func emit(_ event: EngineEvent) {
        for listener in listeners.values { listener.yield(event) }
    }

    /// Whether the container ends within `limit`; without one, waits for ever.
    @discardableResult
    func waitForExit(of id: ContainerID, within limit: Duration?) async -> Bool {
        guard let entry = entries[id], entry.status != .resting else { return true }
        nextWaiter += 1
        let number = nextWaiter
        let timer = limit.map { limit in
            Task {
                try? await Task.sleep(for: limit)
                self.endWait(of: id, number, exited: false)
            }
        }
        defer { timer?.cancel() }
        return await withCheckedContinuation { exitWaiters[id, default: [:]][number] = $0 }
    }

    private func endWait(of id: ContainerID, _ number: Int, exited: Bool) {
        exitWaiters[id]?.removeValue(forKey: number)?.resume(returning: exited)
    }

    func endAllWaits(for id: ContainerID) {
        for waiter in (exitWaiters.removeValue(forKey: id) ?? [:]).values { waiter.resume(returning: true) }
    }

    /// Returns when no start of the container is under way.
    func waitForStart(of id: ContainerID) async {
        while entries[id]?.status == .starting {
            await withCheckedContinuation { startWaiters[id, default: []].append($0) }
        }
    }

    func startEnded(_ id: ContainerID) {
        for waiter in startWaiters.removeValue(forKey: id) ?? [] { waiter.resume() }
    }

    // MARK: Looking

    public func observe(project: String) async throws -> ObservedProject {
        var observed = ObservedProject()
        let (networks, volumes) = (networks, volumes)
        (observed.networks, observed.volumes) = try await BlockingPool.shared.run {
            (
                try networks.list().filter { $0.labels[Label.project] == project }
                    .map { ObservedNetwork(name: $0.name, labels: $0.labels) },
                try volumes.list().filter { $0.labels[Label.project] == project }
                    .map { ObservedVolume(name: $0.name, labels: $0.labels) }
            )
        }
        // Last, so that what was told while the others were read is not taken back.
        observed.containers = entries.values.map(observation).sorted { $0.spec.name < $1.spec.name }
        return observed
    }

    func observation(_ entry: Entry) -> ObservedContainer {
        let status: RuntimeStatus
        switch entry.status {
        case .running(let pid): status = .running(pid: pid)
        case .resting, .starting: status = .gone
        }
        return ContainerStore.observe(entry.stored, state: entry.state, status: status)
    }

    func entry(_ id: ContainerID) throws -> Entry {
        guard let entry = entries[id] else { throw EngineError.noSuchContainer(id.short) }
        return entry
    }

    func directory(of id: ContainerID) throws -> ContainerDirectory {
        store.directory(named: try entry(id).stored.spec.name, of: project)
    }

    /// Changes a container's state in memory and on disk.
    func update(_ id: ContainerID, _ change: (inout StoredState) -> Void) throws {
        guard var entry = entries[id] else { return }
        change(&entry.state)
        entries[id] = entry
        try store.directory(named: entry.stored.spec.name, of: project).write(entry.state)
    }

    /// The same where nothing can be done about a disk that does not take it.
    func record(_ id: ContainerID, _ change: (inout StoredState) -> Void) {
        EngineLog.attempt("container \(id.short)") { try update(id, change) }
    }

    // MARK: Images

    public func image(_ reference: String) async throws -> ImageSummary? {
        let images = images
        return try await BlockingPool.shared.run {
            try images.resolve(reference).map { ImageSummary($0) }
        }
    }

    public func removeImage(_ reference: String) async throws {
        let (images, store) = (images, store)
        try await BlockingPool.shared.run {
            let used = Set(try store.projects().flatMap(\.containers).map(\.spec.imageID))
            _ = try images.remove(reference, isInUse: { used.contains($0) })
        }
    }

    // MARK: Networks

    public func network(named name: String) async throws -> ObservedNetwork? {
        let networks = networks
        return try await BlockingPool.shared.run {
            try networks.get(name).map { ObservedNetwork(name: $0.name, labels: $0.labels) }
        }
    }

    public func createNetwork(_ spec: NetworkSpec) async throws {
        let (networks, firewall) = (networks, firewall)
        try await BlockingPool.shared.run {
            let record = try networks.create(NetworkRequest(spec))
            try firewall.add(record)
        }
    }

    public func removeNetwork(named name: String) async throws {
        let (networks, firewall) = (networks, firewall)
        try await BlockingPool.shared.run {
            guard let record = try networks.get(name) else { return }
            do {
                try networks.remove(name)
            } catch NetworkError.inUse {
                throw EngineError.inUse("network \(name)")
            }
            try firewall.removeNetwork(bridge: record.bridge)
        }
    }

    // MARK: Volumes

    public func volume(named name: String) async throws -> ObservedVolume? {
        let volumes = volumes
        return try await BlockingPool.shared.run {
            try volumes.get(name).map { ObservedVolume(name: $0.name, labels: $0.labels) }
        }
    }

    public func createVolume(_ spec: VolumeSpec) async throws {
        let volumes = volumes
        try await BlockingPool.shared.run {
            _ = try volumes.create(
                name: spec.name, labels: spec.labels, driver: spec.driver, options: spec.driverOptions)
        }
    }

    public func removeVolume(named name: String) async throws {
        let (volumes, store) = (volumes, store)
        try await BlockingPool.shared.run {
            let users = try store.projects().flatMap(\.containers).filter { $0.uses(volume: name) }
            guard users.isEmpty else {
                throw EngineError.inUse("volume \(name) (by container \(users[0].spec.name))")
            }
            try volumes.remove(name)
        }
    }
}

extension ObservedContainer {
    func uses(volume name: String) -> Bool {
        anonymousVolumes.values.contains(name) || spec.mounts.contains { $0.source == .volume(name) }
    }
}
