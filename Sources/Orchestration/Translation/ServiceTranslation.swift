public import ComposeFile

/// Turns one service of a project into the specs of its containers. What all replicas have in common is worked out
/// once, when this is made.
public struct ServiceTranslation: Sendable {
    public let project: Project
    public let service: Service
    public let image: ImageSummary
    /// `-`, or `_` for names as Docker Compose's first version made them.
    public let separator: String
    private let base: ContainerSpec
    private let references: [ContainerBlueprint.Reference]
    private let userAliases: [String: [String]]

    /// - Parameters:
    ///   - image: the service's image as found in the local store.
    ///   - version: of this program, for the label.
    ///   - peers: names of the containers that other services are going to have, for `links`.
    /// - Throws: ``Failure`` naming the service and the attribute that cannot be done.
    public init(
        service: Service, project: Project, image: ImageSummary, version: String, compatibilityNames: Bool = false,
        peers: [String: [String]] = [:]
    ) throws {
        self.project = project
        self.service = service
        self.image = image
        separator = compatibilityNames ? "_" : "-"
        var references: [ContainerBlueprint.Reference] = []
        var spec = Self.process(of: service, image: image)
        spec.image = Self.imageName(of: service, project: project, compatibilityNames: compatibilityNames)
        spec.imageID = image.id
        spec.labels = Self.labels(of: service, project: project, image: image, version: version)
        Self.translateSecurity(of: service, into: &spec, references: &references)
        userAliases = try Self.translateNetworks(
            of: service, project: project, into: &spec, references: &references)
        spec.links = try Self.links(of: service, peers: peers)
        spec.mounts = try Self.mounts(of: service, project: project, image: image)
        spec.files = try Self.files(of: service, project: project)
        Self.translateVolumesFrom(of: service, into: &spec, references: &references)
        spec.resources = Self.resources(of: service)
        base = spec
        self.references = references
    }

    /// The container with this number, counted from 1.
    public func container(number: Int) -> ContainerBlueprint {
        var spec = base
        spec.name = containerName(number: number)
        spec.labels[Label.containerNumber] = String(number)
        for index in spec.networks.indices {
            var aliases: [String] = []
            let wanted = [spec.name, service.name] + (userAliases[spec.networks[index].network] ?? [])
            for alias in wanted where !aliases.contains(alias) { aliases.append(alias) }
            spec.networks[index].aliases = aliases
        }
        return ContainerBlueprint(spec: spec, references: references, service: service.name, number: number)
    }

    public func containerName(number: Int) -> String {
        Self.containerName(of: service, project: project.name, number: number, separator: separator)
    }

    static func containerName(of service: Service, project: String, number: Int, separator: String) -> String {
        service.containerName ?? "\(project)\(separator)\(service.name)\(separator)\(number)"
    }

    /// The name under which a service's image is looked up: what the file says, else the name a build gives it.
    public static func imageName(of service: Service, project: Project, compatibilityNames: Bool = false) -> String {
        service.image ?? "\(project.name)\(compatibilityNames ? "_" : "-")\(service.name)"
    }

    // MARK: Parts

    private static func process(of service: Service, image: ImageSummary) -> ContainerSpec {
        var spec = ContainerSpec()
        spec.entrypoint = service.entrypoint
        spec.command = service.command
        spec.environment = service.environment
        spec.user = service.user
        spec.groupAdd = service.groupAdd
        spec.workingDir = service.workingDir
        spec.hostname = service.hostname
        spec.domainname = service.domainname
        spec.initProcess = service.`init` ?? false
        spec.tty = service.tty
        spec.openStdin = service.stdinOpen
        spec.privileged = service.privileged
        spec.readOnlyRootfs = service.readOnly
        spec.stopSignal = service.stopSignal ?? image.stopSignal
        spec.stopGracePeriod = service.stopGracePeriod ?? .seconds(10)
        spec.restart = service.restart ?? .no
        spec.annotations = service.annotations
        spec.healthcheck = HealthSchedule.merge(service.healthcheck, over: image.healthcheck)
        spec.loggingDriver = service.loggingDriver
        spec.loggingOptions = service.loggingOptions
        return spec
    }

    private static func labels(
        of service: Service, project: Project, image: ImageSummary, version: String
    ) -> [String: String] {
        var labels = service.labels
        labels[Label.project] = project.name
        labels[Label.service] = service.name
        labels[Label.oneOff] = "False"
        labels[Label.configHash] = service.configHash
        labels[Label.image] = image.id
        labels[Label.dependsOn] = dependsOn(service.dependsOn)
        labels[Label.version] = version
        labels[Label.configFiles] = project.composeFiles.joined(separator: ",")
        labels[Label.workingDir] = project.workingDirectory
        return labels
    }

    private static func dependsOn(_ dependencies: [String: Dependency]) -> String {
        dependencies.sorted { $0.key < $1.key }
            .map { "\($0.key):\($0.value.condition.rawValue):\($0.value.restart)" }
            .joined(separator: ",")
    }

    private static func links(of service: Service, peers: [String: [String]]) throws -> [String: [String]] {
        var links: [String: [String]] = [:]
        for link in service.links {
            let parts = link.split(separator: ":", maxSplits: 1).map(String.init)
            guard let target = parts.first, let containers = peers[target] else {
                throw Failure("service \"\(service.name)\": links: no such service: \(link)")
            }
            links[parts.last ?? target] = containers
            links[target] = containers
        }
        return links
    }

    private static func resources(of service: Service) -> ContainerSpec.Resources {
        var resources = ContainerSpec.Resources()
        resources.cpus = service.cpus
        resources.cpuset = service.cpuset
        resources.cpuShares = service.cpuShares
        resources.cpuQuota = service.cpuQuota
        resources.cpuPeriod = service.cpuPeriod
        resources.memory = service.memLimit
        resources.memoryReservation = service.memReservation
        resources.memorySwap = service.memswapLimit
        resources.oomScoreAdj = service.oomScoreAdj
        resources.pids = service.pidsLimit
        resources.shmSize = service.shmSize
        resources.blkioWeight = service.blkioWeight
        return resources
    }

    private static func translateSecurity(
        of service: Service, into spec: inout ContainerSpec, references: inout [ContainerBlueprint.Reference]
    ) {
        spec.capAdd = service.capAdd
        spec.capDrop = service.capDrop
        spec.securityOpt = service.securityOpt
        spec.sysctls = service.sysctls
        spec.ulimits = service.ulimits
        spec.ipc = service.ipc
        spec.pid = service.pid
        spec.uts = service.uts
        spec.cgroupNamespace = service.cgroup
        spec.cgroupParent = service.cgroupParent
        spec.devices = service.devices
        spec.deviceCgroupRules = service.deviceCgroupRules
        if let target = serviceReference(service.ipc) { references.append(.init(.ipc, service: target)) }
        if let target = serviceReference(service.pid) { references.append(.init(.pid, service: target)) }
    }

    /// The name in `service:NAME`.
    static func serviceReference(_ mode: String?) -> String? {
        guard let mode, mode.hasPrefix("service:") else { return nil }
        return String(mode.dropFirst("service:".count))
    }
}
