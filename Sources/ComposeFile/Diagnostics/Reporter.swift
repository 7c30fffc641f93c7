/// Collects the diagnostics of one load, so that several errors can be told in one run.
final class Reporter {
    let sources = SourceSet()
    /// What the load may still use.
    let budget: LoadBudget
    private(set) var errors: [Diagnostic] = []
    private(set) var warnings: [Diagnostic] = []
    private var warned: Set<String> = []

    /// More than this many errors are not told: after a while they repeat themselves.
    private static let limit = 50
    private static let warningLimit = 1000

    init(limits: LoadLimits = LoadLimits()) { budget = LoadBudget(limits) }

    /// No further error would be told.
    var isFull: Bool { errors.count >= Self.limit }
    var hasErrors: Bool { !errors.isEmpty }

    func error(
        _ message: @autoclosure () -> String, at mark: Mark = .none, hint: @autoclosure () -> String? = nil
    ) {
        if isFull { return }
        let (message, hint) = (message(), hint())
        let diagnostic = diagnostic(.error, message, at: mark, hint: hint)
        if !errors.contains(diagnostic) { errors.append(diagnostic) }
    }

    /// Tells a warning, once for each `key` (or text).
    func warn(
        _ message: String, at mark: @autoclosure () -> Mark = .none, hint: String? = nil, key: String? = nil
    ) {
        guard warned.count < Self.warningLimit, warned.insert(key ?? message).inserted else { return }
        warnings.append(diagnostic(.warning, message, at: mark(), hint: hint))
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

    /// Ends the load where something would go beyond its limits.
    func spend(
        _ amount: Int, of resource: LoadBudget.Resource, at mark: Mark = .none
    ) throws(ComposeFileError) {
        if let problem = budget.take(amount, of: resource) { throw fatal(problem, at: mark) }
    }

    /// An error that ends the load at once, together with those found before.
    func fatal(_ message: String, at mark: Mark = .none, hint: String? = nil) -> ComposeFileError {
        let last = diagnostic(.error, message, at: mark, hint: hint)
        if !errors.contains(last) { errors.append(last) }
        return ComposeFileError(diagnostics: ordered)
    }

    /// A message quotes what the file says; what the file says may be megabytes.
    private static func clipped(_ message: String) -> String {
        let longest = 4096
        guard message.utf8.count > longest else { return message }
        return String(message.unicodeScalars.prefix(longest)) + "…"
    }

    private func diagnostic(
        _ severity: Diagnostic.Severity, _ message: String, at mark: Mark, hint: String?
    ) -> Diagnostic {
        Diagnostic(
            severity: severity, message: Self.clipped(message), file: sources.name(of: mark.file),
            line: Int(mark.line), column: Int(mark.column), hint: hint,
            source: sources.line(mark.line, of: mark.file))
    }
}
