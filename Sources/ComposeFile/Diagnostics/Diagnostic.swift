/// One thing to tell about a Compose file: what, where, and what would be right.
public struct Diagnostic: Sendable, Equatable, Codable {
    /// How bad it is. Only an error refuses the files.
    public enum Severity: String, Sendable, Codable {
        case error, warning
        /// Worth knowing; nothing need be wrong.
        case info
    }

    /// A further place that belongs to the matter: the first of two definitions, the `include` that led here.
    public struct Note: Sendable, Equatable, Codable {
        public var message: String
        /// As the file was named; nil where the note is about the diagnostic's own place.
        public var file: String?
        /// From 1; 0 without a place.
        public var line: Int
        /// From 1, in characters; 0 without a place.
        public var column: Int

        public init(message: String, file: String? = nil, line: Int = 0, column: Int = 0) {
            self.message = message
            self.file = file
            self.line = line
            self.column = column
        }
    }

    public var severity: Severity
    /// A stable name of the kind of fault, in kebab case: a raw value of ``DiagnosticCode`` or ``LintRule``.
    public var code: String
    /// As the file was named; nil where the matter has no place in a file.
    public var file: String?
    /// From 1; 0 without a place.
    public var line: Int
    /// From 1, in characters; 0 without a place.
    public var column: Int
    /// The line of the first character after the fault; nil where the fault's extent is not known.
    public var endLine: Int?
    /// The column of the first character after the fault.
    public var endColumn: Int?
    public var message: String
    /// What would be right.
    public var hint: String?
    public var notes: [Note]
    /// The text of the line.
    public var source: String?

    public init(
        severity: Severity, code: String = DiagnosticCode.invalidValue.rawValue, message: String,
        file: String? = nil, line: Int = 0, column: Int = 0, endLine: Int? = nil, endColumn: Int? = nil,
        hint: String? = nil, notes: [Note] = [], source: String? = nil
    ) {
        self.severity = severity
        self.code = code
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.endLine = endLine
        self.endColumn = endColumn
        self.hint = hint
        self.notes = notes
        self.source = source
    }

    /// `file:line:column: error: message`, the line with the fault underlined, the hint and the notes, for a plain
    /// page of 120 columns. No newline at the end.
    public var rendered: String { DiagnosticRenderer().render(self) }
}
