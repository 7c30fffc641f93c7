import Testing

@testable import ComposeFile

@Suite struct DiagnosticTests {
    @Test func mistakeInLineSeven() throws {
        let text =
            "services:\n  web:\n    image: nginx\n    ports:\n      - \"80:80\"\n    # the check\n    healthchek:\n      test: x\n"
        let found = errors(text)
        #expect(
            found.map(\.rendered) == [
                """
                compose.yaml:7:5: error: additional property 'healthchek' not allowed in services.web
                 7 |     healthchek:
                   |     ^~~~~~~~~~
                  hint: did you mean `healthcheck`?
                """
            ])
    }

    @Test func interpolationPointsAtTheDollar() {
        let found = errors("services:\n  a:\n    image: \"x-${TAG:?no tag}\"\n    hostname: a ${1}\n")
        #expect(found.map { "\($0.line):\($0.column)" } == ["3:15", "4:17"])
        #expect(found.first?.message.hasSuffix("required variable TAG is missing a value: no tag") == true)
    }

    @Test func unsetVariablesWarnOnce() throws {
        let loaded = try load("services: {a: {image: \"$X $Y $X\", hostname: \"${X}\"}}")
        #expect(loaded.warnings.map { "\($0.line):\($0.column)" } == ["1:24", "1:27"])
    }

    @Test(arguments: [
        ("services: {a: {image: x, image: y}}", "1:26", "already defined at line 1"),
        ("a: &a [*a]", "1:8", "contains itself"),
        ("services: {a: {image: *b}}", "1:23", "unknown anchor 'b'"),
        ("services:\n\ta: {image: x}", "2:1", "cannot start any token"),
        ("services: {1: {image: x}}", "1:12", "non-string key: 1"),
        ("services: {a: {image: x, environment: {H: 2020-01-01}}}", "1:43", "not a date"),
        ("services: {a: {image: }}", "1:23", "services.a.image must be a string"),
        ("services: {a: {image: x, depends_on: [b]}}", "1:39", "depends on undefined service \"b\""),
        ("services: {a: {image: x, volumes: [\"bb:/b\"]}}", "1:36", "undefined volume bb"),
        ("services: {a: {hostname: x}}", "1:12", "neither an image nor a build context"),
        ("services: {a: {image: x, ports: [\"localhost:1:1\"]}}", "1:34", "invalid IP address: localhost"),
        ("services: {a: {image: x, mem_limit: 10x}}", "1:37", "invalid suffix: 'x'"),
        ("services: {a: {image: x, depends_on: {b: {}}}}", "1:42", "missing property 'condition'"),
        ("services: {a: {image: x, deploy: {resources: {limits: {memory: 5}}}}}", "1:64", "must be a string"),
        ("- a", "1:1", "top-level object must be a mapping"),
        ("services: {a: {image: x, scale: abc}}", "1:33", "failed to cast"),
    ]) func places(text: String, place: String, message: String) {
        let found = errors(text)
        #expect(found.first.map { "\($0.line):\($0.column)" } == place)
        #expect(found.first?.message.contains(message) == true, "\(found.first?.message ?? "accepted")")
    }

    @Test func cyclesAreNamed() {
        let found = errors(
            "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [c]}, c: {image: x, links: [a]}}")
        #expect(found.map(\.message) == ["dependency cycle detected: a -> b -> c -> a"])
    }

    @Test func severalErrorsInOneRun() {
        let found = errors("services:\n  a: {image: x, imag: y, tty: 5}\n  b: {image: \"${Q?}\"}\nvolume: {}\n")
        #expect(found.map(\.line) == [2, 2, 3, 4])
    }

    @Test func limits() {
        var bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        for level in 1..<10 {
            bomb +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",") + "]\n"
        }
        #expect(errors(bomb).first?.message.contains("aliases expand") == true)
        #expect(errors(String(repeating: "[", count: 100_000)).first?.message.contains("nesting deeper") == true)
    }

    @Test func unsupportedAttributesAreListedNotIgnored() throws {
        let loaded = try load("services:\n  a:\n    image: x\n    gpus: all\n    logging: {driver: syslog}\n")
        #expect(loaded.project.unsupported.map(\.path) == ["services.a.gpus", "services.a.logging.driver"])
        #expect(loaded.project.unsupported.map { "\($0.line):\($0.column)" } == ["4:5", "5:23"])
        #expect(loaded.document.yaml().contains("count: -1"))
    }
}
