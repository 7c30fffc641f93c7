import Testing

@testable import ComposeFile

/// What diagnostics, limits and origins make of files that a reader holds.
@Suite struct ReaderTests {
    private func load(_ files: [String: String]) throws(ComposeFileError) -> LoadedProject {
        var options = LoadOptions(environment: [:], workingDirectory: "/p")
        options.reader = MemoryFiles(files)
        return try ProjectLoader.load(options)
    }

    private func failure(_ files: [String: String]) throws -> ComposeFileError {
        try #require(throws: ComposeFileError.self) { try load(files) }
    }

    @Test func misspeltNamesAreSoughtAmongTheReadersFiles() throws {
        let error = try failure([
            "/p/compose.yaml": "include: [databse.yaml]", "/p/database.yaml": "services: {}",
        ])
        #expect(error.diagnostics.map(\.code) == ["file-not-found"])
        #expect(error.diagnostics[0].hint?.contains("`database.yaml`") == true)
    }

    /// Other faults let the load go on; a limit does not.
    @Test func limitEndsTheLoadAtOnce() throws {
        let documents = String(repeating: "---\nx-a: 1\n", count: 300)
        let error = try failure([
            "/p/compose.yaml": "include: [many.yaml, absent.yaml]", "/p/many.yaml": documents,
        ])
        #expect(error.diagnostics.map(\.code) == ["too-large"])
        let both = try failure(["/p/compose.yaml": "include: [missing.yaml, absent.yaml]"])
        #expect(both.diagnostics.map(\.code) == ["file-not-found", "file-not-found"])
    }

    @Test func dollarsOfValuesAreEscapedBesideOrigins() throws {
        let loaded = try load(["/p/compose.yaml": "services: {a: {image: x, hostname: 'a$$b'}}"])
        #expect(loaded.document.yamlWithOrigins().contains("hostname: a$$b"))
        #expect(loaded.document.yaml().contains("hostname: a$$b"))
    }
}
