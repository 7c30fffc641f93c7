/// Writes diagnostics as a compiler does.
public struct DiagnosticRenderer: Sendable {
    /// Cells of the page; the source line is cut to it.
    public var width: Int
    /// With the colours of an ANSI terminal.
    public var colour: Bool

    public init(width: Int = 120, colour: Bool = false) {
        self.width = width
        self.colour = colour
    }

    /// The place, severity and message, the line with the fault underlined, the hint, and the notes each with its
    /// place. No newline at the end.
    public func render(_ diagnostic: Diagnostic) -> String {
        let severity = paint("\(diagnostic.severity.rawValue):", tint(of: diagnostic.severity))
        var text =
            bold(place(diagnostic.file, diagnostic.line, diagnostic.column)) + severity + " "
            + bold(shown(diagnostic.message))
        if let source = diagnostic.source, diagnostic.line > 0 {
            text += "\n" + excerpt(of: source, diagnostic)
        }
        if let hint = diagnostic.hint { text += "\n  " + paint("hint:", .cyan) + " " + shown(hint) }
        for note in diagnostic.notes {
            let label = paint("note:", .cyan) + " " + shown(note.message)
            text += note.file == nil ? "\n  " + label : "\n" + bold(place(note.file, note.line, note.column)) + label
        }
        return text
    }

    private func place(_ file: String?, _ line: Int, _ column: Int) -> String {
        guard let file else { return "" }
        return line > 0 ? "\(shown(file)):\(line):\(column): " : "\(shown(file)): "
    }

    private func excerpt(of source: String, _ diagnostic: Diagnostic) -> String {
        let number = String(diagnostic.line)
        let margin = String(repeating: " ", count: number.count)
        // A fault that goes on in the next line is underlined to the end of this one.
        let end = diagnostic.endLine.map { $0 > diagnostic.line ? Int.max : diagnostic.endColumn ?? diagnostic.column }
        let excerpt = Excerpt(
            line: source, column: diagnostic.column, endColumn: end, width: max(20, width - number.count - 4))
        let indent = String(repeating: " ", count: excerpt.indent)
        let mark = "^" + String(repeating: "~", count: excerpt.length - 1)
        return "\(paint(" \(number) | ", .blue))\(excerpt.text)\n"
            + "\(paint(" \(margin) | ", .blue))\(indent)\(paint(mark, tint(of: diagnostic.severity)))"
    }

    /// Text of the user's, without what would act on the terminal.
    private func shown(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0 != "\n" && DisplayWidth.isUnsafe($0) }) else { return text }
        var view = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            view.append(scalar == "\t" ? " " : scalar != "\n" && DisplayWidth.isUnsafe(scalar) ? "\u{FFFD}" : scalar)
        }
        return String(view)
    }

    private enum Tint: Int { case red = 31, yellow = 33, blue = 34, cyan = 36 }

    private func tint(of severity: Diagnostic.Severity) -> Tint {
        switch severity {
        case .error: .red
        case .warning: .yellow
        case .info: .cyan
        }
    }

    private func paint(_ text: String, _ tint: Tint) -> String {
        colour ? "\u{1B}[1;\(tint.rawValue)m\(text)\u{1B}[0m" : text
    }

    private func bold(_ text: String) -> String { colour && !text.isEmpty ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
}
