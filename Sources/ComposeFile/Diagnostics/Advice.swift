/// Hints that several stages give.
enum Advice {
    /// The nearest spelling, or all there is where that is not much.
    static func spelling(_ name: String, among known: [String], kind: String) -> String? {
        if let near = Suggestion.nearest(to: name, among: known) { return "did you mean `\(near)`?" }
        guard !known.isEmpty, known.count <= 12 else { return nil }
        return "\(kind): \(known.joined(separator: ", "))"
    }

    /// For a file that is not there: one of a similar name beside it.
    static func file(_ path: String, _ reader: any FileReader) -> String {
        let directory = Paths.directory(of: path)
        guard reader.isDirectory(directory) else { return "the directory \(directory) does not exist" }
        if reader.isDirectory(path) { return "\(path) is a directory: name the file in it" }
        let names = reader.names(in: directory)
        if let near = Suggestion.nearest(to: Paths.name(of: path), among: names.sorted()) {
            return "did you mean `\(near)`? It is in the same directory"
        }
        return "relative paths start from the directory of the Compose file that names them"
    }

    static func duration(_ text: String) -> String {
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
        return isNumber
            ? "write `\(text)s` for \(text) seconds" : "durations are written as 500ms, 10s or 1m30s"
    }

    /// For a size that cannot be read: the number with the unit that was probably meant.
    static func size(_ text: String) -> String {
        let general = "sizes are written as 512k, 64m or 1.5g"
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased().first
        guard !number.isEmpty, let unit, "bkmgtp".contains(unit) else { return general }
        return "\(general): write `\(number)\(unit)`"
    }

    /// For a port that cannot be read.
    static func port(_ text: String) -> String {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if let last = parts.last, parts.count > 1, ["tcp", "udp", "sctp"].contains(last) {
            return "write `\(parts.dropLast().joined(separator: ":"))/\(last)`"
        }
        return "write [[IP:]HOST:]CONTAINER[/PROTOCOL], each port a number from 1 to 65535 or a range"
    }

    /// What would be right in place of a value of the wrong kind.
    static func kind(of node: Node, for rule: Rule, key: String) -> String? {
        let scalars = rule.traits.scalars
        switch node.value {
        case .timestamp(let text) where scalars.contains(.string): return "quote it: \"\(text)\""
        case .int(let number) where rule.traits.meaning == .duration: return "write `\(number)s` for \(number) seconds"
        case .bool, .int, .unsigned, .float:
            if scalars.contains(.string), let text = node.scalarText { return "quote it: \"\(text)\"" }
            if rule.item != nil, let text = node.scalarText { return "write a list: [\"\(text)\"]" }
        case .string(let text):
            if rule.item != nil, rule.fields == nil, rule.values == nil {
                return "write a list: `\(key):` and below it `- \(text.isEmpty ? "…" : text)`"
            }
            let words = text.split(separator: " ", maxSplits: 1)
            if words.count == 2, rule.fields?[String(words[0])] != nil {
                return "a colon is missing: write `\(words[0]): \(words[1])`"
            }
            if rule.fields != nil || rule.values != nil {
                return "write `\(key):` and indent `name: value` lines below it"
            }
        case .sequence:
            if rule.fields != nil || rule.values != nil {
                return "leave out the `- `: below `\(key)` come `name: value` lines"
            }
            if scalars.contains(.string) { return "leave out the `- ` or the brackets: one value is wanted" }
        case .mapping:
            if rule.item != nil { return "begin each item below `\(key)` with `- `" }
            if scalars.contains(.string) { return "one value is wanted; quote it if it contains `: `" }
        case .null:
            if rule.fields != nil || rule.values != nil {
                return "indent its attributes below it, or remove `\(key)`"
            }
            if rule.item != nil { return "list its items below it, each with `- `, or remove `\(key)`" }
            return "give it a value, or remove `\(key)`"
        default: break
        }
        return nil
    }
}
