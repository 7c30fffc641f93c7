/// JSON written by hand, in the order given and escaped as Go's encoder does it: scripts that compare bytes see what
/// they saw before.
public indirect enum JSONText: Sendable, Equatable {
    case string(String)
    case number(Int)
    case boolean(Bool)
    case null
    case array([JSONText])
    case object([(String, JSONText)])

    public static func == (left: JSONText, right: JSONText) -> Bool { left.text == right.text }

    /// On one line.
    public var text: String {
        var out = ""
        write(to: &out)
        return out
    }

    private func write(to out: inout String) {
        switch self {
        case .string(let value): Self.quote(value, to: &out)
        case .number(let value): out += String(value)
        case .boolean(let value): out += value ? "true" : "false"
        case .null: out += "null"
        case .array(let values):
            out += "["
            for (index, value) in values.enumerated() {
                if index > 0 { out += "," }
                value.write(to: &out)
            }
            out += "]"
        case .object(let members):
            out += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { out += "," }
                Self.quote(member.0, to: &out)
                out += ":"
                member.1.write(to: &out)
            }
            out += "}"
        }
    }

    /// Over several lines, each level indented by `indent` more.
    public func indented(by indent: String = "    ", level: String = "") -> String {
        let inner = level + indent
        switch self {
        case .array(let values) where !values.isEmpty:
            return "[\n" + values.map { inner + $0.indented(by: indent, level: inner) }.joined(separator: ",\n")
                + "\n\(level)]"
        case .object(let members) where !members.isEmpty:
            return "{\n"
                + members.map {
                    "\(inner)\(JSONText.string($0.0).text): \($0.1.indented(by: indent, level: inner))"
                }.joined(separator: ",\n") + "\n\(level)}"
        default: return text
        }
    }

    private static func quote(_ value: String, to out: inout String) {
        out += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "<", ">", "&", "\u{2028}", "\u{2029}": escape(scalar, to: &out)
            case _ where scalar.value < 0x20: escape(scalar, to: &out)
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }

    private static func escape(_ scalar: Unicode.Scalar, to out: inout String) {
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
