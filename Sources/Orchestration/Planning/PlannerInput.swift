public import ComposeFile

/// Everything that planning an `up` or `create` looks at.
public struct PlannerInput: Sendable {
    public var project: Project
    public var options = UpOptions()
    public var observed = ObservedProject()
    /// By reference, see ``ServiceTranslation/imageName(of:project:compatibilityNames:)``. What is missing is not
    /// in the local store.
    public var images: [String: ImageSummary] = [:]
    /// Networks and volumes that are wanted by name and do not carry this project's label.
    public var foreignNetworks: [String: ObservedNetwork] = [:]
    public var foreignVolumes: [String: ObservedVolume] = [:]
    /// What the project asks for that cannot be done, in words; not empty: nothing is planned.
    public var refusals: [String] = []
    /// Of this program, for labels.
    public var version: String

    public init(project: Project, version: String) {
        self.project = project
        self.version = version
    }

    /// The services that an `up` works on, with their dependencies, each after those it depends on.
    /// - Throws: ``Failure`` for unknown services and for cycles.
    public func scope() throws -> [String] { try scope(in: DependencyGraph(project: project)) }

    func scope(in graph: DependencyGraph) throws -> [String] {
        for name in options.services + options.scale.keys.sorted() where project.services[name] == nil {
            throw Failure("no such service: \(name)")
        }
        if options.services.isEmpty { return graph.order }
        let selected = options.noDeps ? Set(options.services) : graph.closure(of: options.services)
        return graph.order.filter(selected.contains)
    }
}

/// Makes plans. Pure: what exists and what is wanted go in, a ``Plan`` comes out.
public enum Planner {
    /// - Throws: ``Failure`` where the project cannot be had: a refused attribute, a missing image, an external
    ///   network that is not there, a network of that name that is somebody else's.
    public static func up(_ input: PlannerInput) throws -> Plan {
        if !input.refusals.isEmpty { throw Failure(input.refusals.joined(separator: "\n")) }
        var planner = try UpPlanner(input)
        return try planner.make()
    }
}
