import Testing

@testable import ComposeFile

@Suite struct ExcerptTests {
    private func lines(_ line: String, _ column: Int, _ end: Int? = nil, width: Int = 40) -> [String] {
        let excerpt = Excerpt(line: line, column: column, endColumn: end, width: width)
        return [
            excerpt.text,
            String(repeating: " ", count: excerpt.indent) + "^" + String(repeating: "~", count: excerpt.length - 1),
        ]
    }

    @Test func plain() { #expect(lines("  image: nginx", 10, 15) == ["  image: nginx", "         ^~~~~"]) }

    @Test func tabsAreWidenedInTheLineAndBelowIt() {
        #expect(lines("\ta:\tb", 5, 6) == ["    a:    b", "          ^"])
    }

    @Test func wideCharactersTakeTwoCells() {
        #expect(lines("名: \"日本\" # x", 4, 8) == ["名: \"日本\" # x", "    ^~~~~~"])
        #expect(lines("e\u{301}: ab", 5, 7) == ["e\u{301}: ab", "   ^~"])
        #expect(lines("🐳: ab", 4, 6) == ["🐳: ab", "    ^~"])
    }

    @Test func nothingActsOnTheTerminal() {
        #expect(lines("a: \u{1B}[31m\u{202E}b", 4, 5) == ["a: \u{FFFD}[31m\u{FFFD}b", "   ^"])
    }

    @Test func longLinesAreCutAroundTheFault() {
        let line = String(repeating: "a", count: 100) + "FAULT" + String(repeating: "b", count: 100)
        #expect(
            lines(line, 101, 106) == [
                "…aaaaaaaaaaaaFAULTbbbbbbbbbbbbbbbbbbbbb…", "             ^~~~~",
            ])
        // Near an end, the page is filled from the other side.
        #expect(lines("FAULT" + line, 1, 6) == ["FAULT" + String(repeating: "a", count: 33) + "…", "^~~~~"])
        #expect(
            lines(line + "END", 206, 209) == [
                "…" + String(repeating: "b", count: 35) + "END", "                                    ^~~",
            ])
    }

    @Test func aCutNeverExceedsThePage() {
        let line = String(repeating: "日x\t", count: 400)
        for column in stride(from: 1, through: 1200, by: 37) {
            let excerpt = Excerpt(line: line, column: column, endColumn: column + 500, width: 60)
            let width = excerpt.text.unicodeScalars.reduce(0) { $0 + DisplayWidth.of($1) }
            #expect(width <= 60)
            #expect(excerpt.indent + excerpt.length <= 60)
        }
    }

    @Test func aColumnBeyondTheLineIsItsEnd() {
        #expect(lines("abc", 9) == ["abc", "   ^"])
        #expect(lines("", 1, 4) == ["", "^"])
    }
}
