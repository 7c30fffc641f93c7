import Testing

@testable import ComposeFile

@Suite struct YAMLTests {
    private func custom(_ value: String) throws -> String {
        let yaml = try load("services: {}\nx-a: \(value)").document.yaml()
        return String(yaml.split(separator: "x-a: ").last?.dropLast() ?? "")
    }

    @Test(arguments: [
        ("2020-01-01", "2020-01-01T00:00:00Z"), ("2020-1-1T1:2:3Z", "2020-01-01T01:02:03Z"),
        ("2020-01-01 10:20:30", "2020-01-01T10:20:30Z"), ("2020-02-30", nil), ("2020-02-29", "2020-02-29T00:00:00Z"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14T21:59:43.1-05:00"), ("2020-01-01T10:20:30", nil),
        ("2001-12-14 21:59:43.10 -5", nil), ("2020-13-01", nil), ("2020-01-01T24:00:00Z", nil), ("20-01-01", nil),
    ]) func timestamps(text: String, moment: String?) { #expect(Timestamp.canonical(text) == moment) }

    @Test func numbersOutOfRangeAreText() throws { #expect(try custom("1e400") == "1e400") }

    @Test(arguments: [
        ("aGVsbG8=", "hello"), ("aGVs bG8=", "hello"), ("aA==", "h"), ("", ""), ("aGVsbG8", nil), ("a===", nil),
        ("a*==", nil),
    ]) func base64(text: String, decoded: String?) {
        #expect(Base64.decode(text).map { String(decoding: $0, as: UTF8.self) } == decoded)
    }

    @Test func tagsOfOnesOwnMakeText() throws {
        #expect(try custom("!mine 5") == "\"5\"")
        #expect(try custom("!!binary aGVsbG8=") == "hello")
        #expect(try custom("! 5") == "5")
    }

    @Test(arguments: [
        "x-a: !!bool \"yes\"", "%YAML 1.2\n---\nx-a: 1", "x-a: &a {}\nx-b: {<<: *a, <<: *a}", "x-a: !!binary a",
    ]) func refused(text: String) { #expect(!errors(text + "\nservices: {}").isEmpty) }

    @Test func anchorsLastForTheWholeFile() throws {
        let loaded = try load("x-a: &a i\n---\nservices: {a: {image: *a}}")
        #expect(loaded.project.services["a"]?.image == "i")
    }

    @Test func jsonHasNoInfinity() throws {
        let document = try load("services: {}\nx-a: [.inf]").document
        #expect(throws: ComposeFileError.self) { try document.json() }
        #expect(document.yaml().contains("- .inf"))
    }

    @Test func longAndManyLinedKeysStandAlone() throws {
        let long = String(repeating: "k", count: 129)
        #expect(try custom("{\"a\\nb\": c}").contains("? |-\n    a\n    b\n  : c"))
        #expect(try custom("{\(long): {b: c}}").contains("? \(long)\n  : b: c"))
    }

    @Test func dollarsInKeysAreDoubled() throws {
        let yaml = try load("services: {a: {image: x, labels: {\"$K\": v}}}").document.yaml()
        #expect(yaml.contains("$$K: v"))
    }
}
