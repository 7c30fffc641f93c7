import Glibc
import Testing

@testable import ComposeFile

@Suite struct SchemaFileTests {
    /// The file in the tree is what the table of rules makes today.
    @Test func fileAndRulesAgree() throws {
        let file = try HostFiles().read(repositoryFile("schemas/compose.json"), limit: 1 << 20)
        #expect(String(decoding: file, as: UTF8.self) == ComposeSchema.json + "\n", "run `make schema`")
    }

    @Test func everyAttributeIsDescribedAndNothingElse() {
        let generator = JSONSchemaGenerator()
        _ = generator.document()
        #expect(generator.undescribed == [])
        #expect(Set(SchemaDescriptions.texts.keys).subtracting(generator.used) == [])
    }

    /// The regular expressions of the schema say what the loader's own checks say.
    @Test(arguments: [
        ("container_name", "ab", true), ("container_name", "a", false), ("container_name", "_b", false),
        ("pull_policy", "always", true), ("pull_policy", "every_12h", true), ("pull_policy", "every_", false),
        ("pull_policy", "sometimes", false),
    ]) func expressions(attribute: String, text: String, isValid: Bool) throws {
        let pattern = try #require(Schema.service.fields?[attribute]?.traits.pattern)
        #expect(pattern.check(text) == isValid)
        let expression = try Regex(pattern.expression)
        #expect(text.contains(expression) == isValid)
    }
}

/// The path of a file of this repository.
func repositoryFile(_ name: String, from file: String = #filePath) -> String {
    Paths.join(Paths.directory(of: file), "../../" + name)
}
