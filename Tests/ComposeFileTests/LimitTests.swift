import Glibc
import Testing

@testable import ComposeFile

/// What hostile files end in: an error that says so, soon.
@Suite struct LimitTests {
    /// A hostile set of files and words of the error that it must end in.
    struct Attack: Sendable, CustomTestStringConvertible {
        var name: String
        var files: [String: String]
        var words: String
        var testDescription: String { name }
    }

    private static func chain(_ count: Int, _ link: (Int) -> String) -> String { (0..<count).map(link).joined() }

    static let attacks: [Attack] = [
        Attack(
            name: "alias bomb",
            files: [
                "compose.yaml": "x0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
                    + chain(9) {
                        "x\($0 + 1): &a\($0 + 1) [\(Array(repeating: "*a\($0)", count: 10).joined(separator: ","))]\n"
                    }
            ], words: "excessive aliasing"),
        Attack(name: "cyclic anchor", files: ["compose.yaml": "x-a: &a [*a]"], words: "contains itself"),
        Attack(
            name: "cyclic merge", files: ["compose.yaml": "x-a: &a\n  <<: *a\n  b: 1"], words: "contains itself"),
        Attack(
            name: "nested flow", files: ["compose.yaml": "x-a: " + String(repeating: "[", count: 100_000)],
            words: "nesting deeper"),
        Attack(
            name: "nested flow mappings", files: ["compose.yaml": String(repeating: "{a: ", count: 100_000)],
            words: "nesting deeper"),
        Attack(
            name: "nested block", files: ["compose.yaml": String(repeating: "- ", count: 100_000)],
            words: "nesting deeper"),
        Attack(
            name: "nested keys", files: ["compose.yaml": String(repeating: "? ", count: 100_000)],
            words: "nesting deeper"),
        Attack(
            name: "many values",
            files: ["compose.yaml": "x-a: [" + String(repeating: "a,", count: 600_000) + "]"], words: "values"),
        Attack(
            name: "many documents", files: ["compose.yaml": String(repeating: "--- {x-a: 1}\n", count: 10_000)],
            words: "documents"),
        Attack(
            name: "many directives", files: ["compose.yaml": chain(5000) { "%TAG !\($0)! x\n" } + "--- {}"],
            words: "begin with `%`"),
        Attack(
            name: "long key", files: ["compose.yaml": "? " + String(repeating: "k", count: 5000) + "\n: 1"],
            words: "a key of more than"),
        Attack(
            name: "nested variables",
            files: [
                "compose.yaml": "services: {a: {image: \"" + chain(3000) { "${A\($0):-" }
                    + String(repeating: "}", count: 3000)
                    + "\"}}"
            ], words: "nested too deeply"),
        Attack(
            name: "unclosed variables",
            files: ["compose.yaml": "services: {a: {image: \"" + String(repeating: "${A:-", count: 3000) + "\"}}"],
            words: "invalid interpolation format"),
        Attack(
            name: "growing variables",
            files: [
                ".env": "A0=xxxxxxxxxxxxxxxx\n" + chain(60) { "A\($0 + 1)=${A\($0)}${A\($0)}\n" },
                "compose.yaml": "services: {a: {image: \"$A60\"}}",
            ], words: "through variables"),
        Attack(
            name: "one large variable many times",
            files: [
                ".env": "A=" + String(repeating: "x", count: 60_000) + "\n",
                "compose.yaml": "services: {a: {image: \"" + String(repeating: "$A", count: 4000) + "\"}}",
            ], words: "through variables"),
        Attack(
            name: "ranges of ports",
            files: [
                "compose.yaml": "services: {a: {image: x, ports: ["
                    + chain(100) { "\"127.0.0.\($0):1-65535:1-65535\"," } + "]}}"
            ], words: "ranges"),
        Attack(
            name: "long chain of extends",
            files: [
                "compose.yaml": "services:\n" + chain(5000) { "  s\($0): {extends: s\($0 + 1)}\n" }
                    + "  s5000: {image: x}"
            ],
            words: "extend one another"),
        Attack(
            name: "growing extends",
            files: [
                "compose.yaml": "services:\n  s0: {image: x, security_opt: [\(chain(8000) { "o\($0)," })]}\n"
                    + chain(400) { "  t\($0): {extends: s0, cap_add: [A]}\n" }
            ], words: "extends"),
        Attack(
            name: "includes that double",
            files: Dictionary(
                uniqueKeysWithValues: (0..<24).map {
                    ($0 == 0 ? "compose.yaml" : "f\($0).yaml", "include: [f\($0 + 1).yaml, f\($0 + 1).yaml]\n")
                } + [("f24.yaml", "services: {a: {image: x}}")]), words: "include"),
        Attack(
            name: "long chain of includes",
            files: Dictionary(
                uniqueKeysWithValues: (0..<200).map {
                    ($0 == 0 ? "compose.yaml" : "f\($0).yaml", "include: [f\($0 + 1).yaml]\n")
                } + [("f200.yaml", "services: {a: {image: x}}")]), words: "include one another"),
        Attack(
            name: "include of itself", files: ["compose.yaml": "include: [compose.yaml]"], words: "include cycle"),
        Attack(
            name: "extends of itself",
            files: ["compose.yaml": "services: {a: {extends: {file: compose.yaml, service: a}}}"],
            words: "Circular"),
        Attack(
            name: "many services with one large env file",
            files: [
                "compose.yaml": "services:\n" + chain(300) { "  s\($0): {image: x, env_file: e.env}\n" },
                "e.env": chain(5000) { "V\($0)=x\n" },
            ], words: "env files"),
        Attack(
            name: "many errors",
            files: ["compose.yaml": "services: {a: {image: x, depends_on: [\(chain(20_000) { "missing\($0)," })]}}"],
            words: "undefined service"),
        Attack(
            name: "duplicate keys", files: ["compose.yaml": "services: {}\nservices: {}"],
            words: "already defined at line 1"),
        Attack(name: "invalid tag", files: ["compose.yaml": "name: !!int many"], words: "cannot decode"),
    ]

    @Test(arguments: attacks) func endsInAnError(_ attack: Attack) {
        var files = MemoryFiles()
        for (name, text) in attack.files { files.files["/p/" + name] = Array(text.utf8) }
        var options = LoadOptions(environment: [:], workingDirectory: "/p")
        options.reader = files
        let clock = ContinuousClock()
        let time = clock.measure {
            do throws(ComposeFileError) {
                _ = try ProjectLoader.load(options)
                Issue.record("accepted")
            } catch {
                #expect(error.description.contains(attack.words), "\(error.description.prefix(500))")
            }
        }
        // Unoptimised and beside other tests; what grows without bound takes longer by far.
        #expect(time < .seconds(20))
    }

    @Test func encodings() throws {
        func names(_ bytes: [UInt8]) throws -> [String] {
            var files = MemoryFiles()
            files.files["/p/compose.yaml"] = bytes
            var options = LoadOptions(environment: [:], workingDirectory: "/p")
            options.reader = files
            return try ProjectLoader.load(options).project.services.keys.sorted()
        }
        let text = "services: {a: {image: \"é😀\"}}"
        #expect(try names([0xEF, 0xBB, 0xBF] + Array(text.utf8)) == ["a"])
        #expect(try names([0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }) == ["a"])
        #expect(try names([0xFE, 0xFF] + text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }) == ["a"])
        #expect(throws: ComposeFileError.self) { try names(Array(text.utf8) + [0xFF]) }
        #expect(throws: ComposeFileError.self) { try names([0xFF, 0xFE, 0x00, 0xD8]) }
        #expect(throws: ComposeFileError.self) { try names([0xFF, 0xFE, 0x41]) }
        #expect(throws: ComposeFileError.self) { try names([0, 0, 0]) }
    }

    /// Devices, pipes and directories in the place of files.
    @Test(arguments: [
        ("/dev/zero", "bytes allowed"), (".", "is a directory"), ("pipe", "no program writes"), ("/dev/null", "empty"),
    ])
    func specialFiles(name: String, words: String) throws {
        let space = Workspace(["with-env.yaml": "services: {a: {image: x, env_file: \"\(name)\"}}"])
        #expect(mkfifo(space.path + "/pipe", 0o600) == 0)
        let error = #expect(throws: ComposeFileError.self) { try space.load([name]) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        if name != "/dev/null" {
            #expect(throws: ComposeFileError.self) { try space.load(["with-env.yaml"]) }
        } else {
            #expect(try space.load(["with-env.yaml"]).project.services["a"]?.environment == [:])
        }
    }

    /// As a shell's `<(…)` makes it.
    @Test func aPipeThatWasWrittenIsRead() throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let text = Array("services: {a: {image: x}}".utf8)
        #expect(write(ends[1], text, text.count) == text.count)
        close(ends[1])
        #expect(try Workspace().load(["/proc/self/fd/\(ends[0])"]).project.services["a"]?.image == "x")
    }

    @Test func equalElementsAreFoundAmongMany() {
        let groups = (Array(0..<3000) + [7]).map(String.init).joined(separator: ", ")
        let found = errors("services: {a: {image: x, group_add: [\(groups)]}}")
        #expect(found.first?.message.contains("items at 7 and 3000 are equal") == true)
    }
}
