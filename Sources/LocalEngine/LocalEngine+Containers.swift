internal import CLinux
internal import ComposeFile
import FoundationEssentials
internal import LinuxSystem
public import Orchestration
internal import Runtime

extension LocalEngine {
    public func createContainer(_ spec: ContainerSpec) async throws -> ContainerID {
        if let signal = spec.stopSignal, Signals.number(of: signal) == nil {
            throw EngineError.failed("stop_signal \(signal) is no signal: use a name such as SIGINT, or a number")
        }
        let id = ContainerID(Self.randomID())
        let (store, volumes, project, paths) = (store, volumes, project, paths)
        let stored = try await BlockingPool.shared.run {
            let lock = try Self.lockNames(paths)
            defer { withExtendedLifetime(lock) {} }
            if let owner = try store.project(ofContainerNamed: spec.name) {
                let holder = try store.directory(named: spec.name, of: owner).readConfig()
                throw EngineError.nameTaken(name: spec.name, by: holder?.id ?? ContainerID("?"))
            }
            let directory = store.directory(named: spec.name, of: project)
            // A creation that was cut off left a directory without a configuration.
            try TreeRemoval.remove(directory.path)
            var fresh: [String] = []
            do {
                // For root alone: a container may leave set-user-ID programs in its layer.
                try Files.makeDirectories(directory.path, mode: 0o700)
                try Files.makeDirectories(directory.upper)
                try Files.makeDirectories(directory.work)
                var anonymous: [String: String] = [:]
                for mount in spec.mounts {
                    guard case .anonymous(let carriedOver) = mount.source else { continue }
                    if let carriedOver {
                        anonymous[mount.target] = carriedOver
                        continue
                    }
                    let labels = mount.volumeLabels.merging([Label.project: project]) { $1 }
                    let name = try volumes.createAnonymous(labels: labels).name
                    fresh.append(name)
                    anonymous[mount.target] = name
                }
                let stored = StoredContainer(
                    id: id, project: project, spec: spec, createdAt: Self.now(), anonymousVolumes: anonymous)
                try directory.write(stored)
                return stored
            } catch {
                for name in fresh { try? volumes.remove(name) }
                try? TreeRemoval.remove(directory.path)
                throw error
            }
        }
        entries[id] = Entry(stored: stored, state: StoredState(), status: .resting)
        emit(.created(id))
        return id
    }

    public func removeContainer(_ id: ContainerID, volumes withVolumes: Bool) async throws {
        guard let entry = entries[id] else { return }
        guard entry.status == .resting else {
            throw EngineError.inUse("container \(entry.stored.spec.name) is running and")
        }
        let (store, volumes, launcher, project) = (store, volumes, launcher, project)
        let run = paths.containerRun(id.value)
        try await BlockingPool.shared.run {
            // Still there where something that its last run held could not be given back.
            if Files.exists(run) { launcher.cleanUp(after: entry.stored) }
            try TreeRemoval.remove(store.directory(named: entry.stored.spec.name, of: project).path)
        }
        entries[id] = nil
        emit(.removed(id))
        guard withVolumes else { return }
        try await BlockingPool.shared.run {
            for name in entry.stored.anonymousVolumes.values.sorted() {
                if try volumes.get(name) != nil { try volumes.remove(name) }
            }
        }
    }

    public func renameContainer(_ id: ContainerID, to name: String) async throws {
        let entry = try entry(id)
        guard entry.status == .resting else {
            throw EngineError.failed("container \(entry.stored.spec.name) cannot be renamed while it runs")
        }
        let (store, project, paths) = (store, project, paths)
        var stored = entry.stored
        stored.spec.name = name
        let renamed = stored
        try await BlockingPool.shared.run {
            let lock = try Self.lockNames(paths)
            defer { withExtendedLifetime(lock) {} }
            if let owner = try store.project(ofContainerNamed: name) {
                let holder = try store.directory(named: name, of: owner).readConfig()
                throw EngineError.nameTaken(name: name, by: holder?.id ?? ContainerID("?"))
            }
            let old = store.directory(named: entry.stored.spec.name, of: project)
            let new = store.directory(named: name, of: project)
            // A creation that was cut off left a directory without a configuration.
            try TreeRemoval.remove(new.path)
            // The directory's name is what counts (see ContainerStore), so a crash in between does no harm.
            try Files.rename(old.path, to: new.path)
            try new.write(renamed)
        }
        entries[id]?.stored = renamed
    }

    /// Held by whoever gives a container a name, as that is unique on the whole host, whichever supervisor asks.
    private static func lockNames(_ paths: HostPaths) throws -> OwnedDescriptor {
        try Files.makeDirectories(paths.projects)
        let directory = try OwnedDescriptor.open(paths.projects, O_RDONLY | O_DIRECTORY)
        try check("flock", paths.projects) { flock(directory.raw, LOCK_EX) }
        return directory
    }

    public func killContainer(_ id: ContainerID, signal: String) async throws {
        let entry = try entry(id)
        guard case .running = entry.status else { throw EngineError.notRunning(entry.stored.spec.name) }
        guard let number = Signals.number(of: signal) else {
            throw EngineError.failed("\(signal) is no signal: use a name such as SIGHUP or HUP, or a number")
        }
        let run = paths.containerRun(id.value)
        // A restart policy is not to bring back what a command ended, even over a supervisor's death.
        if number == Signals.kill || number == Signals.number(of: entry.state.stopSignal ?? "") {
            record(id) { $0.stoppedOnPurpose = true }
        }
        _ = try await BlockingPool.shared.run { try ContainerProcesses.signal(runDirectory: run, number) }
    }

    public func stopContainer(_ id: ContainerID, signal: String?, timeout: Duration?) async throws {
        // A process that is not there yet would not get the signal.
        await waitForStart(of: id)
        let entry = try entry(id)
        // A full disk is no reason not to stop it.
        record(id) {
            $0.stoppedOnPurpose = true
            $0.restarting = false
        }
        guard entry.status != .resting else { return }
        let name = signal ?? entry.state.stopSignal ?? "SIGTERM"
        let number = Signals.number(of: name) ?? Signals.terminate
        let grace = timeout ?? entry.stored.spec.stopGracePeriod ?? .seconds(10)
        let run = paths.containerRun(id.value)
        _ = try await BlockingPool.shared.run { try ContainerProcesses.signal(runDirectory: run, number) }
        if number != Signals.kill, !(await waitForExit(of: id, within: grace)) {
            let cgroup = try cgroups.handle(id.value, parent: entry.stored.spec.cgroupParent)
            try await BlockingPool.shared.run {
                try ContainerProcesses.signal(runDirectory: run, Signals.kill)
                try cgroup.killAll()
            }
        }
        await waitForExit(of: id, within: nil)
    }

    static func now() -> Double {
        Date().timeIntervalSince1970
    }

    /// 64 hexadecimal digits that no other container has.
    static func randomID() -> String {
        // A short form of digits only would pass for a number in places.
        while true {
            let id = RandomHex.digits()
            if id.prefix(12).contains(where: \.isLetter) { return id }
        }
    }
}
