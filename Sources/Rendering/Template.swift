/// The part of Go's templates that `--format` is used with: text, `{{.Field}}`, `{{json .}}`, `{{json .Field}}`,
/// `{{upper .Field}}`, `{{lower .Field}}` and `{{.Label "key"}}`.
public struct Template: Sendable {
    public enum Piece: Sendable, Equatable {
        case text(String)
        case field(String, Transform)
        /// `{{json .}}`
        case whole
        case label(String)
    }
    public enum Transform: Sendable, Equatable { case none, json, upper, lower }

    public let pieces: [Piece]

    /// - Parameter fields: those that may be named.
    /// - Throws: ``InvalidTemplate``.
    public init(_ source: String, fields: [String]) throws(InvalidTemplate) {
        var pieces: [Piece] = []
        var rest = Substring(source)
        while let open = Self.position(of: "{{", in: rest) {
            if open > rest.startIndex { pieces.append(.text(Self.unescaped(rest[..<open]))) }
            let afterOpen = rest[open...].dropFirst(2)
            guard let close = Self.position(of: "}}", in: afterOpen) else {
                throw InvalidTemplate("template parsing error: unclosed action in \"\(source)\"")
            }
            pieces.append(try Self.action(afterOpen[..<close], fields: fields))
            rest = afterOpen[close...].dropFirst(2)
        }
        if !rest.isEmpty { pieces.append(.text(Self.unescaped(rest))) }
        self.pieces = pieces
    }

    private static func action(_ source: Substring, fields: [String]) throws(InvalidTemplate) -> Piece {
        let words = source.split(separator: " ").map(String.init)
        switch (words.first ?? "", words.count) {
        case ("json", 2) where words[1] == ".": return .whole
        case ("json", 2): return .field(try field(words[1], fields), .json)
        case ("upper", 2): return .field(try field(words[1], fields), .upper)
        case ("lower", 2): return .field(try field(words[1], fields), .lower)
        case (".Label", 2) where words[1].count > 2 && words[1].hasPrefix("\"") && words[1].hasSuffix("\""):
            return .label(String(words[1].dropFirst().dropLast()))
        case (let word, 1): return .field(try field(word, fields), .none)
        default:
            throw InvalidTemplate(
                "template parsing error: \"{{\(source)}}\" is not done yet "
                    + "(done are {{.Field}}, {{json .}}, {{json .Field}}, {{upper .Field}}, {{lower .Field}}, "
                    + "{{.Label \"key\"}})")
        }
    }

    private static func field(_ word: String, _ fields: [String]) throws(InvalidTemplate) -> String {
        let name = String(word.dropFirst())
        guard word.hasPrefix("."), fields.contains(name) else {
            throw InvalidTemplate(
                "template parsing error: no field \"\(word)\"; known are \(fields.joined(separator: ", "))")
        }
        return name
    }

    private static func position(of mark: String, in text: Substring) -> Substring.Index? {
        var index = text.startIndex
        while index < text.endIndex {
            if text[index...].hasPrefix(mark) { return index }
            index = text.index(after: index)
        }
        return nil
    }

    /// `\t` and `\n` as typed in a shell's single quotes.
    private static func unescaped(_ text: Substring) -> String {
        var out = ""
        var escaped = false
        for character in text {
            if escaped {
                switch character {
                case "t": out += "\t"
                case "n": out += "\n"
                default: out += "\\\(character)"
                }
                escaped = false
            } else if character == "\\" {
                escaped = true
            } else {
                out.append(character)
            }
        }
        return escaped ? out + "\\" : out
    }

    /// - Parameters:
    ///   - value: of a field.
    ///   - whole: what `{{json .}}` stands for.
    public func render(
        value: (String) -> JSONText, whole: () -> String, label: (String) -> String
    ) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .whole: whole()
            case .label(let key): label(key)
            case .field(let name, .json): value(name).text
            case .field(let name, .upper): Self.plain(value(name)).uppercased()
            case .field(let name, .lower): Self.plain(value(name)).lowercased()
            case .field(let name, .none): Self.plain(value(name))
            }
        }.joined()
    }

    /// As the template's headings: text as it is, fields by `heading`.
    public func renderHeading(_ heading: (String) -> String) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .field(let name, _): heading(name)
            case .label(let key): key
            case .whole: ""
            }
        }.joined()
    }

    private static func plain(_ value: JSONText) -> String {
        if case .string(let text) = value { return text }
        return value.text
    }
}

public struct InvalidTemplate: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
