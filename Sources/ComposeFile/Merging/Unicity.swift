/// Removes what a later element of a list redefines: the later one takes the earlier one's place.
struct Unicity {
    let reporter: Reporter

    func enforce(_ root: Node) -> Node {
        var root = root
        walk(&root, Schema.project, path: "")
        return root
    }

    private func walk(_ node: inout Node, _ rule: Rule, path: String) {
        switch node.value {
        case .mapping(var mapping):
            var changed = false
            for (index, entry) in mapping.entries.enumerated() {
                guard let member = rule.member(entry.key), Self.isCollection(entry.value) else { continue }
                var value = entry.value
                // Free the mapping's hold on the value before changing it would copy it.
                walk(&value, member, path: path.isEmpty ? entry.key : "\(path).\(entry.key)")
                mapping.replaceValue(at: index, with: value)
                changed = true
            }
            if changed { node.value = .mapping(mapping) }
        case .sequence(let items):
            if case .none = rule.traits.identity { return }
            node.value = .sequence(distinct(items, rule.traits.identity, path: path))
        default: return
        }
    }

    private static func isCollection(_ node: Node) -> Bool {
        switch node.value {
        case .mapping, .sequence: true
        default: false
        }
    }

    private func distinct(_ items: [Node], _ identity: Rule.Identity, path: String) -> [Node] {
        guard items.count > 1 || identity.needsTarget else { return items }
        var result: [Node] = []
        result.reserveCapacity(items.count)
        var positions: [String: Int] = [:]
        for (index, item) in items.enumerated() {
            guard let key = key(of: item, identity, path: path, index: index) else {
                result.append(item)
                continue
            }
            if let position = positions[key] {
                result[position] = item
            } else {
                positions[key] = result.count
                result.append(item)
            }
        }
        return result
    }

    /// nil: the element cannot be compared, which validation will tell or has told.
    private func key(of item: Node, _ identity: Rule.Identity, path: String, index: Int) -> String? {
        switch identity {
        case .none: return nil
        case .key: return item.string.map { String($0.prefix { $0 != "=" }) }
        case .number: return item.scalarText
        case .volume:
            if let text = item.string { return (try? VolumeSpec.parse(text))?.target }
            return target(of: item, "volume", path: path, index: index)
        case .device:
            if let text = item.string {
                let parts = text.split(separator: ":", omittingEmptySubsequences: false)
                return String(parts.count > 1 ? parts[1] : parts[0])
            }
            return target(of: item, "device", path: path, index: index)
        case .envFile:
            return item.string ?? item["path"]?.string
        case .mount(let directory):
            if let name = item.string { return "\(directory)/\(name)" }
            guard item.mapping != nil else { return nil }
            if let target = item["target"]?.string { return target }
            return item["source"]?.string.map { "\(directory)/\($0)" }
        case .port:
            if let text = item.scalarText { return text }
            guard item.mapping != nil else { return nil }
            guard let target = item["target"]?.scalarText else {
                reporter.error(
                    "service ports \(path).[\(index)] is missing a target port", at: item.mark,
                    hint: "add `target:`, the port in the container", code: .missingAttribute)
                return nil
            }
            let host = item["host_ip"]?.string ?? "0.0.0.0"
            // A number is not the same as its text here, as in the reference.
            let published = item["published"].map { $0.string ?? "#\($0.scalarText ?? "")" } ?? ""
            return "\(host):\(published):\(target)/\(item["protocol"]?.string ?? "tcp")"
        }
    }

    private func target(of item: Node, _ kind: String, path: String, index: Int) -> String? {
        guard item.mapping != nil else { return nil }
        if let target = item["target"]?.string { return target }
        reporter.error(
            "service \(kind) \(path).[\(index)] is missing a mount target", at: item.mark,
            hint: "add `target:`, the path in the container", code: .missingAttribute)
        return nil
    }
}

extension Rule.Identity {
    /// A missing target is an error even of a single element.
    fileprivate var needsTarget: Bool {
        switch self {
        case .volume, .device, .port: true
        default: false
        }
    }
}
