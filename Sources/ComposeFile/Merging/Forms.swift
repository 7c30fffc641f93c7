/// Turns the short and long forms of an attribute into one. Each returns nil for what is neither, which
/// validation then reports.
enum Forms {
    /// A mapping, or a list of `KEY=value` and `KEY`; the values become text, a missing one null.
    static func pairs(_ node: Node) -> Mapping? {
        switch node.value {
        case .mapping(let mapping):
            var result = mapping
            for (index, entry) in mapping.entries.enumerated() {
                if case .string = entry.value.value { continue }
                guard let text = entry.value.scalarText else {
                    if entry.value.isNull { continue }
                    return nil
                }
                result.replaceValue(
                    at: index, with: Node(.string(text), at: entry.value.mark, directive: entry.value.directive))
            }
            return result
        case .sequence(let items):
            var result = Mapping()
            for item in items {
                guard let text = item.string else { return nil }
                if let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) {
                    let value = String(text[text.index(after: equals)...])
                    result.set(String(text[..<equals]), Node(.string(value), at: item.mark), keyMark: item.mark)
                } else {
                    result.set(text, Node(.null, at: item.mark), keyMark: item.mark)
                }
            }
            return result
        default: return nil
        }
    }

    static func list(_ node: Node) -> [Node]? {
        switch node.value {
        case .sequence(let items): items
        case .string: [node]
        default: nil
        }
    }

    /// `host=address`, one for each address.
    static func hosts(_ node: Node) -> [Node]? {
        switch node.value {
        case .sequence(let items): return items
        case .mapping(let mapping):
            var result: [Node] = []
            for entry in mapping.entries.sorted(by: { $0.key < $1.key }) {
                for address in list(entry.value) ?? [] {
                    guard let text = address.string else { return nil }
                    result.append(Node(.string("\(entry.key)=\(text)"), at: address.mark))
                }
            }
            return result
        default: return nil
        }
    }

    /// A mapping, or a list of names, each then without settings.
    static func names(_ node: Node) -> Mapping? {
        mapping(node) { Node(.null, at: $0.mark) }
    }

    static func dependencies(_ node: Node) -> Mapping? {
        mapping(node) { item in
            var settings = Mapping()
            settings.set("condition", Node(.string("service_started"), at: item.mark))
            settings.set("required", Node(.bool(true), at: item.mark))
            return Node(.mapping(settings), at: item.mark)
        }
    }

    private static func mapping(_ node: Node, value: (Node) -> Node) -> Mapping? {
        switch node.value {
        case .mapping(let mapping): return mapping
        case .sequence(let items):
            var result = Mapping()
            for item in items {
                guard let name = item.string else { return nil }
                result.set(name, value(item), keyMark: item.mark)
            }
            return result
        default: return nil
        }
    }

    static func build(_ node: Node) -> Mapping? {
        switch node.value {
        case .mapping(let mapping): return mapping
        case .string:
            var result = Mapping()
            result.set("context", node)
            return result
        default: return nil
        }
    }
}
