import Testing

@testable import ComposeFile

/// What one run tells: all faults that are independent, none that follow from another.
@Suite struct DiagnosticRunTests {
    private func codes(_ text: String) -> [String] { errors(text).map { "\($0.line) \($0.code)" } }

    private func failure(of files: [String: String], environment: [String: String] = [:]) throws -> ComposeFileError {
        let workspace = Workspace(files)
        do {
            _ = try workspace.load(environment: environment)
        } catch let error as ComposeFileError {
            return error
        }
        Issue.record("accepted")
        return ComposeFileError(diagnostics: [])
    }

    @Test func fourFaultsOfFourServicesInFileOrder() {
        let text = """
            services:
              a: {image: x, enviroment: {}}
              b: {image: x, healthcheck: {test: x, interval: "30"}}
              c: {image: x, depend_on: [a]}
              d: {image: x, voluems: []}
            """
        #expect(
            codes(text) == [
                "2 unknown-attribute", "3 invalid-duration", "4 unknown-attribute", "5 unknown-attribute",
            ])
        #expect(errors(text)[1].hint == "write `30s` for 30 seconds")
    }

    @Test func faultsOfValuesAndOfReferencesTogether() {
        let text = """
            services:
              a: {image: x, mem_limit: 5q, depends_on: [bb]}
              bbb: {image: x, volumes: ["dta:/x"]}
            volumes: {data: {}}
            """
        #expect(codes(text) == ["2 invalid-size", "2 undefined-service", "3 undefined-resource"])
        #expect(
            errors(text).map(\.hint) == [
                "sizes are written as 512k, 64m or 1.5g", "did you mean `bbb`?", "did you mean `data`?",
            ])
    }

    @Test(arguments: [
        "services: {a: {image: x, scale: abc}}",
        "services: {a: {image: x, stop_grace_period: [1]}}",
        "services: {a: {image: x, mem_limit: \"${A?}\"}}",
        "services: {a: {image: x, ports: [\"x:y:z:1\"]}}",
        "services: {a: {image: x, image: y}}",
        "services: {a: {image: x, mem_limit: 5q, deploy: {resources: {limits: {memory: 5m}}}}}",
        "services: {a: {image: x, extends: {file: none.yaml, service: b}}}",
        "include: [none.yaml]\nservices: {a: {image: x}}",
    ]) func oneFaultIsToldOnce(text: String) { #expect(errors(text).count == 1, "\(errors(text).map(\.message))") }

    @Test func faultsOfAllFilesInTheOrderOfReading() throws {
        let error = try failure(of: [
            "compose.yaml": "services: {a: {image: x, ttyy: 1}}",
            "compose.override.yaml": "services: {b: {image: x, stop_grace_period: \"1\"}, c: {image: x, initt: 1}}",
        ])
        #expect(
            error.diagnostics.map { "\($0.file ?? "") \($0.code)" } == [
                "compose.yaml unknown-attribute", "compose.override.yaml invalid-duration",
                "compose.override.yaml unknown-attribute",
            ])
    }

    @Test func errorsAreCapped() throws {
        let services = (0..<130).map { "  s\($0): {image: x, bad: 1}\n" }.joined()
        let error = try failure(of: ["compose.yaml": "services:\n" + services])
        #expect(error.diagnostics.count == 100)
        #expect(error.omitted == 30)
    }

    @Test func chainOfIncludes() throws {
        let error = try failure(of: [
            "compose.yaml": "include:\n  - sub/a.yaml\nservices: {}\n",
            "sub/a.yaml": "include: [b.yaml]\nservices: {}\n",
            "sub/b.yaml": "services:\n  b: {image: y, prots: []}\n",
        ])
        #expect(
            error.description == """
                sub/b.yaml:2:17: error: additional property 'prots' not allowed in services.b
                 2 |   b: {image: y, prots: []}
                   |                 ^~~~~
                  hint: did you mean `ports`?
                sub/a.yaml:1:11: note: included from here
                compose.yaml:2:5: note: included from here
                """)
    }

    @Test func extendedFilesNameWhoExtendsThem() throws {
        let error = try failure(of: [
            "compose.yaml": "services:\n  a:\n    extends: {file: base.yaml, service: b}\n",
            "base.yaml": "services:\n  b: {image: x, scale: many}\n",
        ])
        #expect(error.diagnostics.map { "\($0.file ?? ""):\($0.line)" } == ["base.yaml:2"])
        #expect(
            error.diagnostics[0].notes == [
                .init(message: "extended from here", file: "compose.yaml", line: 3, column: 21)
            ])
    }

    @Test func valuesAreShownAsVariablesMadeThem() throws {
        let error = try failure(of: [
            "compose.yaml": "services:\n  a:\n    image: x\n    mem_limit: ${MEMORY}\n",
            ".env": "# sizes\nMEMORY=10q\n",
        ])
        #expect(
            error.description == """
                compose.yaml:4:16: error: services.a.mem_limit: invalid suffix: 'q'
                 4 |     mem_limit: ${MEMORY}
                   |                ^~~~~~~~~
                  hint: sizes are written as 512k, 64m or 1.5g
                  note: `${MEMORY}` is `10q` after interpolation
                .env:2:1: note: `MEMORY` is set here
                """)
    }

    @Test func aMergedValueIsToldInTheFileThatSetIt() throws {
        let error = try failure(of: [
            "compose.yaml": "services:\n  a:\n    image: x\n    healthcheck: {interval: 5s}\n",
            "compose.override.yaml": "services:\n  a:\n    healthcheck: {interval: 5 s}\n    environment: off\n",
        ])
        #expect(
            error.diagnostics.map { "\($0.file ?? ""):\($0.line):\($0.column)" } == [
                "compose.override.yaml:3:29", "compose.override.yaml:4:18",
            ])
        let clash = try failure(of: [
            "compose.yaml": "services:\n  a:\n    image: x\n    healthcheck: {interval: 5s}\n",
            "compose.override.yaml": "services:\n  a:\n    healthcheck: []\n",
        ])
        #expect(clash.diagnostics[0].code == "cannot-override")
        #expect(
            clash.diagnostics[0].notes == [
                .init(message: "it is a mapping here", file: "compose.yaml", line: 4, column: 18)
            ])
    }

    @Test func warningsComeWithTheErrorsTheyMayExplain() throws {
        let error = try failure(of: ["compose.yaml": "services: {a: {image: \"x:$TAG\", scale: \"$N\"}}"])
        #expect(error.warnings.map(\.code) == ["unset-variable", "unset-variable"])
        #expect(error.diagnostics.map(\.code) == ["wrong-type"])
    }

    @Test func unsetVariablesSayHowManyMoreAndWhatIsNear() throws {
        let workspace = Workspace(["compose.yaml": "services:\n  a: {image: \"x:$TGA\", hostname: \"h${TGA}\"}\n"])
        let warnings = try workspace.load(environment: ["TAG": "1"]).warnings
        #expect(
            warnings.map(\.rendered) == [
                """
                compose.yaml:2:17: warning: The "TGA" variable is not set. Defaulting to a blank string.
                 2 |   a: {image: "x:$TGA", hostname: "h${TGA}"}
                   |                 ^~~~
                  hint: did you mean `TAG`?
                  note: and 1 more place
                """
            ])
    }

    @Test func unknownProfilesAreTold() throws {
        let workspace = Workspace(["compose.yaml": "services: {a: {image: x, profiles: [debug]}, b: {image: x}}"])
        #expect(try workspace.load { $0.profiles = ["debgu"] }.warnings.map(\.hint) == ["did you mean `debug`?"])
        #expect(try workspace.load { $0.profiles = ["debug", "*"] }.warnings == [])
        // In the environment, a name may be another project's.
        #expect(try workspace.load(environment: ["COMPOSE_PROFILES": "elsewhere"]).warnings == [])
    }

    @Test(arguments: [
        ("A=1\nB C=2\n", "web.env:2:1", "key cannot contain a space"),
        ("A=1\n  X!Y=2\n", "web.env:2:4", "unexpected character \"!\""),
        ("A=1\nB='x\n", "web.env:2:3", "unterminated quoted value"),
        ("A=${B\n", "web.env:1:3", "invalid template"),
    ]) func envFilesHavePlaces(text: String, place: String, message: String) throws {
        let compose = "services:\n  web:\n    image: x\n    env_file: web.env\n"
        let found = try failure(of: ["compose.yaml": compose, "web.env": text]).diagnostics
        #expect(found.map { "\($0.file ?? ""):\($0.line):\($0.column)" } == [place])
        #expect(found.first?.message.contains(message) == true)
        #expect(
            found.first?.notes == [.init(message: "used as env_file here", file: "compose.yaml", line: 4, column: 15)])
        let labels = try failure(of: [
            "compose.yaml": "services:\n  web:\n    image: x\n    label_file: web.env\n", "web.env": text,
        ])
        #expect(labels.diagnostics.first?.notes.first?.message == "used as label_file here")
    }
}

/// Files made to cost time: diagnostics of them stay cheap.
@Suite struct DiagnosticLimitTests {
    @Test func manyVariablesInOneLongLine() throws {
        let text = (0..<20_000).map { "$V\($0) " }.joined()
        let started = ContinuousClock.now
        let warnings = try load("services: {a: {image: \"\(text)\"}}").warnings
        #expect(warnings.count == 101)
        #expect(warnings.last?.message == "and 19900 more warnings")
        // Far above what it takes, far below what searching the line anew each time would.
        #expect(ContinuousClock.now - started < .seconds(60))
    }

    @Test func manyFaultsInOneLongLine() {
        let text = "services: {" + (0..<5000).map { "s\($0): {imag: x}, " }.joined() + "}"
        let found = errors(text)
        #expect(found.count == 100)
        #expect(found.allSatisfy { $0.rendered.split(separator: "\n").allSatisfy { $0.unicodeScalars.count < 200 } })
    }
}
