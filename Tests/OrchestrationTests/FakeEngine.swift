import Orchestration

/// An engine that only keeps books, and does as the test says: fails, hangs, exits, answers probes.
actor FakeEngine: Engine {
    private(set) var state = ObservedProject()
    var images: [String: ImageSummary] = ["img": ImageSummary(id: "sha256:aaaaaaaaaaaaaaaa")]
    /// What was called, in order: `start web-1`.
    private(set) var calls: [String] = []
    /// Calls that ended.
    private(set) var ended: [String] = []
    private(set) var health: [ContainerID: [HealthRecord]] = [:]
    private(set) var restarts: [String] = []
    /// Errors by call.
    private var failures: [String: EngineError] = [:]
    /// Calls that hang until released.
    private var held: Set<String> = []
    private var gates: [String: CheckedContinuation<Void, Never>] = [:]
    /// Exit codes of containers that end as soon as they are started, by name.
    private var exitsAtOnce: [String: Int32] = [:]
    /// Results of exec by container name, in order; the last one stays.
    private var execResults: [String: [ExecResult]] = [:]
    private var streams: [AsyncStream<EngineEvent>.Continuation] = []
    private var watchers: [(call: String, count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    private var nextID = 0
    var time: @Sendable () -> Double = { 0 }

    // MARK: Scripting

    func setImages(_ images: [String: ImageSummary]) { self.images = images }
    func setTime(_ time: @escaping @Sendable () -> Double) { self.time = time }
    func fail(_ call: String, with error: EngineError) { failures[call] = error }
    func unfail(_ call: String) { failures[call] = nil }
    func hold(_ call: String) { held.insert(call) }
    func release(_ call: String) {
        held.remove(call)
        gates.removeValue(forKey: call)?.resume()
    }
    func exitAtOnce(_ name: String, code: Int32?) { exitsAtOnce[name] = code }
    func setExec(_ name: String, _ codes: [Int32]) {
        execResults[name] = codes.map { ExecResult(exitCode: $0, output: "exit \($0)") }
    }
    func set(_ state: ObservedProject) { self.state = state }
    func container(_ name: String) -> ObservedContainer? { state.containers.first { $0.spec.name == name } }

    /// The container's process ends.
    func exit(_ name: String, code: Int32) {
        guard let index = state.containers.firstIndex(where: { $0.spec.name == name }) else { return }
        let record = ExitRecord(code: code, finishedAt: time())
        state.containers[index].state = .exited
        state.containers[index].exit = record
        emit(.exited(state.containers[index].id, record))
    }

    /// Suspends until `call` was made `count` times.
    func waitFor(_ call: String, count: Int = 1) async {
        if calls.filter({ $0 == call }).count >= count { return }
        await withCheckedContinuation { watchers.append((call, count, $0)) }
    }

    private func begin(_ call: String) async throws {
        calls.append(call)
        let made = calls.filter { $0 == call }.count
        for watcher in watchers where watcher.call == call && watcher.count <= made { watcher.continuation.resume() }
        watchers.removeAll { $0.call == call && $0.count <= made }
        if held.contains(call) { await withCheckedContinuation { gates[call] = $0 } }
        if let error = failures[call] { throw error }
    }

    private func emit(_ event: EngineEvent) { for stream in streams { stream.yield(event) } }

    private func name(_ id: ContainerID) -> String { state.containers.first { $0.id == id }?.spec.name ?? id.short }

    private func index(_ id: ContainerID) throws -> Int {
        guard let index = state.containers.firstIndex(where: { $0.id == id }) else {
            throw EngineError.noSuchContainer(id.value)
        }
        return index
    }

    // MARK: Engine

    func observe(project: String) async throws -> ObservedProject { state }
    func image(_ reference: String) async throws -> ImageSummary? { images[reference] }
    func removeImage(_ reference: String) async throws { try await begin("remove image \(reference)") }
    func network(named name: String) async throws -> ObservedNetwork? { state.networks.first { $0.name == name } }
    func createNetwork(_ spec: NetworkSpec) async throws {
        try await begin("network \(spec.name)")
        state.networks.append(ObservedNetwork(name: spec.name, labels: spec.labels))
        ended.append("network \(spec.name)")
    }
    func removeNetwork(named name: String) async throws {
        try await begin("remove network \(name)")
        state.networks.removeAll { $0.name == name }
    }
    func volume(named name: String) async throws -> ObservedVolume? { state.volumes.first { $0.name == name } }
    func createVolume(_ spec: VolumeSpec) async throws {
        try await begin("volume \(spec.name)")
        state.volumes.append(ObservedVolume(name: spec.name, labels: spec.labels))
    }
    func removeVolume(named name: String) async throws {
        try await begin("remove volume \(name)")
        state.volumes.removeAll { $0.name == name }
    }
    func createContainer(_ spec: ContainerSpec) async throws -> ContainerID {
        try await begin("create \(spec.name)")
        nextID += 1
        let digits = String(nextID)
        let id = ContainerID(
            String(repeating: "c", count: 12 - digits.count) + digits + String(repeating: "0", count: 52))
        state.containers.append(ObservedContainer(id: id, spec: spec, state: .created))
        ended.append("create \(spec.name)")
        return id
    }
    func startContainer(_ id: ContainerID) async throws {
        try await begin("start \(name(id))")
        let index = try index(id)
        let name = name(id)
        state.containers[index].state = .running
        state.containers[index].startedAt = time()
        state.containers[index].exit = nil
        state.containers[index].stoppedOnPurpose = false
        ended.append("start \(name)")
        emit(.started(id))
        if let code = exitsAtOnce[name] { exit(name, code: code) }
    }
    func stopContainer(_ id: ContainerID, signal: String?, timeout: Duration?) async throws {
        let name = name(id)
        try await begin("stop \(name)")
        if let index = try? index(id) {
            state.containers[index].stoppedOnPurpose = true
            if state.containers[index].state == .running { exit(name, code: 143) }
        }
        ended.append("stop \(name)")
    }
    func killContainer(_ id: ContainerID, signal: String) async throws {
        let name = name(id)
        try await begin("kill \(name)")
        guard state.containers[try index(id)].state == .running else { throw EngineError.notRunning(name) }
        exit(name, code: 137)
    }
    func removeContainer(_ id: ContainerID, volumes: Bool) async throws {
        try await begin("remove \(name(id))")
        state.containers.removeAll { $0.id == id }
    }
    func renameContainer(_ id: ContainerID, to name: String) async throws {
        try await begin("rename \(self.name(id)) \(name)")
        state.containers[try index(id)].spec.name = name
    }
    func exec(_ id: ContainerID, _ request: ExecRequest) async throws -> ExecResult {
        let name = name(id)
        try await begin("exec \(name)")
        guard var results = execResults[name], !results.isEmpty else { return ExecResult(exitCode: 0, output: "") }
        let result = results.count > 1 ? results.removeFirst() : results[0]
        execResults[name] = results
        return result
    }
    func recordHealth(_ id: ContainerID, _ health: HealthRecord) async throws {
        self.health[id, default: []].append(health)
        if let index = try? index(id) { state.containers[index].health = health }
    }
    func recordRestart(_ id: ContainerID, count: Int, restarting: Bool) async throws {
        restarts.append("\(name(id)) \(count) \(restarting)")
        if let index = try? index(id) { state.containers[index].restartCount = count }
    }
    func events() async -> AsyncStream<EngineEvent> {
        let (stream, continuation) = AsyncStream<EngineEvent>.makeStream()
        streams.append(continuation)
        return stream
    }
}
