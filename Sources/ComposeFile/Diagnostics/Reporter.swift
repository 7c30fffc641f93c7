/// Collects the diagnostics of one load, so that several errors can be told in one run.
final class Reporter {
    let sources = SourceSet()
    private(set) var errors: [Diagnostic] = []
    private(set) var warnings: [Diagnostic] = []
    private var warned: Set<String> = []

    /// More than this many errors are not told: after a while they repeat themselves.
    private static let limit = 50

    var hasErrors: Bool { !errors.isEmpty }

    func error(_ message: String, at mark: Mark = .none, hint: String? = nil) {
        let diagnostic = diagnostic(.error, message, at: mark, hint: hint)
        if errors.count < Self.limit, !errors.contains(diagnostic) { errors.append(diagnostic) }
    }

    /// Tells a warning, once for each `key` (or text).
    func warn(_ message: String, at mark: Mark = .none, hint: String? = nil, key: String? = nil) {
        guard warned.insert(key ?? message).inserted else { return }
        warnings.append(diagnostic(.warning, message, at: mark, hint: hint))
    }

    /// Ends the stage if anything was wrong in it.
    func check() throws(ComposeFileError) {
        if hasErrors { throw ComposeFileError(diagnostics: ordered) }
    }

    /// By place, files in the order in which they were read; what has no place comes first.
    private var ordered: [Diagnostic] {
        var ranks: [String: Int] = [:]
        for (rank, source) in sources.sources.enumerated() where ranks[source.name] == nil { ranks[source.name] = rank }
        func key(_ item: (offset: Int, element: Diagnostic)) -> (Int, Int, Int, Int) {
            let rank = item.element.file.flatMap { ranks[$0] } ?? -1
            return (rank, item.element.line, item.element.column, item.offset)
        }
        return errors.enumerated().sorted { key($0) < key($1) }.map(\.element)
    }

    /// An error that ends the load at once, together with those found before.
    func fatal(_ message: String, at mark: Mark = .none, hint: String? = nil) -> ComposeFileError {
        error(message, at: mark, hint: hint)
        return ComposeFileError(diagnostics: ordered)
    }

    private func diagnostic(
        _ severity: Diagnostic.Severity, _ message: String, at mark: Mark, hint: String?
    ) -> Diagnostic {
        Diagnostic(
            severity: severity, message: message, file: sources.name(of: mark.file),
            line: Int(mark.line), column: Int(mark.column), hint: hint,
            source: sources.line(mark.line, of: mark.file))
    }
}
