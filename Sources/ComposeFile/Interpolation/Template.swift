/// The grammar of `$NAME` and `${NAME…}`: parses and substitutes in one pass.
struct Template {
    /// A variable as a template uses it, for `config --variables`.
    struct Variable: Sendable, Equatable {
        var name: String
        var defaultValue = ""
        var alternate = ""
        var isRequired = false
    }

    struct Failure: Error, Equatable {
        enum Reason: Equatable {
            case invalidFormat
            /// The result would be longer than allowed.
            case tooLong
            case tooDeep
            case missing(variable: String, message: String)
        }
        var reason: Reason
        /// Which `$` of the text, from 0, is at fault.
        var dollar: Int
    }

    /// Nested deeper than this, a template is refused: every level is a call.
    private static let maximumDepth = 256

    /// How far a text was worked through.
    private struct Progress {
        /// Signs met so far.
        var dollars = 0
        /// Bytes that may still be looked through for closing braces.
        var scannable: Int
    }

    private let lookup: (String) -> String?
    /// Called for a variable that is not set and has no default, with the number of its `$`.
    private let unset: (String, Int) -> Void
    private var visit: ((Variable) -> Void)?
    /// Bytes that the result may have.
    private let limit: Int

    init(
        limit: Int = .max, lookup: @escaping (String) -> String?,
        unset: @escaping (String, Int) -> Void = { _, _ in }
    ) {
        self.limit = limit
        self.lookup = lookup
        self.unset = unset
    }

    func substitute(_ text: String) throws(Failure) -> String {
        var progress = Progress(scannable: text.utf8.count * 8 + 65536)
        return try substitute(Array(text.utf8)[...], progress: &progress, depth: 0)
    }

    /// Reports each variable of a text. Malformed text reports what comes before the fault.
    static func variables(in text: String, _ visit: @escaping (Variable) -> Void) {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return }
        var template = Template(lookup: { _ in nil })
        template.visit = visit
        _ = try? template.substitute(text)
    }

    private func substitute(
        _ bytes: ArraySlice<UInt8>, progress: inout Progress, depth: Int
    ) throws(Failure) -> String {
        guard bytes.contains(UInt8(ascii: "$")) else { return String(decoding: bytes, as: UTF8.self) }
        guard depth < Self.maximumDepth else { throw Failure(reason: .tooDeep, dollar: progress.dollars) }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            guard byte == UInt8(ascii: "$") else {
                output.append(byte)
                continue
            }
            let dollar = progress.dollars
            progress.dollars += 1
            guard index < bytes.endIndex else {
                output.append(byte)
                break
            }
            if bytes[index] == UInt8(ascii: "$") {
                progress.dollars += 1
                index += 1
                output.append(byte)
            } else if bytes[index] == UInt8(ascii: "{") {
                guard let end = Self.closingBrace(of: bytes[(index + 1)...]) else {
                    throw Failure(reason: .invalidFormat, dollar: dollar)
                }
                // Each level looks through all that is nested in it.
                progress.scannable -= end - index
                guard progress.scannable >= 0 else { throw Failure(reason: .tooDeep, dollar: dollar) }
                let body = bytes[(index + 1)..<end]
                output += try braced(body, dollar: dollar, progress: &progress, depth: depth).utf8
                guard output.count <= limit else { throw Failure(reason: .tooLong, dollar: dollar) }
                index = end + 1
            } else if Self.isNameStart(bytes[index]) {
                let end = bytes[index...].firstIndex { !Self.isNamePart($0) } ?? bytes.endIndex
                let name = String(decoding: bytes[index..<end], as: UTF8.self)
                visit?(Variable(name: name))
                output += value(of: name, dollar: dollar).utf8
                guard output.count <= limit else { throw Failure(reason: .tooLong, dollar: dollar) }
                index = end
            } else {
                output.append(byte)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// `NAME`, or `NAME` with an operator and a word.
    private func braced(
        _ body: ArraySlice<UInt8>, dollar: Int, progress: inout Progress, depth: Int
    ) throws(Failure) -> String {
        let nameEnd = body.firstIndex { !Self.isNamePart($0) } ?? body.endIndex
        guard let first = body.first, Self.isNameStart(first) else {
            throw Failure(reason: .invalidFormat, dollar: dollar)
        }
        let name = String(decoding: body[body.startIndex..<nameEnd], as: UTF8.self)
        guard nameEnd < body.endIndex else {
            visit?(Variable(name: name))
            return value(of: name, dollar: dollar)
        }
        var operatorAt = nameEnd
        let colon = body[operatorAt] == UInt8(ascii: ":")
        if colon { operatorAt += 1 }
        guard operatorAt < body.endIndex else { throw Failure(reason: .invalidFormat, dollar: dollar) }
        let word = body[(operatorAt + 1)...]
        let found = lookup(name)
        let isSet = colon ? !(found ?? "").isEmpty : found != nil
        // Every word is evaluated, used or not, so that a fault in it is always told.
        switch body[operatorAt] {
        case UInt8(ascii: "-"):
            visit?(Variable(name: name, defaultValue: String(decoding: word, as: UTF8.self)))
            let fallback = try conditional(word, used: !isSet, progress: &progress, depth: depth)
            return isSet ? found ?? "" : fallback
        case UInt8(ascii: "+"):
            visit?(Variable(name: name, alternate: String(decoding: word, as: UTF8.self)))
            let alternate = try conditional(word, used: isSet, progress: &progress, depth: depth)
            return isSet ? alternate : ""
        case UInt8(ascii: "?"):
            visit?(Variable(name: name, isRequired: true))
            let message = try conditional(word, used: !isSet, progress: &progress, depth: depth)
            guard isSet || visit != nil else {
                throw Failure(reason: .missing(variable: name, message: message), dollar: dollar)
            }
            return found ?? ""
        default:
            throw Failure(reason: .invalidFormat, dollar: dollar)
        }
    }

    private func conditional(
        _ word: ArraySlice<UInt8>, used: Bool, progress: inout Progress, depth: Int
    ) throws(Failure) -> String {
        if used || visit != nil { return try substitute(word, progress: &progress, depth: depth + 1) }
        // Nothing of it shows, so that a variable which is not set need not be told.
        return try Template(limit: limit, lookup: lookup).substitute(word, progress: &progress, depth: depth + 1)
    }

    private func value(of name: String, dollar: Int) -> String {
        if let value = lookup(name) { return value }
        unset(name, dollar)
        return ""
    }

    /// The brace that ends a body whose opening one was just read. Inner braces are counted, each hiding the sign
    /// that follows it; where they do not balance, the last brace of the line ends the body.
    private static func closingBrace(of bytes: ArraySlice<UInt8>) -> Int? {
        let nameEnd = bytes.firstIndex { !isNamePart($0) } ?? bytes.endIndex
        if nameEnd < bytes.endIndex, bytes[nameEnd] == UInt8(ascii: "}") { return nameEnd }
        let lineEnd = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
        guard let last = bytes[..<lineEnd].lastIndex(of: UInt8(ascii: "}")) else { return nil }
        var depth = 1
        // The first sign of the name belongs to the opening brace.
        var index = bytes.startIndex + 1
        while index <= last {
            if bytes[index] == UInt8(ascii: "}") {
                depth -= 1
                if depth == 0 { return index }
            } else if bytes[index] == UInt8(ascii: "{") {
                depth += 1
                index += 1
            }
            index += 1
        }
        return last
    }

    private static func isNameStart(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
    }

    static func isNamePart(_ byte: UInt8) -> Bool {
        isNameStart(byte) || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
    }
}
