import ArgumentParser
import Testing

@testable import swcompose

@Suite struct DiagnosticFlagTests {
    @Test func rulesAreNamedByTheirCodes() throws {
        let command = try LintCommand.parse(["--disable", "unused-volume,obsolete-version", "--disable", "lost-dollar"])
        #expect(command.disable.count == 2)
        do {
            _ = try LintCommand.parse(["--disable", "unusd-volume"])
            Issue.record("accepted")
        } catch {
            let message = LintCommand.message(for: error)
            #expect(message.contains("unknown rule \"unusd-volume\""))
            #expect(message.contains("did you mean \"unused-volume\"?"))
        }
    }

    @Test(arguments: [
        ["--origin", "--quiet"], ["--origin", "--services"], ["--origin", "--hash", "*"],
        ["--diagnostics", "json", "--images"], ["--diagnostics", "json", "--origin"], ["--diagnostics", "xml"],
    ]) func flagsThatContradictEachOther(words: [String]) {
        #expect(throws: (any Error).self) { try ConfigCommand.parse(words) }
    }

    @Test func flagsThatGoTogether() throws {
        #expect(try ConfigCommand.parse(["--origin", "--format", "json"]).origin)
        #expect(try ConfigCommand.parse(["--diagnostics", "json", "-q"]).diagnostics == .json)
    }

    @Test func misspelledServices() {
        #expect(NoSuchService(name: "wbe", known: ["db", "web"]).description.hasSuffix("did you mean `web`?"))
        #expect(NoSuchService(name: "x", known: ["db", "web"]).description == "no such service: x")
    }
}
