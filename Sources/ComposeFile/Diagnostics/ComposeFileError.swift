/// Everything that was wrong with the files, by place.
public struct ComposeFileError: Error, Sendable, CustomStringConvertible {
    /// Errors, at most 100 of them.
    public var diagnostics: [Diagnostic]
    /// What was remarked before the errors ended the load.
    public var warnings: [Diagnostic]
    /// Errors beyond those of ``diagnostics``.
    public var omitted: Int

    public init(diagnostics: [Diagnostic], warnings: [Diagnostic] = [], omitted: Int = 0) {
        self.diagnostics = diagnostics
        self.warnings = warnings
        self.omitted = omitted
    }

    public init(_ message: String, hint: String? = nil, code: DiagnosticCode = .invalidValue) {
        self.init(diagnostics: [Diagnostic(severity: .error, code: code.rawValue, message: message, hint: hint)])
    }

    public var description: String { diagnostics.map(\.rendered).joined(separator: "\n") }
}
