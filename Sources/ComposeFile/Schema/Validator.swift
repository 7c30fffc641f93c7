/// Checks a document against the table and reports every fault with its place and what is allowed.
struct Validator {
    let reporter: Reporter
    private var path = ""

    init(reporter: Reporter) { self.reporter = reporter }

    mutating func validate(_ root: Node) { check(root, Schema.project) }

    private mutating func check(_ node: Node, _ rule: Rule) {
        switch node.value {
        case .mapping(let mapping):
            guard rule.fields != nil || rule.values != nil else { return wrongKind(node, rule) }
            checkMapping(mapping, rule, at: node.mark)
        case .sequence(let items):
            guard let itemRule = rule.item else { return wrongKind(node, rule) }
            for (index, item) in items.enumerated() {
                within("[\(index)]", separator: "") { $0.check(item, itemRule) }
            }
            if rule.traits.uniqueItems { checkUnique(items) }
        default:
            checkScalar(node, rule)
        }
    }

    private mutating func within(_ key: String, separator: String = ".", _ body: (inout Validator) -> Void) {
        let saved = path
        path += path.isEmpty ? key : separator + key
        body(&self)
        path = saved
    }

    private mutating func checkMapping(_ mapping: Mapping, _ rule: Rule, at mark: Mark) {
        for entry in mapping {
            if let fields = rule.fields {
                if let field = fields[entry.key] {
                    within(entry.key) { $0.check(entry.value, field) }
                } else if !(fields.allowsExtensions && entry.key.hasPrefix("x-")), !fields.isOpen {
                    unknown(entry, fields)
                }
            } else if let values = rule.values {
                if entry.key.isEmpty {
                    reporter.error("\(path): a key cannot be empty", at: entry.keyMark)
                } else if rule.traits.namedKeys, !Self.isName(entry.key) {
                    reporter.error(
                        "\(prefix)'\(entry.key)' is not a valid name", at: entry.keyMark,
                        hint: "names consist of a-z, A-Z, 0-9, `.`, `_` and `-`")
                }
                within(entry.key) { $0.check(entry.value, values) }
            }
        }
        for key in rule.fields?.required ?? [] where mapping[key] == nil {
            reporter.error("\(path) missing property '\(key)'", at: mark)
        }
    }

    private var prefix: String { path.isEmpty ? "" : path + ": " }

    private func unknown(_ entry: Mapping.Entry, _ fields: Rule.Fields) {
        let names = fields.names
        let hint: String
        if let near = Suggestion.nearest(to: entry.key, among: names) {
            hint = "did you mean `\(near)`?"
        } else if let place = Self.home(of: entry.key), place != path {
            hint = "`\(entry.key)` belongs in \(place)"
        } else if names.count <= 12 {
            hint = "allowed here: \(names.joined(separator: ", "))"
        } else {
            hint = "names of your own begin with `x-`"
        }
        let owner = path.isEmpty ? "the top level" : path
        reporter.error("additional property '\(entry.key)' not allowed in \(owner)", at: entry.keyMark, hint: hint)
    }

    /// Where an attribute that is misplaced would be right.
    private static func home(of key: String) -> String? {
        if Schema.service.fields?[key] != nil { return "a service" }
        if Schema.project.fields?[key] != nil { return "the top level" }
        if Schema.deploy.fields?[key] != nil { return "a service's `deploy`" }
        if Schema.build.fields?[key] != nil { return "a service's `build`" }
        return nil
    }

    private func wrongKind(_ node: Node, _ rule: Rule) {
        reporter.error("\(path) must be \(Self.allowed(rule)), not \(node.kindName)", at: node.mark)
    }

    private func checkScalar(_ node: Node, _ rule: Rule) {
        let traits = rule.traits
        let kind: Rule.Scalars
        switch node.value {
        case .null: kind = .null
        case .bool: kind = .boolean
        case .int, .unsigned: kind = .integer
        case .float(let number): kind = number == number.rounded() && number.magnitude < 1e15 ? .integer : .number
        case .string: kind = .string
        default: kind = []
        }
        guard !kind.isEmpty, traits.scalars.isSuperset(of: kind) else {
            var hint: String?
            if case .timestamp(let text) = node.value, traits.scalars.contains(.string) {
                hint = "quote it: \"\(text)\""
            }
            if traits.scalars.contains(.string), !kind.isDisjoint(with: [.number, .boolean]), let text = node.scalarText
            {
                hint = "quote it: \"\(text)\""
            }
            return reporter.error(
                "\(path) must be \(Self.allowed(rule)), not \(node.kindName)", at: node.mark, hint: hint)
        }
        if let range = traits.range, let number = Self.whole(node), !range.contains(number) {
            let limits =
                range.upperBound == .max
                ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            reporter.error("\(path) must be \(limits)", at: node.mark)
        }
        guard case .string(let text) = node.value else { return }
        if let choices = traits.choices, !choices.contains(text) {
            let hint = Suggestion.nearest(to: text, among: choices).map { "did you mean `\($0)`?" }
            let list = choices.map { "'\($0)'" }.joined(separator: ", ")
            reporter.error("\(path) value must be one of \(list)", at: node.mark, hint: hint)
        }
        if let (check, description) = traits.pattern, !check(text) {
            reporter.error("\(path) '\(text)' is not valid", at: node.mark, hint: "allowed: \(description)")
        }
    }

    private static func whole(_ node: Node) -> Int64? {
        if case .float(let number) = node.value { return Int64(exactly: number) }
        return node.int
    }

    private func checkUnique(_ items: [Node]) {
        // Texts are the common case; other elements are few.
        var seen: [String: Int] = [:]
        for (index, item) in items.enumerated() {
            var first: Int?
            if case .string(let text) = item.value {
                first = seen[text]
                seen[text] = first ?? index
            } else {
                first = items[..<index].firstIndex { $0.isSame(as: item) }
            }
            if let first {
                reporter.error(
                    "\(path) items at \(first) and \(index) are equal", at: item.mark, hint: "remove one of them")
            }
        }
    }

    static func isName(_ key: String) -> Bool {
        !key.isEmpty
            && key.utf8.allSatisfy {
                ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2E || $0 == 0x5F
                    || $0 == 0x2D
            }
    }

    /// "a string or a list"
    private static func allowed(_ rule: Rule) -> String {
        var forms: [String] = []
        let scalars = rule.traits.scalars
        if scalars.contains(.string) { forms.append("a string") }
        if scalars.contains(.number) {
            forms.append("a number")
        } else if scalars.contains(.integer) {
            forms.append("an integer")
        }
        if scalars.contains(.boolean) { forms.append("a boolean") }
        if rule.item != nil { forms.append("a list") }
        if rule.fields != nil || rule.values != nil { forms.append("a mapping") }
        guard forms.count > 1, let last = forms.last else { return forms.first ?? "left out" }
        return forms.dropLast().joined(separator: ", ") + " or " + last
    }
}
