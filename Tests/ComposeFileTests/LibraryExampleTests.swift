// Without @testable: what other packages see.
import ComposeFile
import Testing

/// The example of the documentation's landing page, as it stands there.
enum LibraryExample {
    // begin example
    /// What a project's services run, and what was remarked on the way.
    static func describe(_ text: String) -> [String] {
        var options = LoadOptions(environment: ["TAG": "16"], workingDirectory: "/project")
        options.reader = MemoryFiles(["/project/compose.yaml": text])
        do throws(ComposeFileError) {
            let loaded = try ProjectLoader.load(options)
            let services = loaded.project.services.values.sorted { $0.name < $1.name }
            return services.map { "\($0.name): \($0.image ?? "built")" } + loaded.warnings.map(\.rendered)
        } catch {
            return error.diagnostics.map(\.rendered)
        }
    }
    // end example
}

@Suite struct LibraryExampleTests {
    @Test func theExampleRuns() {
        #expect(LibraryExample.describe("services: {db: {image: \"postgres:$TAG\"}}") == ["db: postgres:16"])
        #expect(
            LibraryExample.describe("services:\n  db: {imag: postgres}\n").first?
                .hasPrefix("compose.yaml:2:8: error: additional property 'imag' not allowed in services.db") == true)
        #expect(LibraryExample.describe("services: {db: {image: \"$NONE\"}}").last?.contains("NONE") == true)
    }

    @Test func thePageShowsThisVeryCode() throws {
        let reader = HostFiles()
        func lines(_ path: String) throws -> [String] {
            String(decoding: try reader.read(path, limit: 1 << 20), as: UTF8.self)
                .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        let source = try lines(#filePath)
        let begin = try #require(source.firstIndex { $0.hasSuffix("// begin example") })
        let end = try #require(source.firstIndex { $0.hasSuffix("// end example") })
        let code = source[(begin + 1)..<end].map { $0.hasPrefix("    ") ? String($0.dropFirst(4)) : $0 }
        let page = try lines(repositoryFile("Sources/ComposeFile/ComposeFile.docc/ComposeFile.md"))
        let start = try #require(page.firstIndex(of: "```swift"))
        let stop = try #require(page[start...].firstIndex(of: "```"))
        #expect(
            Array(page[(start + 1)..<stop]).map { $0.replacing("static ", with: "") }
                == code.map { $0.replacing("static ", with: "") })
    }
}
