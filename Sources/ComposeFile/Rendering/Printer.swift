/// Decides what of a canonical tree is printed, in which order and as which type.
struct Printer {
    enum Format { case yaml, json }
    let format: Format
    let isTyped: Bool

    func project(_ tree: Node) -> Printed {
        guard isTyped else { return plain(tree) }
        guard case .map(var entries) = object(tree.mapping ?? Mapping(), Schema.project, isTop: true) else {
            return .null
        }
        if !entries.contains(where: { $0.key == "services" }) {
            let position = entries.firstIndex { $0.key == "name" }.map { $0 + 1 } ?? 0
            entries.insert(("services", .map([])), at: position)
        }
        if format == .json {
            // The reference's JSON knows no models.
            entries.removeAll { $0.key == "models" }
            entries.sort { $0.key < $1.key }
        }
        return .map(entries)
    }

    func service(_ node: Node) -> Printed { object(node.mapping ?? Mapping(), Schema.service, isTop: false) }

    private func object(_ mapping: Mapping, _ rule: Rule, isTop: Bool) -> Printed {
        guard let fields = rule.fields else { return .map([]) }
        var entries: [(key: String, value: Printed)] = []
        // By what is there, not by what could be: most attributes of a service are absent.
        var present: [(position: Int, name: String, node: Node?)] = []
        for entry in mapping {
            if let position = fields.position(of: entry.key) { present.append((position, entry.key, entry.value)) }
        }
        if format == .json {
            for position in fields.printedWhenAbsent where mapping[fields.names[position]] == nil {
                present.append((position, fields.names[position], nil))
            }
        }
        present.sort { $0.position < $1.position }
        for (_, name, node) in present {
            guard let field = fields[name], !field.traits.isHidden else { continue }
            guard let value = self.field(node, field) else { continue }
            let key = format == .json ? field.traits.jsonKey ?? name : name
            entries.append((key, value))
        }
        if format == .yaml || isTop {
            let extensions = mapping.filter { $0.key.hasPrefix("x-") || (fields.isOpen && fields[$0.key] == nil) }
            entries += sorted(extensions.map { ($0.key, plain($0.value)) })
        }
        return .map(entries)
    }

    /// nil: not printed.
    private func field(_ node: Node?, _ rule: Rule) -> Printed? {
        let keepsZero =
            rule.traits.keepsZero || (format == .json ? rule.traits.keepsZeroInJSON : rule.traits.keepsZeroInYAML)
        guard let node, !node.isNull else {
            guard rule.traits.keepsZeroInJSON, format == .json else { return nil }
            return rule.fields == nil ? Self.zero(rule.traits.meaning) : object(Mapping(), rule, isTop: false)
        }
        let printed = value(node, rule)
        switch printed {
        case .list(let items) where items.isEmpty:
            // An empty command is not the same as none.
            return rule.traits.keepsZeroInJSON || keepsZero ? printed : nil
        case .map(let entries) where entries.isEmpty:
            if rule.fields == nil { return keepsZero ? printed : nil }
            // Settings that are there but empty are printed, except for those that the reference holds by value.
            return rule.traits.keepsZeroInJSON && format == .yaml ? nil : printed
        case .null: return nil
        case .bool(true) where rule.traits.omitsTrue: return nil
        case .bool(false), .int(0), .float(0), .single(0), .string(""): return keepsZero ? printed : nil
        case .string("0") where rule.traits.meaning == .bytes: return keepsZero ? printed : nil
        case .string("0s") where rule.traits.meaning == .duration: return keepsZero ? printed : nil
        default: return printed
        }
    }

    /// What JSON shows of an attribute that is not given but always there.
    private static func zero(_ meaning: Rule.Meaning) -> Printed {
        switch meaning {
        case .text: .string("")
        case .integer: .int(0)
        case .bytes: .string("0")
        default: .null
        }
    }

    private func value(_ node: Node, _ rule: Rule) -> Printed {
        switch node.value {
        case .mapping(let mapping):
            if rule.traits.printsAsList {
                return .list(
                    mapping.entries.sorted { $0.key < $1.key }.map { entry in
                        .string(entry.value.string.map { $0.isEmpty ? entry.key : "\(entry.key)=\($0)" } ?? entry.key)
                    })
            }
            if rule.fields != nil { return object(mapping, rule, isTop: false) }
            guard let values = rule.values else { return plain(node) }
            return .map(sorted(mapping.map { ($0.key, value($0.value, values)) }))
        case .sequence(let items):
            guard let item = rule.item else { return plain(node) }
            if rule.traits.printsSorted {
                return .list(items.compactMap(\.string).map(Self.host).sorted().map { .string($0) })
            }
            return .list(items.map { value($0, item) })
        default: return scalar(node, rule)
        }
    }

    private func scalar(_ node: Node, _ rule: Rule) -> Printed {
        switch (rule.traits.meaning, node.value) {
        case (.bytes, .int(let number)): return .string(String(number))
        case (.duration, .int(let number)): return .string(DurationText.format(number))
        case (.fileMode, .int(let number)): return .string("0" + String(number, radix: 8))
        case (.number, .float(let number)): return .single(Float(number))
        default: return plain(node)
        }
    }

    /// `host=address`, an IPv6 address without brackets.
    static func host(_ text: String) -> String {
        let separator = text.firstIndex(of: "=") ?? text.firstIndex(of: ":")
        guard let separator else { return text }
        var address = text[text.index(after: separator)...]
        if address.hasPrefix("["), address.hasSuffix("]") { address = address.dropFirst().dropLast() }
        return "\(text[..<separator])=\(address)"
    }

    /// A tree without a table: extensions, and text that was not interpolated.
    private func plain(_ node: Node) -> Printed {
        switch node.value {
        case .null: return .null
        case .bool(let flag): return .bool(flag)
        case .int(let number): return .int(number)
        case .unsigned(let number): return .unsigned(number)
        case .float(let number): return .float(number)
        case .string(let string): return .string(string)
        case .timestamp(let text): return .date(Timestamp.canonical(text) ?? text)
        case .sequence(let items): return .list(items.map(plain))
        case .mapping(let mapping): return .map(sorted(mapping.map { ($0.key, plain($0.value)) }))
        }
    }

    private func sorted(_ entries: [(key: String, value: Printed)]) -> [(key: String, value: Printed)] {
        switch format {
        case .json: entries.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
        case .yaml: entries.sorted { KeyOrder.precedes($0.key, $1.key) }
        }
    }
}
