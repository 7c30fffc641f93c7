/// Checks a document against the table and reports every fault with its place and what is allowed.
struct Validator {
    let reporter: Reporter
    /// Put together only where something is wrong.
    private var parts: [Part] = []

    private enum Part {
        case key(String)
        case index(Int)
    }

    private var path: String {
        var text = ""
        for part in parts {
            switch part {
            case .key(let key): text += text.isEmpty ? key : "." + key
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }

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
                within(.index(index)) { $0.check(item, itemRule) }
            }
            if rule.traits.uniqueItems { checkUnique(items) }
        default:
            checkScalar(node, rule)
        }
    }

    private mutating func within(_ part: Part, _ body: (inout Validator) -> Void) {
        parts.append(part)
        body(&self)
        parts.removeLast()
    }

    private mutating func checkMapping(_ mapping: Mapping, _ rule: Rule, at mark: Mark) {
        for entry in mapping {
            if let fields = rule.fields {
                if let field = fields[entry.key] {
                    within(.key(entry.key)) { $0.check(entry.value, field) }
                } else if !(fields.allowsExtensions && entry.key.hasPrefix("x-")), !fields.isOpen {
                    unknown(entry, fields)
                }
            } else if let values = rule.values {
                if entry.key.isEmpty {
                    reporter.error("\(path): a key cannot be empty", at: entry.keyMark, code: .invalidName)
                } else if rule.traits.namedKeys, !Self.isName(entry.key) {
                    reporter.error(
                        "\(prefix)'\(entry.key)' is not a valid name", at: entry.keyMark,
                        hint: "names consist of a-z, A-Z, 0-9, `.`, `_` and `-`", code: .invalidName)
                }
                within(.key(entry.key)) { $0.check(entry.value, values) }
            }
        }
        for key in rule.fields?.required ?? [] where mapping[key] == nil {
            reporter.error(
                "\(path) missing property '\(key)'", at: mark, hint: required(key, rule), code: .missingAttribute)
        }
    }

    private var prefix: String { path.isEmpty ? "" : path + ": " }

    private func unknown(_ entry: Mapping.Entry, _ fields: Rule.Fields) {
        let owner = path.isEmpty ? "the top level" : path
        reporter.error(
            "additional property '\(entry.key)' not allowed in \(owner)", at: entry.keyMark,
            hint: remedy(entry, fields), code: .unknownAttribute)
    }

    private func remedy(_ entry: Mapping.Entry, _ fields: Rule.Fields) -> String {
        let names = fields.names
        if let near = Suggestion.nearest(to: entry.key, among: names) { return "did you mean `\(near)`?" }
        if path.isEmpty, entry.value["image"] != nil || entry.value["build"] != nil {
            return "if `\(entry.key)` is a service, indent it below `services:`"
        }
        if let place = Self.home(of: entry.key), place != path { return "`\(entry.key)` belongs in \(place)" }
        if names.count <= 12 { return "allowed here: \(names.joined(separator: ", "))" }
        return "names of your own begin with `x-`"
    }

    /// What the value of an attribute that is missing may be.
    private func required(_ key: String, _ rule: Rule) -> String {
        guard let choices = rule.fields?[key]?.traits.choices else { return "add `\(key): …`" }
        return "add `\(key):` with one of \(choices.joined(separator: ", "))"
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
        reporter.error(
            "\(path.isEmpty ? "the file" : path) must be \(Self.allowed(rule)), not \(node.kindName)", at: node.mark,
            hint: misplaced(node) ?? Advice.kind(of: node, for: rule, key: key), code: .wrongType)
    }

    /// An attribute of a service that stands beside the services.
    private func misplaced(_ node: Node) -> String? {
        guard !node.isNull, path == "services.\(key)", Schema.service.fields?[key] != nil else { return nil }
        return "`\(key)` is an attribute of a service: indent it further than the service's name"
    }

    /// The last part of the path.
    private var key: String {
        let name = path.prefix { $0 != "[" }
        return String(name.split(separator: ".").last ?? name)
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
            return wrongKind(node, rule)
        }
        if let range = traits.range, let number = Self.whole(node), !range.contains(number) {
            let limits =
                range.upperBound == .max
                ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            reporter.error("\(path) must be \(limits)", at: node.mark, code: .outOfRange)
        }
        guard case .string(let text) = node.value else { return }
        if let choices = traits.choices, !choices.contains(text) {
            let hint =
                Suggestion.nearest(to: text, among: choices).map { "did you mean `\($0)`?" }
                ?? "\"\(text)\" is none of them"
            let list = choices.map { "'\($0)'" }.joined(separator: ", ")
            reporter.error("\(path) value must be one of \(list)", at: node.mark, hint: hint, code: .notAChoice)
        }
        if let pattern = traits.pattern, !pattern.check(text) {
            let words = pattern.description.split(separator: ",").map { String($0.drop { $0 == " " }) }
            let near = Suggestion.nearest(to: text, among: words).map { "did you mean `\($0)`? " } ?? ""
            reporter.error(
                "\(path) '\(text)' is not valid", at: node.mark, hint: "\(near)allowed: \(pattern.description)")
        }
    }

    private static func whole(_ node: Node) -> Int64? {
        if case .float(let number) = node.value { return Int64(exactly: number) }
        return node.int
    }

    private func checkUnique(_ items: [Node]) {
        guard items.count > 1 else { return }
        var texts: [String: Int] = [:]
        // Equal trees have equal hashes.
        var others: [Int: [Int]] = [:]
        for (index, item) in items.enumerated() {
            var first: Int?
            if case .string(let text) = item.value {
                first = texts[text]
                if first == nil { texts[text] = index }
            } else {
                let hash = item.contentHash
                first = others[hash]?.first { items[$0].isSame(as: item) }
                if first == nil { others[hash, default: []].append(index) }
            }
            if let first {
                reporter.error(
                    "\(path) items at \(first) and \(index) are equal", at: item.mark, hint: "remove one of them",
                    code: .duplicateItem, notes: [.init(message: "the first is here", mark: items[first].mark)])
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
