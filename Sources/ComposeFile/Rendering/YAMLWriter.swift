/// Writes block-style YAML in the reference's layout: two spaces, lists indented below their key.
struct YAMLWriter {
    private var output = ""

    static func write(_ value: Printed) -> String {
        var writer = YAMLWriter()
        writer.document(value)
        return writer.output
    }

    private mutating func document(_ value: Printed) {
        switch value {
        case .map(let entries) where !entries.isEmpty: map(entries, depth: 0, isInline: false)
        case .list(let items) where !items.isEmpty: list(items, depth: 0)
        default: output += Self.scalar(value, depth: 0) + "\n"
        }
    }

    private mutating func indent(_ depth: Int) { output += String(repeating: " ", count: depth * 2) }

    /// `isInline`, here and for lists: the first entry follows an outer list's dash on its line.
    private mutating func map(_ entries: [(key: String, value: Printed)], depth: Int, isInline: Bool) {
        for (index, entry) in entries.enumerated() {
            if index > 0 || !isInline { indent(depth) }
            if ScalarStyle.isComplexKey(entry.key) {
                output += "? " + ScalarStyle.text(entry.key, depth: depth + 1) + "\n"
                indent(depth)
                output += ": "
                element(entry.value, depth: depth)
                continue
            }
            output += ScalarStyle.text(entry.key, depth: depth + 1) + ":"
            switch entry.value {
            case .map(let inner) where !inner.isEmpty:
                output += "\n"
                map(inner, depth: depth + 1, isInline: false)
            case .list(let items) where !items.isEmpty:
                output += "\n"
                list(items, depth: depth + 1)
            default: output += " " + Self.scalar(entry.value, depth: depth + 1) + "\n"
            }
        }
    }

    private mutating func list(_ items: [Printed], depth: Int, isInline: Bool = false) {
        for (index, item) in items.enumerated() {
            if index > 0 || !isInline { indent(depth) }
            output += "- "
            element(item, depth: depth)
        }
    }

    /// What follows a dash, or the colon of a key that has lines of its own.
    private mutating func element(_ item: Printed, depth: Int) {
        switch item {
        case .map(let inner) where !inner.isEmpty: map(inner, depth: depth + 1, isInline: true)
        case .list(let inner) where !inner.isEmpty: list(inner, depth: depth + 1, isInline: true)
        default: output += Self.scalar(item, depth: depth + 1) + "\n"
        }
    }

    static func scalar(_ value: Printed, depth: Int) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        case .unsigned(let number): String(number)
        case .float(let number):
            number.isNaN ? ".nan" : number.isInfinite ? (number < 0 ? "-.inf" : ".inf") : NumberFormat.general(number)
        case .single(let number): NumberFormat.general(number)
        case .string(let text): ScalarStyle.text(text, depth: depth)
        case .date(let text): text
        case .list: "[]"
        case .map: "{}"
        }
    }
}
