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
        var text = text
        text.withUTF8 { bytes in
            var copied = 0
            func flush(_ writer: inout JSONWriter, upTo index: Int) {
                writer.output.append(contentsOf: bytes[copied..<index])
            }
            for (index, byte) in bytes.enumerated() {
                guard let escaped = Self.escape(byte, at: index, of: bytes) else { continue }
                flush(&self, upTo: index)
                output += escaped.text.utf8
                copied = index + escaped.length
            }
            flush(&self, upTo: bytes.count)
        }
        output.append(UInt8(ascii: "\""))
    }

    /// How a character is written that cannot stand for itself, and its length in bytes.
    private static func escape(
        _ byte: UInt8, at index: Int, of bytes: UnsafeBufferPointer<UInt8>
    ) -> (text: String, length: Int)? {
        // Most bytes: letters, digits and what follows the first byte of other characters.
        if byte >= 0x3F, byte != UInt8(ascii: "\\"), byte != 0xE2 { return nil }
        switch byte {
        case UInt8(ascii: "\""): return ("\\\"", 1)
        case UInt8(ascii: "\\"): return ("\\\\", 1)
        case UInt8(ascii: "\n"): return ("\\n", 1)
        case UInt8(ascii: "\r"): return ("\\r", 1)
        case UInt8(ascii: "\t"): return ("\\t", 1)
        case 8: return ("\\b", 1)
        case 12: return ("\\f", 1)
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"), 0..<0x20:
            let digits = String(byte, radix: 16)
            return ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits, 1)
        case 0xE2:
            // The separators of lines and paragraphs, U+2028 and U+2029.
            guard index + 2 < bytes.count, bytes[index + 1] == 0x80 else { return nil }
            if bytes[index + 2] == 0xA8 { return ("\\u2028", 3) }
            return bytes[index + 2] == 0xA9 ? ("\\u2029", 3) : nil
        default: return nil
        }
    }
}
