/// Looks for what is legal but likely wrong.
public struct Linter {
    let record: LoadRecord
    let options: LoadOptions
    let loaded: LoadedProject
    private let disabled: Set<LintRule>
    private var findings: [Reporter.Entry] = []

    /// Loads the files and lints them.
    ///
    /// - Parameter disabled: rules that are not told.
    /// - Returns: findings by place, with what loading itself warned about.
    /// - Throws: ``ComposeFileError`` for files that are refused.
    public static func lint(
        _ options: LoadOptions, disabled: Set<LintRule> = []
    ) throws(ComposeFileError) -> [Diagnostic] {
        let record = LoadRecord()
        let loaded = try ProjectLoader.load(options, record: record)
        var linter = Linter(record: record, options: options, loaded: loaded, disabled: disabled)
        linter.checkPorts()
        linter.checkDependencies()
        linter.checkImages()
        linter.checkFiles()
        linter.checkUnused()
        linter.checkVariables()
        linter.checkSupport()
        return linter.sorted(with: loaded.warnings)
    }

    private init(record: LoadRecord, options: LoadOptions, loaded: LoadedProject, disabled: Set<LintRule>) {
        self.record = record
        self.options = options
        self.loaded = loaded
        self.disabled = disabled
    }

    /// All services by name, those of inactive profiles too.
    var services: Mapping { record.tree["services"]?.mapping ?? Mapping() }

    mutating func tell(
        _ rule: LintRule, _ message: String, at mark: Mark, hint: String, notes: [Reporter.Note] = []
    ) {
        guard !disabled.contains(rule) else { return }
        let finding = Reporter.Entry(
            severity: rule.severity, code: rule.rawValue, message: message, mark: mark,
            end: rule == .lostDollar ? record.reporter.sources.variableEnd(mark) : nil, hint: hint, notes: notes)
        if !findings.contains(finding) { findings.append(finding) }
    }

    /// A `$` that was lost is told once, by the rule that knows what it means.
    private func sorted(with warnings: [Diagnostic]) -> [Diagnostic] {
        func place(_ diagnostic: Diagnostic) -> String {
            "\(diagnostic.file ?? ""):\(diagnostic.line):\(diagnostic.column)"
        }
        let findings = record.reporter.diagnostics(of: findings)
        let lost = Set(findings.filter { $0.code == LintRule.lostDollar.rawValue }.map(place))
        let others = warnings.filter {
            !($0.code == DiagnosticCode.unsetVariable.rawValue && lost.contains(place($0)))
        }
        var ranks: [String: Int] = [:]
        for (rank, source) in record.reporter.sources.sources.enumerated() where ranks[source.name] == nil {
            ranks[source.name] = rank
        }
        func key(_ item: (offset: Int, element: Diagnostic)) -> (Int, Int, Int, Int) {
            (item.element.file.flatMap { ranks[$0] } ?? -1, item.element.line, item.element.column, item.offset)
        }
        return (others + findings).enumerated().sorted { key($0) < key($1) }.map(\.element)
    }

    /// What the runtime will refuse when containers are made.
    private mutating func checkSupport() {
        for attribute in loaded.project.unsupported {
            let mark = record.reporter.sources.mark(
                file: attribute.file, line: attribute.line, column: attribute.column)
            tell(
                .unsupportedAttribute, attribute.message, at: mark,
                hint: "`up` refuses it; remove it, or run the service elsewhere")
        }
    }
}
