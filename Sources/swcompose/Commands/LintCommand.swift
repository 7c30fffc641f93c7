internal import ArgumentParser
internal import ComposeFile
internal import Rendering

struct LintCommand: Command {
    static let about = CommandConfiguration(
        commandName: "lint", abstract: "Report what is legal in the Compose files but likely wrong",
        usage: "swcompose lint [OPTIONS]",
        discussion: """
            Findings are printed as file:line:column: severity: message, with the line and a remedy. The exit code is 0 \
            without findings of severity warning (info does not count), 1 with any, and 1 where the files are refused.
            """)

    enum Format: String, ExpressibleByArgument { case text, json }

    @Option(
        parsing: .unconditionalSingleValue,
        help: "Leave out a rule by its code; may be repeated, and take several, separated by commas")
    var disable: [String] = []
    @Option(
        parsing: .unconditional,
        help: """
            Format the output. Values: [text | json]. json is one document: {"diagnostics": [{severity, code, message, \
            help, file, line, column, endLine, endColumn, related}], "omitted": N}
            """)
    var format = Format.text
    @Flag(help: "List the rules with their codes and severities")
    var rules = false

    func validate() throws { _ = try disabled() }

    /// - Throws: `ValidationError` for a code that no rule has.
    private func disabled() throws -> Set<String> {
        let known = Set(LintRule.allCases.map(\.rawValue)).union(DiagnosticCode.allCases.map(\.rawValue))
        var result: Set<String> = []
        for code in disable.flatMap({ $0.split(separator: ",").map(String.init) }) {
            guard known.contains(code) else {
                let near = LintRule.nearest(to: code).map { ": did you mean \"\($0.rawValue)\"?" } ?? ""
                throw ValidationError("unknown rule \"\(code)\" for --disable\(near) (lint --rules lists them)")
            }
            result.insert(code)
        }
        return result
    }

    func run(_ flags: GlobalFlags) throws {
        if rules { return listRules() }
        let disabled = try disabled()
        let findings: [Diagnostic]
        do {
            let session = try Session(flags)
            let rules = Set(disabled.compactMap(LintRule.init(rawValue:)))
            findings = try Linter.lint(session.loadOptions(), disabled: rules).filter { !disabled.contains($0.code) }
        } catch let error as ComposeFileError where format == .json {
            print(DiagnosticDocument.json(error.diagnostics + error.warnings, omitted: error.omitted) + "\n")
            throw ExitStatus(code: 1)
        }
        switch format {
        case .json: print(DiagnosticDocument.json(findings) + "\n")
        case .text:
            let renderer = DiagnosticOutput.renderer(for: 1)
            for finding in findings { print(renderer.render(finding) + "\n  code: \(finding.code)\n") }
        }
        if findings.contains(where: { $0.severity == .warning }) { throw ExitStatus(code: 1) }
    }

    private func listRules() {
        if format == .json {
            let rules = LintRule.allCases.map { rule in
                JSONText.object([
                    ("code", .string(rule.rawValue)), ("severity", .string(rule.severity.rawValue)),
                    ("summary", .string(rule.summary)),
                ])
            }
            return print(JSONText.array(rules).text + "\n")
        }
        var table = TextTable(header: ["CODE", "SEVERITY", "FINDS"])
        for rule in LintRule.allCases { table.add([rule.rawValue, rule.severity.rawValue, rule.summary]) }
        print(table.text)
    }

    private func print(_ text: String) {
        let stdout = OutputBuffer(1)
        stdout.write(text)
        stdout.flush()
    }
}
