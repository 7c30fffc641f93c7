/// A container to be made: a spec, and what can be filled in only when other containers of the plan exist.
public struct ContainerBlueprint: Sendable, Equatable {
    public var spec: ContainerSpec
    public var references: [Reference]
    public var service: String
    public var number: Int

    public init(spec: ContainerSpec, references: [Reference] = [], service: String, number: Int) {
        self.spec = spec
        self.references = references
        self.service = service
        self.number = number
    }

    /// `network_mode: service:X` and its like: the first container of `service` takes part in this one.
    public struct Reference: Sendable, Equatable {
        public enum Field: Sendable, Equatable {
            case network, ipc, pid
            case volumes(readOnly: Bool)

            var attribute: String {
                switch self {
                case .network: "network_mode"
                case .ipc: "ipc"
                case .pid: "pid"
                case .volumes: "volumes_from"
                }
            }
            /// A namespace ends with the process that it was made for; volumes stay.
            var isNamespace: Bool { if case .volumes = self { false } else { true } }
        }
        public var field: Field
        public var service: String
        /// Set by the planner.
        public var target: ContainerTarget?
        public init(_ field: Field, service: String) {
            self.field = field
            self.service = service
        }
    }

    /// The spec with every reference filled in.
    /// - Parameter id: gives the id of a target.
    func resolved(_ id: (ContainerTarget) throws -> ContainerID) throws -> ContainerSpec {
        var result = spec
        for reference in references {
            guard let target = reference.target else {
                throw Failure("service \"\(reference.service)\" has no container for \(reference.field.attribute)")
            }
            let container = try id(target)
            switch reference.field {
            case .network: result.networkMode = "container:\(container)"
            case .ipc: result.ipc = "container:\(container)"
            case .pid: result.pid = "container:\(container)"
            case .volumes(let readOnly):
                result.volumesFrom.append(.init(container: container, readOnly: readOnly))
            }
        }
        return result
    }

    /// The ids that a container made earlier has for this blueprint's references, in the same order.
    func recordedReferences(in old: ContainerSpec) -> [ContainerID?] {
        // Literal `container:` entries come first in `volumesFrom`, as `resolved` appends.
        var volumes = old.volumesFrom.dropFirst(spec.volumesFrom.count).map(\.container)[...]
        return references.map { reference in
            switch reference.field {
            case .network: Self.containerID(old.networkMode)
            case .ipc: Self.containerID(old.ipc)
            case .pid: Self.containerID(old.pid)
            case .volumes: volumes.popFirst()
            }
        }
    }

    private static func containerID(_ mode: String?) -> ContainerID? {
        guard let mode, mode.hasPrefix("container:") else { return nil }
        return ContainerID(String(mode.dropFirst("container:".count)))
    }
}
