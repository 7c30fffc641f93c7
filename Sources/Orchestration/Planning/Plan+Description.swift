/// One line per operation: `4 recreate container web-1 (image changed) after 1, 3`.
extension Plan: CustomStringConvertible {
    public var description: String {
        var lines = operations.map(\.description)
        lines += warnings.map { "warning: \($0)" }
        return lines.joined(separator: "\n")
    }
}

extension Operation: CustomStringConvertible {
    public var description: String {
        var text = "\(id) \(kind) (\(cause))"
        if !prerequisites.isEmpty {
            let ids = prerequisites.map { $0.isRequired ? "\($0.id)" : "\($0.id)?" }
            text += " after " + ids.joined(separator: ", ")
        }
        return text
    }
}

extension Operation.Kind: CustomStringConvertible {
    public var description: String {
        switch self {
        case .createNetwork(let spec): "create network \(spec.name)"
        case .removeNetwork(let name): "remove network \(name)"
        case .createVolume(let spec): "create volume \(spec.name)"
        case .removeVolume(let name): "remove volume \(name)"
        case .removeImage(let name): "remove image \(name)"
        case .create(let blueprint): "create container \(blueprint.spec.name)"
        case .recreate(let blueprint, _, _): "recreate container \(blueprint.spec.name)"
        case .rename(let target, let name): "rename container \(target.name) to \(name)"
        case .start(let target, _): "start container \(target.name)"
        case .stop(let target, _): "stop container \(target.name)"
        case .restart(let target, _, _): "restart container \(target.name)"
        case .kill(let target, let signal): "kill container \(target.name) with \(signal)"
        case .remove(let target, let volumes): "remove container \(target.name)" + (volumes ? " and its volumes" : "")
        case .wait(let service, _, let condition): "wait for \(service) \(condition.description)"
        case .report(let event): "\(event.object.rawValue.lowercased()) \(event.name) \(event.status.rawValue)"
        }
    }
}
