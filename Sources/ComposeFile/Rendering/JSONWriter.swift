/// Writes JSON in the reference's layout.
struct JSONWriter {
    private var output: [UInt8] = []
    private let isIndented: Bool

    static func write(_ value: Printed, indented: Bool) -> String {
        var writer = JSONWriter(isIndented: indented)
        writer.write(value, depth: 0)
        return String(decoding: writer.output, as: UTF8.self)
    }

    private init(isIndented: Bool) {
        self.isIndented = isIndented
    }

    private mutating func write(_ value: Printed, depth: Int) {
        switch value {
        case .null: output += "null".utf8
        case .bool(let flag): output += (flag ? "true" : "false").utf8
        case .int(let number): output += String(number).utf8
        case .unsigned(let number): output += String(number).utf8
        case .float(let number): output += NumberFormat.json(number).utf8
        case .single(let number): output += NumberFormat.general(number).utf8
        case .string(let text), .date(let text): string(text)
        case .list(let items):
            collection("[", "]", items.count, depth) { writer, index in writer.write(items[index], depth: depth + 1) }
        case .map(let entries):
            collection("{", "}", entries.count, depth) { writer, index in
                writer.string(entries[index].key)
                writer.output += (writer.isIndented ? ": " : ":").utf8
                writer.write(entries[index].value, depth: depth + 1)
            }
        }
    }

    private mutating func collection(
        _ open: String, _ close: String, _ count: Int, _ depth: Int, _ body: (inout JSONWriter, Int) -> Void
    ) {
        output += open.utf8
        for index in 0..<count {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            newline(depth + 1)
            body(&self, index)
        }
        if count > 0 { newline(depth) }
        output += close.utf8
    }

    private mutating func newline(_ depth: Int) {
        guard isIndented else { return }
        output.append(UInt8(ascii: "\n"))
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: depth * 2))
    }

    private mutating func string(_ text: String) {
        output.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\"".utf8
            case "\\": output += "\\\\".utf8
            case "\n": output += "\\n".utf8
            case "\r": output += "\\r".utf8
            case "\t": output += "\\t".utf8
            case "\u{8}": output += "\\b".utf8
            case "\u{c}": output += "\\f".utf8
            case "<", ">", "&", "\u{2028}", "\u{2029}": escape(scalar)
            default:
                if scalar.value < 0x20 { escape(scalar) } else { output += String(scalar).utf8 }
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ scalar: Unicode.Scalar) {
        let digits = String(scalar.value, radix: 16)
        output += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
    }
}
