/// Lays one document over another by the rules of the table.
struct Merger {
    let reporter: Reporter
    /// Keep `!reset` and `!override` in the result, for a merge that is still to come.
    var keepsDirectives = false

    /// - Returns: the merged tree; an empty mapping where nothing is left.
    func merge(_ base: Node, with over: Node) -> Node {
        merge(base, over, Schema.project, path: "") ?? Node(.mapping(Mapping()), at: over.mark)
    }

    /// Merges one service over the one it extends.
    func mergeService(_ base: Node, with over: Node, name: String) -> Node {
        merge(base, over, Schema.service, path: "services.\(name)") ?? over
    }

    /// nil: the path is removed.
    private func merge(_ base: Node, _ over: Node, _ rule: Rule?, path: String) -> Node? {
        switch over.directive {
        case .reset: return keepsDirectives ? over : nil
        case .override: return settled(over)
        case .none: break
        }
        if let rule, let special = special(base, over, rule, path: path) { return special }
        if over.isNull { return base }
        switch (base.value, over.value) {
        case (.mapping(let old), .mapping(let new)):
            return Node(.mapping(merge(old, new, rule, path: path)), at: over.mark)
        case (.sequence(let old), .sequence(let new)):
            return Node(.sequence(old + new.compactMap(settled)), at: over.mark)
        case (.mapping, _), (.sequence, _):
            reporter.error(
                "cannot override \(path): it was \(base.kindName) before, here it is \(over.kindName)", at: over.mark,
                hint: "write it as \(base.kindName), or use !override to replace it", code: .cannotOverride,
                notes: [.init(message: "it is \(base.kindName) here", mark: base.mark)])
            return base
        default:
            return settled(over)
        }
    }

    private func merge(_ base: Mapping, _ over: Mapping, _ rule: Rule?, path: String) -> Mapping {
        var result = base
        var removed: Set<String> = []
        for entry in over {
            guard let position = result.position(of: entry.key) else {
                if let value = settled(entry.value) { result.set(entry.key, value, keyMark: entry.keyMark) }
                continue
            }
            let old = result.entries[position].value
            let name = path.isEmpty ? entry.key : "\(path).\(entry.key)"
            if let merged = merge(old, entry.value, rule?.member(entry.key), path: name) {
                result.set(entry.key, merged, keyMark: entry.keyMark)
            } else {
                removed.insert(entry.key)
            }
        }
        if !removed.isEmpty { result.removeAll { removed.contains($0.key) } }
        return result
    }

    /// A new value as it enters the model: without directives, which have nothing left to act on.
    private func settled(_ node: Node) -> Node? {
        if keepsDirectives { return node }
        if node.directive == .reset { return nil }
        switch node.value {
        case .sequence(let items):
            guard node.directive != .none || items.contains(where: Self.hasDirective) else { return node }
            return Node(.sequence(items.compactMap(settled)), at: node.mark)
        case .mapping(let mapping):
            guard node.directive != .none || mapping.contains(where: { Self.hasDirective($0.value) }) else {
                return node
            }
            var result = Mapping()
            for entry in mapping {
                if let value = settled(entry.value) { result.set(entry.key, value, keyMark: entry.keyMark) }
            }
            return Node(.mapping(result), at: node.mark)
        default:
            return Node(node.value, at: node.mark)
        }
    }

    private static func hasDirective(_ node: Node) -> Bool {
        if node.directive != .none { return true }
        switch node.value {
        case .sequence(let items): return items.contains(where: hasDirective)
        case .mapping(let mapping): return mapping.contains { hasDirective($0.value) }
        default: return false
        }
    }

    /// nil: the natural rules apply.
    private func special(_ base: Node, _ over: Node, _ rule: Rule, path: String) -> Node? {
        switch rule.traits.merge {
        case .natural: return nil
        case .replace: return settled(over)
        case .keyValues:
            guard !over.isNull, var old = Forms.pairs(base), let new = Forms.pairs(over) else { return nil }
            var removed: Set<String> = []
            for entry in new {
                if entry.value.directive == .reset, !keepsDirectives {
                    removed.insert(entry.key)
                } else {
                    old.set(entry.key, settled(entry.value) ?? entry.value, keyMark: entry.keyMark)
                }
            }
            if !removed.isEmpty { old.removeAll { removed.contains($0.key) } }
            return Node(.mapping(old), at: over.mark)
        case .concatenate:
            guard !over.isNull, let old = Forms.list(base), let new = Forms.list(over) else { return nil }
            return Node(.sequence(old + new), at: over.mark)
        case .hosts:
            guard !over.isNull, let old = Forms.hosts(base), let new = Forms.hosts(over) else { return nil }
            let known = Set(old.compactMap(\.string))
            let added = new.filter { $0.string.map { !known.contains($0) } ?? true }
            return Node(.sequence(old + added), at: over.mark)
        case .names:
            guard !over.isNull, let old = Forms.names(base), let new = Forms.names(over) else { return nil }
            return Node(.mapping(merge(old, new, rule, path: path)), at: over.mark)
        case .dependsOn:
            guard !over.isNull, let old = Forms.dependencies(base), let new = Forms.dependencies(over) else {
                return nil
            }
            return Node(.mapping(merge(old, new, rule, path: path)), at: over.mark)
        case .build:
            guard !over.isNull, let old = Forms.build(base), let new = Forms.build(over) else { return nil }
            return Node(.mapping(merge(old, new, rule, path: path)), at: over.mark)
        case .logging:
            guard let old = base["driver"], let new = over["driver"], new.directive == .none, !old.isSame(as: new)
            else { return nil }
            return settled(over)
        case .pools:
            guard let old = base.sequence, let new = over.sequence else { return nil }
            return Node(.sequence(mergePools(old, new)), at: over.mark)
        }
    }

    /// `ipam.config`: each entry of the base meets each one over it. Of one subnet they merge; others are added once.
    /// What nothing lies over is lost, as in the reference.
    private func mergePools(_ base: [Node], _ over: [Node]) -> [Node] {
        // Each entry of one meets each of the other.
        if base.count > 1, over.count > 1,
            let problem = reporter.budget.take(base.count * over.count, of: .madeNodes)
        {
            reporter.error(problem, at: over[0].mark, code: .tooLarge)
            return over
        }
        var result: [Node] = []
        var positions: [String?: Int] = [:]
        for old in base {
            for pool in over {
                let subnet = pool["subnet"]?.string
                if subnet != old["subnet"]?.string, positions[subnet] == nil {
                    positions[subnet] = result.count
                    result.append(pool)
                    continue
                }
                guard let earlier = old.mapping, let later = pool.mapping else { continue }
                let merged = Node(.mapping(merge(earlier, later, nil, path: "")), at: pool.mark)
                let key = merged["subnet"]?.string
                if let position = positions[key] {
                    result[position] = merged
                } else {
                    positions[key] = result.count
                    result.append(merged)
                }
            }
        }
        return result
    }
}
