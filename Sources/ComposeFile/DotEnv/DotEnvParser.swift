/// Reads `.env` files and env files in the format `dotenv`.
struct DotEnvParser {
    struct Failure: Error, Equatable {
        var message: String
        /// From 1.
        var line: Int
        /// From 1, in characters.
        var column = 1
        var hint: String?
    }

    struct Entry: Equatable {
        var name: String
        var value: String
        /// Where it was last set, from 1.
        var line: Int
    }

    private let bytes: [UInt8]
    private var index: Int
    private let lookup: (String) -> String?
    private let budget: LoadBudget
    private var values: [String: String]
    private var order: [String] = []
    private var lines: [String: Int] = [:]
    /// Line ends in front of an offset, so that they are counted once.
    private var counted = (offset: 0, lines: 0)
    /// Called for a variable in a value that nothing sets.
    private let unset: (String, _ line: Int) -> Void

    /// The variables of a file in the order in which they are first set.
    ///
    /// - Parameters:
    ///   - earlier: what files before this one set; values can refer to it.
    ///   - lookup: the environment that goes before what files set.
    static func parse(
        _ bytes: [UInt8], earlier: [String: String] = [:], budget: LoadBudget = LoadBudget(),
        lookup: @escaping (String) -> String?,
        unset: @escaping (String, _ line: Int) -> Void = { _, _ in }
    ) throws(Failure) -> [Entry] {
        var parser = DotEnvParser(bytes: bytes, earlier: earlier, budget: budget, lookup: lookup, unset: unset)
        try parser.run()
        return parser.order.map { Entry(name: $0, value: parser.values[$0] ?? "", line: parser.lines[$0] ?? 1) }
    }

    private init(
        bytes: [UInt8], earlier: [String: String], budget: LoadBudget, lookup: @escaping (String) -> String?,
        unset: @escaping (String, _ line: Int) -> Void
    ) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        // Windows line ends read like any other; a lone carriage return is data.
        var cleaned: [UInt8] = []
        cleaned.reserveCapacity(bytes.count)
        let body = bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes[...]
        for (offset, byte) in zip(body.indices, body) {
            if byte == UInt8(ascii: "\r"), offset + 1 < body.endIndex, body[offset + 1] == UInt8(ascii: "\n") {
                continue
            }
            cleaned.append(byte)
        }
        self.bytes = cleaned
        self.lookup = lookup
        self.budget = budget
        self.unset = unset
        index = 0
        values = earlier
    }

    /// The line of an offset that is not before one asked for earlier.
    private mutating func line(of offset: Int) -> Int {
        if offset > counted.offset {
            counted.lines += bytes[counted.offset..<offset].count { $0 == UInt8(ascii: "\n") }
            counted.offset = offset
        }
        return counted.lines + 1
    }

    private func fault(_ message: String, at offset: Int, hint: String? = nil) -> Failure {
        let before = bytes[..<min(offset, bytes.count)]
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return Failure(
            message: message, line: before.count { $0 == UInt8(ascii: "\n") } + 1,
            column: before[start...].count { $0 & 0xC0 != 0x80 } + 1, hint: hint)
    }

    private mutating func run() throws(Failure) {
        while true {
            skipBlankAndComments()
            guard index < bytes.count else { return }
            let line = line(of: index)
            let (name, isInherited) = try key()
            if isInherited {
                if let value = lookup(name) { set(name, value, line) }
                continue
            }
            set(name, try value(), line)
            guard order.count <= budget.limits.variables else {
                throw Failure(message: "more than \(budget.limits.variables) variables", line: line)
            }
        }
    }

    private mutating func set(_ name: String, _ value: String, _ line: Int) {
        if lines.updateValue(line, forKey: name) == nil { order.append(name) }
        values[name] = value
    }

    private mutating func skipBlankAndComments() {
        while index < bytes.count {
            if Self.isSpace(bytes[index]) || bytes[index] == UInt8(ascii: "\n") {
                index += 1
            } else if bytes[index] == UInt8(ascii: "#") {
                while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
            } else {
                return
            }
        }
    }

    private mutating func key() throws(Failure) -> (String, isInherited: Bool) {
        let export = Array("export".utf8)
        if bytes[index...].starts(with: export) {
            let after = index + export.count
            if after < bytes.count, Self.isSpace(bytes[after]) {
                index = after
                while index < bytes.count, Self.isSpace(bytes[index]) { index += 1 }
            }
        }
        let start = index
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "=") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "\n") { break }
            let isLetterOrDigit =
                (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39) || byte >= 0x80
            let isMark =
                byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")
            guard isLetterOrDigit || isMark || Self.isSpace(byte) else {
                let lineEnd = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
                let text = String(decoding: bytes[start..<lineEnd], as: UTF8.self)
                throw fault(
                    "unexpected character \"\(Character(Unicode.Scalar(byte)))\" in variable name near \"\(text)\"",
                    at: index, hint: "write NAME=value; names have letters, digits, `_`, `.` and `-`")
            }
            index += 1
        }
        var name = String(decoding: bytes[start..<index], as: UTF8.self)
        while name.utf8.last.map(Self.isSpace) == true { name.removeLast() }
        let isInherited = index >= bytes.count || bytes[index] == UInt8(ascii: "\n")
        if name.utf8.contains(UInt8(ascii: " ")) {
            throw fault(
                "key cannot contain a space: \"\(name)\"", at: start,
                hint: "write NAME=value; a comment begins with `#`")
        }
        if name.isEmpty, isInherited {
            throw fault("a variable without a name", at: start, hint: "write NAME=value")
        }
        if !isInherited {
            index += 1
            while index < bytes.count, Self.isSpace(bytes[index]) { index += 1 }
        }
        return (name, isInherited)
    }

    private mutating func value() throws(Failure) -> String {
        guard index < bytes.count else { return "" }
        let quote = bytes[index]
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return try unquoted() }
        let opening = index
        let start = index + 1
        var end = start
        var isEscaped = false
        while end < bytes.count {
            if bytes[end] == quote, !isEscaped { break }
            isEscaped = bytes[end] == UInt8(ascii: "\\") && !isEscaped
            end += 1
        }
        guard end < bytes.count else {
            let lineEnd = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            let text = String(decoding: bytes[index..<lineEnd], as: UTF8.self)
            throw fault(
                "unterminated quoted value \(text)", at: opening,
                hint: "close the quote, or put the value in the other kind of quotes")
        }
        let body = Array(bytes[start..<end])
        index = end + 1
        // Whatever follows the closing quote must be blank or a comment.
        let lineEnd = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        let rest = bytes[index..<lineEnd].drop(while: Self.isSpace)
        if let first = rest.first, first == UInt8(ascii: "#") { index = lineEnd }
        guard quote == UInt8(ascii: "\"") else { return String(decoding: Self.unescapeQuotes(body), as: UTF8.self) }
        return try expand(Self.unescape(body), from: opening)
    }

    private mutating func unquoted() throws(Failure) -> String {
        let start = index
        let end = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        var body = bytes[index..<end]
        index = end
        // Only a blank before the sign makes a comment: a tab does not, nor does the start of the value.
        for place in body.indices.dropFirst() where body[place] == UInt8(ascii: "#") {
            if body[place - 1] == UInt8(ascii: " ") {
                body = body[..<place]
                break
            }
        }
        while let last = body.last, Self.isSpace(last) { body = body.dropLast() }
        return try expand(String(decoding: body, as: UTF8.self), from: start)
    }

    private mutating func expand(_ text: String, from start: Int) throws(Failure) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        let line = line(of: start)
        let (values, lookup, unset) = (values, lookup, unset)
        let template = Template(
            limit: budget.substitutable, lookup: { lookup($0) ?? values[$0] }, unset: { name, _ in unset(name, line) })
        let result: String
        do throws(Template.Failure) {
            result = try template.substitute(text)
        } catch {
            switch error.reason {
            case .tooLong:
                let problem = budget.take(.max >> 1, of: .substitutedBytes)
                throw Failure(message: problem ?? "too long", line: line)
            case .tooDeep:
                throw Failure(message: "variables are nested more than 256 levels deep", line: line)
            case .invalidFormat:
                throw fault(
                    "invalid template: \"\(text)\"", at: start,
                    hint: "put the value in single quotes, or write \\$ for a literal $")
            case .missing(let variable, let message):
                throw fault(
                    "required variable \(variable) is missing a value" + (message.isEmpty ? "" : ": \(message)"),
                    at: start)
            }
        }
        if let problem = budget.take(result.utf8.count, of: .substitutedBytes) {
            throw Failure(message: problem, line: line)
        }
        return result
    }

    /// The one escape of single quotes is that of the quote itself.
    private static func unescapeQuotes(_ body: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        for byte in body {
            if byte == UInt8(ascii: "'"), output.last == UInt8(ascii: "\\") { output.removeLast() }
            output.append(byte)
        }
        return output
    }

    /// The escapes of double quotes. `\$` becomes `$$`, which the template turns into a literal `$`.
    private static func unescape(_ body: [UInt8]) -> String {
        var output: [UInt8] = []
        var index = 0
        while index < body.count {
            guard body[index] == UInt8(ascii: "\\"), index + 1 < body.count else {
                output.append(body[index])
                index += 1
                continue
            }
            let next = body[index + 1]
            index += 2
            switch next {
            case UInt8(ascii: "n"): output.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "r"): output.append(UInt8(ascii: "\r"))
            case UInt8(ascii: "t"): output.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "a"): output.append(7)
            case UInt8(ascii: "b"): output.append(8)
            case UInt8(ascii: "f"): output.append(12)
            case UInt8(ascii: "v"): output.append(11)
            case UInt8(ascii: "c"): break
            case UInt8(ascii: "$"): output += [next, next]
            case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): output.append(next)
            case UInt8(ascii: "0"):
                let digits = body[index...].prefix(3).prefix { $0 >= 48 && $0 <= 55 }
                guard digits.count == 3, let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8) else {
                    output += [UInt8(ascii: "\\"), next]
                    continue
                }
                output.append(code)
                index += 3
            default: output += [UInt8(ascii: "\\"), next]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Blank, but not the end of a line.
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") || byte == 11
            || byte == 12
    }
}
