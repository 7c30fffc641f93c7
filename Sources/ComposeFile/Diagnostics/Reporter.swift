/// Collects the diagnostics of one load, so that several errors can be told in one run.
final class Reporter {
    /// A further place of a diagnostic.
    struct Note: Equatable {
        var message: String
        /// ``Mark/none``: the diagnostic's own place.
        var mark = Mark.none
    }

    /// A text whose variables were replaced.
    struct Substitution {
        var mark: Mark
        var template: String
        var value: String
    }

    /// A diagnostic as it is collected: with marks, which cost nothing to keep.
    struct Entry: Equatable {
        var severity: Diagnostic.Severity
        var code: String
        var message: String
        var mark: Mark
        var end: Mark?
        var hint: String?
        var notes: [Note]
    }

    private struct Fault: Hashable {
        var mark: Mark
        var message: String
    }

    let sources: SourceSet
    /// What the load may still use.
    let budget: LoadBudget
    private var errors: [Entry] = []
    private var faults: Set<Fault> = []
    /// Places of errors, with the stage that found the first one.
    private var places: [Mark: Int] = [:]
    private var stage = 0
    private var omitted = 0
    private var warned: [Entry] = []
    /// Warnings by what they are about: their position in `warned`, and the other places that they hold for.
    private var repeats: [String: (position: Int, places: Set<Mark>)] = [:]
    private var substitutions: [Substitution] = []
    /// Where env files set variables.
    private var variablePlaces: [String: Mark] = [:]

    /// More than this many errors are counted only, and so are warnings.
    private static let limit = 100
    private var unheeded = 0

    /// The files go beyond what a load may use: nothing further is to be looked at.
    var isOverLimit: Bool { budget.isExceeded || isTooLarge }
    private var isTooLarge = false

    /// - Parameter directory: files below it are named relative to it; nil: all names stay as they are.
    init(directory: String? = nil, limits: LoadLimits = LoadLimits()) {
        sources = SourceSet(directory: directory)
        budget = LoadBudget(limits)
    }

    /// No further error would be told, only counted: what would help with it need not be looked for.
    var isFull: Bool { errors.count >= Self.limit }
    var hasErrors: Bool { !errors.isEmpty }

    /// From here on, an error at a place that had one before is taken for its consequence and not told.
    func beginStage() { stage += 1 }

    /// - Parameters:
    ///   - end: the first place after the fault, where it is not that of a YAML token.
    ///   - value: the value that the fault is in, where that begins elsewhere.
    func error(
        _ message: @autoclosure () -> String, at mark: Mark = .none, hint: @autoclosure () -> String? = nil,
        code: DiagnosticCode = .invalidValue, notes: [Note] = [], end: Mark? = nil, value: Mark? = nil
    ) {
        record(
            message(), at: mark, hint: hint(), code: code, notes: notes, end: end, value: value, isLast: false)
    }

    /// - Parameter isLast: it is told even where no further one would be.
    private func record(
        _ message: @autoclosure () -> String, at mark: Mark, hint: @autoclosure () -> String?, code: DiagnosticCode,
        notes: [Note], end: Mark?, value: Mark? = nil, isLast: Bool
    ) {
        if code == .tooLarge { isTooLarge = true }
        let isNew = mark == .none || places[mark] == nil
        if let value { places[value] = places[value] ?? stage }
        if mark != .none {
            if let found = places[mark], found < stage { return }
            places[mark] = places[mark] ?? stage
        }
        // Texts that are not told are not made: each may be long, and so may be what they are made of.
        if isFull, !isLast {
            if isNew { omitted += 1 }
            return
        }
        let message = Self.clipped(message())
        guard faults.insert(Fault(mark: mark, message: message)).inserted else { return }
        errors.append(
            Entry(
                severity: .error, code: code.rawValue, message: message, mark: mark, end: end,
                hint: hint().map(Self.clipped), notes: notes)
        )
    }

    /// Tells a warning, once for each `key` (or text); other places are counted.
    func warn(
        _ message: String, at mark: Mark = .none, hint: @autoclosure () -> String? = nil, key: String? = nil,
        code: DiagnosticCode, end: @autoclosure () -> Mark? = nil
    ) {
        let key = key ?? message
        if repeats[key]?.places.insert(mark) != nil { return }
        guard warned.count < Self.limit else {
            unheeded += 1
            return
        }
        repeats[key] = (warned.count, [mark])
        warned.append(
            Entry(
                severity: .warning, code: code.rawValue, message: Self.clipped(message), mark: mark, end: end(),
                hint: hint().map(Self.clipped), notes: []))
    }

    /// A variable that nothing sets and that has no default.
    func warnUnset(_ name: String, at mark: Mark, _ environment: [String: String]) {
        warn(
            "The \"\(name)\" variable is not set. Defaulting to a blank string.", at: mark,
            hint: Suggestion.nearest(to: name, among: environment.keys.sorted()).map { "did you mean `\($0)`?" },
            key: Self.unsetPrefix + name,
            code: .unsetVariable, end: sources.variableEnd(mark))
    }

    /// What to do about a variable that must be set.
    func advice(forUnset name: String, _ environment: [String: String]) -> String {
        Suggestion.nearest(to: name, among: environment.keys.sorted()).map { "did you mean `\($0)`?" }
            ?? "set \(name) in the environment, or in `.env` beside the Compose file"
    }

    func note(_ substitution: Substitution) { substitutions.append(substitution) }

    /// Env files read for interpolation, and what of them the environment overrules.
    private(set) var envFiles: [String] = []
    private(set) var shadowed: [EnvFiles.Variable] = []

    func noteEnvFile(_ path: String) { envFiles.append(path) }
    func noteShadowed(_ variable: EnvFiles.Variable) { shadowed.append(variable) }
    func noteVariable(_ name: String, at mark: Mark) { variablePlaces[name] = mark }

    /// Places of every use of variables that are not set, for the linter.
    var unsetUses: [(name: String, mark: Mark)] {
        repeats.filter { warned[$0.value.position].code == DiagnosticCode.unsetVariable.rawValue }.flatMap {
            key, value in
            value.places.map { (String(key.dropFirst(Self.unsetPrefix.count)), $0) }
        }
    }

    static let unsetPrefix = "unset "

    /// Ends the stage if anything was wrong in it.
    func check() throws(ComposeFileError) {
        if hasErrors { throw failure }
    }

    /// An error that ends the load at once, together with those found before.
    func fatal(
        _ message: String, at mark: Mark = .none, hint: String? = nil, code: DiagnosticCode = .invalidValue,
        notes: [Note] = [], end: Mark? = nil
    ) -> ComposeFileError {
        record(message, at: mark, hint: hint, code: code, notes: notes, end: end, isLast: true)
        return failure
    }

    /// All errors by place, files in the order in which they were read; what has no place comes first.
    private var failure: ComposeFileError {
        let sorted = errors.enumerated().sorted { Self.key($0.element, $0.offset) < Self.key($1.element, $1.offset) }
        return ComposeFileError(
            diagnostics: diagnostics(of: sorted.map(\.element)), warnings: warnings, omitted: omitted)
    }

    private static func key(_ entry: Entry, _ offset: Int) -> (Int32, Int32, Int32, Int) {
        (entry.mark.file, entry.mark.line, entry.mark.column, offset)
    }

    var warnings: [Diagnostic] {
        guard !warned.isEmpty else { return [] }
        var entries = warned
        for (position, places) in repeats.values where places.count > 1 {
            let more = places.count - 1
            entries[position].notes.append(Note(message: "and \(more) more place\(more == 1 ? "" : "s")"))
        }
        var result = diagnostics(of: entries)
        if unheeded > 0 {
            result.append(
                Diagnostic(
                    severity: .warning, code: DiagnosticCode.moreWarnings.rawValue,
                    message: "and \(unheeded) more warning\(unheeded == 1 ? "" : "s")"))
        }
        return result
    }

    /// Ends the load where something would go beyond its limits.
    func spend(
        _ amount: Int, of resource: LoadBudget.Resource, at mark: Mark = .none
    ) throws(ComposeFileError) {
        if let problem = budget.take(amount, of: resource) { throw fatal(problem, at: mark, code: .tooLarge) }
    }

    /// A message quotes what the file says; what the file says may be megabytes.
    private static func clipped(_ message: String) -> String {
        let longest = 4096
        guard message.utf8.count > longest else { return message }
        return String(message.unicodeScalars.prefix(longest)) + "…"
    }

    func diagnostics(of entries: [Entry]) -> [Diagnostic] {
        let ends = TokenEnds(of: entries.lazy.filter { $0.end == nil }.map(\.mark), in: sources)
        // A line of many faults is held once.
        var lines: [Mark: String] = [:]
        func line(_ mark: Mark) -> String? {
            let key = Mark(file: mark.file, line: mark.line, column: 0)
            if let known = lines[key] { return known }
            lines[key] = sources.line(mark.line, of: mark.file)
            return lines[key]
        }
        return entries.map { entry in
            let mark = entry.mark
            let end = entry.end ?? ends[mark]
            let told = entry.severity == .error ? interpolation(at: mark) : []
            let notes = entry.notes + told + sources.chain(of: mark.file)
            return Diagnostic(
                severity: entry.severity, code: entry.code, message: entry.message,
                file: sources.name(of: mark.file), line: Int(mark.line), column: Int(mark.column),
                endLine: end.map { Int($0.line) }, endColumn: end.map { Int($0.column) },
                hint: entry.hint, notes: notes.map(related), source: line(mark))
        }
    }

    private func related(_ note: Note) -> Diagnostic.Note {
        Diagnostic.Note(
            message: note.message, file: sources.name(of: note.mark.file), line: Int(note.mark.line),
            column: Int(note.mark.column))
    }

    /// What a value at fault was before its variables were replaced, and which env files set them.
    private func interpolation(at mark: Mark) -> [Note] {
        guard mark != .none, let found = substitutions.last(where: { $0.mark == mark }) else { return [] }
        let template = Self.shortened(found.template)
        var notes = [
            Note(
                message: found.value.isEmpty
                    ? "`\(template)` is empty after interpolation"
                    : "`\(template)` is `\(Self.shortened(found.value))` after interpolation")
        ]
        var told: Set<String> = []
        Template.variables(in: found.template) { [variablePlaces] variable in
            guard let place = variablePlaces[variable.name], told.insert(variable.name).inserted else { return }
            notes.append(Note(message: "`\(variable.name)` is set here", mark: place))
        }
        return notes
    }

    private static func shortened(_ text: String) -> String {
        text.unicodeScalars.count <= 80 ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(79))) + "…"
    }
}
