import Rendering
import Testing

@Suite struct TextTests {
    @Test(
        arguments: [
            (0.4, "Less than a second"), (1, "1 second"), (59, "59 seconds"), (60, "About a minute"),
            (119, "About a minute"),
            (190, "3 minutes"), (3600, "About an hour"), (5399, "About an hour"), (5400, "2 hours"),
            (86400, "24 hours"), (172_800, "2 days"), (1_296_000, "2 weeks"), (7_776_000, "3 months"),
            (94_608_000, "3 years"),
        ] as [(Double, String)])
    func durations(seconds: Double, text: String) {
        #expect(HumanUnits.duration(seconds: seconds) == text)
    }

    @Test(
        arguments: [
            (0, "0B"), (999, "999B"), (1000, "1kB"), (1536, "1.54kB"), (4_261_502, "4.26MB"), (77_800_000, "77.8MB"),
            (192_004_000, "192MB"), (1_050_000_000, "1.05GB"),
        ] as [(Int64, String)])
    func sizes(bytes: Int64, text: String) {
        #expect(HumanUnits.size(bytes: bytes) == text)
    }

    @Test func columnsAreAlignedAndTheLastIsNotPadded() {
        var table = TextTable(header: ["NAME", "STATUS"])
        table.add(["a-longer-name", "running(1)"])
        table.add(["b", ""])
        #expect(table.text == "NAME            STATUS\na-longer-name   running(1)\nb               \n")
    }

    @Test(arguments: [
        ("web*", "web-1", true), ("web?", "web", false), ("*", "", true), ("[a-c]b", "bb", true),
        ("[^a-c]b", "bb", false),
        ("a*b*c", "a12b3c", true), ("a*b*c", "a12b3", false), ("a\\*", "a*", true), ("*", "a/b", false),
    ])
    func globs(pattern: String, name: String, matches: Bool) {
        #expect(Glob.matches(pattern, name) == matches)
    }

    @Test(arguments: ["[", "[a", "[]", "[a-]", "a\\"])
    func malformedGlobs(pattern: String) {
        #expect(Glob.matches(pattern, "a") == nil)
    }

    @Test func jsonIsEscapedAsGoDoesIt() {
        let value = JSONText.object([
            ("a", .string("<\"\\\n\u{1}é>")), ("b", .array([.number(1), .null, .boolean(true)])),
        ])
        #expect(value.text == #"{"a":"\u003c\"\\\n\u0001é\u003e","b":[1,null,true]}"#)
    }

    @Test func templates() throws {
        let template = try Template(
            #"{{.Name}}\t{{ json .Name }} {{upper .Name}} {{.Label "x"}}{{json .}}"#, fields: ["Name"])
        let text = template.render(value: { _ in .string("a\"b") }, whole: { "{}" }, label: { "<\($0)>" })
        #expect(text == "a\"b\t\"a\\\"b\" A\"B <x>{}")
    }

    @Test(arguments: ["{{.Nam}}", "{{range .}}", "{{.Name", "{{.Name | upper}}", "{{Name}}"])
    func templatesThatAreRefused(source: String) {
        #expect(throws: InvalidTemplate.self) { try Template(source, fields: ["Name"]) }
    }
}
