/// One thing to tell about a Compose file: what, where, and what would be right.
public struct Diagnostic: Sendable, Equatable, Codable {
    public enum Severity: String, Sendable, Codable { case error, warning }

    public var severity: Severity
    /// As the file was named; nil where the matter has no place in a file.
    public var file: String?
    /// From 1; 0 without a place.
    public var line: Int
    /// From 1, in characters; 0 without a place.
    public var column: Int
    public var message: String
    /// What would be right.
    public var hint: String?
    /// The text of the line.
    public var source: String?

    public init(
        severity: Severity, message: String, file: String? = nil, line: Int = 0, column: Int = 0,
        hint: String? = nil, source: String? = nil
    ) {
        self.severity = severity
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.hint = hint
        self.source = source
    }

    /// `file:line:column: error: message`, the line with a caret below, and the hint. No newline at the end.
    public var rendered: String {
        var text = ""
        if let file { text += line > 0 ? "\(file):\(line):\(column): " : "\(file): " }
        text += "\(severity.rawValue): \(message)"
        if let source, line > 0 {
            let number = String(line)
            let margin = String(repeating: " ", count: number.count)
            let (excerpt, caret) = excerpt(of: source)
            var indent = ""
            for character in excerpt.unicodeScalars.prefix(caret) {
                indent.unicodeScalars.append(character == "\t" ? "\t" : " ")
            }
            text += "\n \(number) | \(excerpt)\n \(margin) | \(indent)^"
        }
        if let hint { text += "\n  hint: \(hint)" }
        return text
    }

    /// The line, cut around the column where it is very long, and the caret's place in it.
    private func excerpt(of source: String) -> (text: String, caret: Int) {
        let scalars = Array(source.unicodeScalars)
        let caret = min(max(0, column - 1), scalars.count)
        guard scalars.count > 160 else { return (source, caret) }
        let start = max(0, caret - 80)
        let end = min(scalars.count, caret + 80)
        var view = String.UnicodeScalarView()
        if start > 0 { view.append("…") }
        view.append(contentsOf: scalars[start..<end])
        if end < scalars.count { view.append("…") }
        return (String(view), caret - start + (start > 0 ? 1 : 0))
    }
}

/// Everything that was wrong with the files, in the order in which it was found.
public struct ComposeFileError: Error, Sendable, CustomStringConvertible {
    public var diagnostics: [Diagnostic]

    public init(diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }

    public init(_ message: String, hint: String? = nil) {
        diagnostics = [Diagnostic(severity: .error, message: message, hint: hint)]
    }

    public var description: String { diagnostics.map(\.rendered).joined(separator: "\n") }
}
