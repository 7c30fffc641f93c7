/// Diagnostics for programs to read: one JSON object.
///
///     {"diagnostics": [{"severity": "error", "code": "unknown-attribute", "message": "…", "help": "…",
///       "file": "compose.yaml", "line": 7, "column": 5, "endLine": 7, "endColumn": 15,
///       "related": [{"message": "included from here", "file": "main.yaml", "line": 2, "column": 5}]}],
///      "omitted": 0}
///
/// Lines and columns count from 1, columns in Unicode scalars; an end is the first place after the fault. What is not
/// known is left out: `help`, the place, the end.
public enum DiagnosticDocument {
    /// - Parameter omitted: errors that were found beyond those given.
    /// - Returns: indented JSON without a newline at the end.
    public static func json(_ diagnostics: [Diagnostic], omitted: Int = 0) -> String {
        JSONWriter.write(
            .map([("diagnostics", .list(diagnostics.map(object))), ("omitted", .int(Int64(omitted)))]), indented: true)
    }

    private static func object(_ diagnostic: Diagnostic) -> Printed {
        var members: [(key: String, value: Printed)] = [
            ("severity", .string(diagnostic.severity.rawValue)), ("code", .string(diagnostic.code)),
            ("message", .string(diagnostic.message)),
        ]
        if let hint = diagnostic.hint { members.append(("help", .string(hint))) }
        members += place(diagnostic.file, diagnostic.line, diagnostic.column)
        if let line = diagnostic.endLine, let column = diagnostic.endColumn {
            members += [("endLine", .int(Int64(line))), ("endColumn", .int(Int64(column)))]
        }
        members.append(
            (
                "related",
                .list(
                    diagnostic.notes.map { note in
                        .map([("message", .string(note.message))] + place(note.file, note.line, note.column))
                    })
            ))
        return .map(members)
    }

    private static func place(_ file: String?, _ line: Int, _ column: Int) -> [(key: String, value: Printed)] {
        guard let file else { return [] }
        guard line > 0 else { return [("file", .string(file))] }
        return [("file", .string(file)), ("line", .int(Int64(line))), ("column", .int(Int64(column)))]
    }
}
