/// Says what libyaml's terse problems mean for the line that they are about, and where the reader should look.
struct SyntaxAdvice {
    let failure: YAMLFailure
    /// The text of a line by its number from 0.
    let line: (Int) -> String?

    struct Told {
        var message: String
        var hint: String?
        var code: DiagnosticCode = .yamlSyntax
        /// From 0.
        var line: Int
        var column: Int
        /// A second place and what it has to do with the first, from 0.
        var note: (text: String, line: Int, column: Int)?
    }

    var told: Told {
        var told = Told(message: "yaml: \(failure.problem)", line: failure.line, column: failure.column)
        if let offset = tab() {
            told.message += ": the line is indented with a tab"
            told.hint = "YAML allows spaces only: put spaces in place of the tab"
            told.code = .tabIndentation
            told.column = offset
            return told
        }
        if let quote = failure.openingQuote {
            afterQuote(&told, quote)
            return told
        }
        switch failure.problem {
        case let problem where problem.contains("end of stream") && failure.context.contains("quoted"):
            told.message = "yaml: the quote that opens here is not closed before the end of the file"
            told.code = .unclosedQuote
            moveToContext(&told)
            told.hint = "close it with another `\(character(at: told))`"
        case let problem where problem.contains("could not find expected ':'"):
            moveToContext(&told)
            missingColon(&told)
        case let problem where problem.contains("mapping values are not allowed"):
            nestedValue(&told)
        case let problem where problem.contains("expected key") || problem.contains("expected '-'"):
            indentation(&told)
        case let problem where problem.contains("expected ','"):
            told.note = ("the bracket that opens here is not closed", failure.contextLine, failure.contextColumn)
            told.hint = "separate the items with commas and close the list with `]`, the mapping with `}`"
        case let problem where problem.contains("cannot start any token"):
            cannotStart(&told)
        case let problem where problem.contains("alphabetic or numeric character"):
            moveToContext(&told)
            let character = character(at: told)
            told.message = "yaml: what follows `\(character)` is no name"
            told.hint = "a plain value cannot begin with `\(character)`: quote it"
        case let problem where problem.contains("unknown escape"):
            told.hint = "in double quotes `\\` begins an escape: write `\\\\`, or use single quotes"
        case let problem where problem.contains("UTF-8") || problem.contains("control characters"):
            told.code = .encoding
            told.hint = "save the file as UTF-8 text"
        case let problem where problem.contains("block sequence entries are not allowed"):
            told.hint = "a list begins on the line after its key: put `- ` there, indented below the key"
        default: break
        }
        return told
    }

    private func moveToContext(_ told: inout Told) {
        told.line = failure.contextLine
        told.column = failure.contextColumn
    }

    /// The offset of a tab in the indentation of the line at fault.
    private func tab() -> Int? {
        guard let text = line(failure.line) else { return nil }
        let blank = text.unicodeScalars.prefix { $0 == " " || $0 == "\t" }
        guard failure.column <= blank.count else { return nil }
        return blank.enumerated().first { $0.element == "\t" }?.offset
    }

    private func character(at told: Told) -> String {
        line(told.line)?.unicodeScalars.dropFirst(told.column).first.map(String.init) ?? "\""
    }

    /// Text where a quoted one has ended.
    private func afterQuote(_ told: inout Told, _ opening: (line: Int, column: Int)) {
        told.code = .unclosedQuote
        if opening.line == failure.line {
            told.message = "yaml: there is more text after the closing quote"
            told.note = ("the quote opens here", opening.line, opening.column)
            let quote = line(opening.line)?.unicodeScalars.dropFirst(opening.column).first
            told.hint =
                quote == "'"
                ? "write a quote within single quotes twice: `''`, or put the value in double quotes"
                : "write a quote within double quotes as `\\\"`, or put the value in single quotes"
            return
        }
        told.message = "yaml: the quote that opens here is not closed on its line"
        told.note = ("the text goes on up to the next quote, which is here", failure.line, failure.column - 1)
        (told.line, told.column) = opening
        told.hint = "close it with another `\(character(at: told))` at the end of the value"
    }

    private static func trimmed(_ text: String) -> String {
        let isBlank: (Unicode.Scalar) -> Bool = { $0 == " " || $0 == "\t" }
        var view = text.unicodeScalars[...]
        view = view.drop(while: isBlank)
        while let last = view.last, isBlank(last) { view.removeLast() }
        return String(view)
    }

    private func missingColon(_ told: inout Told) {
        told.code = .missingColon
        let text = Self.trimmed(line(told.line) ?? "")
        let words = text.split(separator: " ", maxSplits: 1)
        told.message = "yaml: could not find expected ':' after this"
        if words.count == 2 {
            told.hint = "write `\(words[0]): \(Self.trimmed(String(words[1])))`"
        } else {
            told.hint = "write `\(text):`"
        }
    }

    /// A `:` where the value before it has not ended.
    private func nestedValue(_ told: inout Told) {
        let text = line(failure.line) ?? ""
        let before = String(String.UnicodeScalarView(text.unicodeScalars.prefix(failure.column)))
        if let colon = Self.afterColon(before) {
            let value = Self.trimmed(String(String.UnicodeScalarView(text.unicodeScalars.dropFirst(colon))))
            told.hint = "quote the value, for it contains a colon: \"\(value)\""
            return
        }
        // The line before must have been read as text that goes on here.
        var number = failure.line - 1
        while number >= 0, let above = line(number) {
            let content = Self.trimmed(above)
            if content.isEmpty || content.hasPrefix("#") {
                number -= 1
                continue
            }
            let indent = above.unicodeScalars.prefix { $0 == " " }.count
            if !content.hasSuffix(":"), !content.contains(": "), !content.hasPrefix("- ") {
                told.code = .missingColon
                told.note = ("a colon is missing after `\(content)`", number, indent)
                told.hint = "write `\(content):` in line \(number + 1)"
            } else {
                told.note = ("this line has a value already, so that nothing can be nested below it", number, indent)
                told.hint =
                    "indent line \(failure.line + 1) by \(indent) space\(indent == 1 ? "" : "s") to put it beside line \(number + 1)"
            }
            return
        }
    }

    /// How many characters there are up to and with the first `: `.
    private static func afterColon(_ text: String) -> Int? {
        let scalars = Array(text.unicodeScalars)
        return zip(scalars, scalars.dropFirst()).enumerated().first { $0.element == (":", " ") }.map { $0.offset + 2 }
    }

    private func indentation(_ told: inout Told) {
        let isList = failure.problem.contains("'-'")
        guard failure.contextLine != failure.line else { return }
        let kind = isList ? "list" : "mapping"
        told.note = (
            "the \(kind) that this line is read as part of begins here", failure.contextLine, failure.contextColumn
        )
        let text = Self.trimmed(line(failure.line) ?? "")
        let wanted = "\(failure.contextColumn) space\(failure.contextColumn == 1 ? "" : "s")"
        if text.hasPrefix("-"), !isList {
            told.hint = "a list item cannot stand beside keys: indent it below the key that it belongs to"
        } else if isList {
            told.hint = "indent every item by \(wanted) and begin it with `- `"
        } else if failure.column != failure.contextColumn {
            told.hint = "indent the line by \(wanted), as its neighbours are"
        }
    }

    private func cannotStart(_ told: inout Told) {
        let character = line(failure.line)?.unicodeScalars.dropFirst(failure.column).first
        switch character {
        case "\t": told.hint = "YAML allows spaces only: put a space in place of the tab"
        case "@"?, "`"?, "%"?:
            told.hint = "quote a value that begins with `\(character!)`"
        default: break
        }
    }
}
