import Testing

@testable import ComposeFile

@Suite struct ScalarTests {
    @Test func emptyIsNull() { #expect(Node(ScalarResolver.resolve("")).isNull) }
}
