public import LinuxSystem
public import Orchestration
internal import Runtime

/// The containers on this host as disk and kernel show them. Needs no supervisor: `ps`, `ls`, `logs` and `exec` read
/// through it.
public struct ContainerStore: Sendable {
    private let paths: HostPaths

    public init(paths: HostPaths) { self.paths = paths }

    /// A project with containers.
    public struct ProjectSummary: Sendable {
        public let name: String
        public let containers: [ObservedContainer]
        /// Absolute paths of its files, as the newest container's label has them.
        public var configFiles: [String] {
            let newest = containers.max { $0.createdAt < $1.createdAt }
            return (newest?.spec.labels[Label.configFiles] ?? "").split(separator: ",").map(String.init)
        }
    }

    /// Projects that have containers, by name.
    /// - Throws: ``SystemError``; an unreadable record.
    public func projects() throws -> [ProjectSummary] {
        try Files.list(paths.projects).compactMap { name in
            let containers = try containers(of: name)
            return containers.isEmpty ? nil : ProjectSummary(name: name, containers: containers)
        }
    }

    /// By name of the container.
    /// - Throws: ``SystemError``; an unreadable record.
    public func containers(of project: String) throws -> [ObservedContainer] {
        try stored(of: project).map { stored, directory in
            Self.observe(stored, state: try directory.readState(), status: try status(of: stored.id))
        }
    }

    /// Project that has a container of this name, on the whole host.
    func project(ofContainerNamed name: String) throws -> String? {
        try Files.list(paths.projects).first { Files.exists(directory(named: name, of: $0).config) }
    }

    func stored(of project: String) throws -> [(StoredContainer, ContainerDirectory)] {
        try Files.list(paths.containers(of: project)).compactMap { name in
            let directory = directory(named: name, of: project)
            return try directory.readConfig().map { ($0, directory) }
        }
    }

    /// Looked for in all projects.
    func stored(id: ContainerID) throws -> StoredContainer? {
        for project in try Files.list(paths.projects) {
            if let found = try stored(of: project).first(where: { $0.0.id == id }) { return found.0 }
        }
        return nil
    }

    func directory(named name: String, of project: String) -> ContainerDirectory {
        ContainerDirectory(paths.container(name, of: project))
    }

    public func directory(of container: ObservedContainer) -> ContainerDirectory {
        directory(named: container.spec.name, of: container.spec.labels[Label.project] ?? Self.noProject)
    }

    /// Directory in /run of a running container.
    public func runDirectory(of id: ContainerID) -> String { paths.containerRun(id.value) }

    /// Runs a command in a running container; returns when it has started.
    /// - Throws: ``EngineError``: ``EngineError/startFailed(container:reason:code:)`` has the code to exit with.
    public func exec(in container: ObservedContainer, _ options: ExecOptions) throws -> ExecSession {
        guard let stored = try directory(of: container).readConfig() else {
            throw EngineError.noSuchContainer(container.spec.name)
        }
        return try ContainerExec(paths: paths, container: stored).start(options)
    }

    /// Stands in for the project where a container belongs to none; no project can be called so.
    static let noProject = "_"

    func status(of id: ContainerID) throws -> RuntimeStatus {
        try ContainerProcesses.status(runDirectory: runDirectory(of: id))
    }

    /// What can be said of a container from what is stored and what the kernel shows.
    static func observe(_ stored: StoredContainer, state: StoredState, status: RuntimeStatus) -> ObservedContainer {
        var observed = ObservedContainer(
            id: stored.id, spec: stored.spec, state: .created, createdAt: stored.createdAt)
        observed.startedAt = state.startedAt
        observed.restartCount = state.restartCount
        observed.stoppedOnPurpose = state.stoppedOnPurpose
        observed.anonymousVolumes = stored.anonymousVolumes
        observed.health = state.health
        observed.command = state.command
        switch status {
        case .running(let pid):
            observed.state = .running
            observed.pid = pid
            observed.publishers = state.publishers
            for interface in state.interfaces {
                observed.addresses[interface.network] = [interface.ipv4, interface.ipv6].compactMap { $0?.description }
            }
        case .exited(let file):
            observed.exit = ExitRecord(file)
            observed.state = state.restarting ? .restarting : .exited
        case .gone:
            guard state.startedAt != nil else { break }
            // Without a record of its end it was lost with the host's last run.
            observed.exit = state.exit ?? ExitRecord(code: 255, error: "the host went down while it ran")
            observed.state = state.restarting ? .restarting : .exited
        }
        return observed
    }
}
