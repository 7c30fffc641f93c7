import Testing

@testable import ComposeFile

@Suite struct LintTests {
    private func lint(
        _ files: [String: String], environment: [String: String] = [:], disabled: Set<LintRule> = [.unpinnedImage],
        _ change: (inout LoadOptions, Workspace) -> Void = { _, _ in }
    ) throws -> [String] {
        let workspace = Workspace(files)
        var options = LoadOptions(environment: environment, workingDirectory: workspace.path)
        options.projectName = "p"
        change(&options, workspace)
        return try Linter.lint(options, disabled: disabled).map {
            "\($0.file ?? "-"):\($0.line):\($0.column) \($0.severity.rawValue) \($0.code)"
        }
    }

    private func lint(_ text: String, environment: [String: String] = [:]) throws -> [String] {
        try lint(["compose.yaml": text], environment: environment)
    }

    @Test func nothingToSayOfACleanFile() throws {
        let text = """
            services:
              db:
                image: postgres:16.2
                environment: {POSTGRES_PASSWORD: "a$$b"}
                healthcheck: {test: pg_isready, interval: 2s}
                volumes: ["data:/var/lib/postgresql/data"]
              web:
                image: nginx@sha256:0000000000000000000000000000000000000000000000000000000000000000
                ports: ["8080:80", "127.0.0.1:5432:5432"]
                depends_on: {db: {condition: service_healthy}}
            volumes: {data: {}}
            """
        #expect(try lint(["compose.yaml": text], disabled: []) == [])
    }

    @Test func rendering() throws {
        let workspace = Workspace(["compose.yaml": "services:\n  db:\n    image: mysql:8\n    ports: [\"3306:3306\"]\n"]
        )
        let found = try Linter.lint(LoadOptions(environment: [:], workingDirectory: workspace.path))
        #expect(
            found.map(\.rendered) == [
                """
                compose.yaml:4:13: warning: service "db" publishes MySQL's port 3306 on every address of the host
                 4 |     ports: ["3306:3306"]
                   |             ^~~~~~~~~~~
                  hint: write "127.0.0.1:3306:3306" for this host only; services of the project reach it without a published port
                """
            ])
    }

    @Test func appendedPort() throws {
        let base = "services: {a: {image: \"x:1\", ports: [\"80:80\"]}}"
        #expect(
            try lint(["compose.yaml": base, "compose.override.yaml": "services: {a: {ports: [\"81:80\"]}}"])
                == ["compose.override.yaml:1:24 warning appended-port"])
        #expect(
            try lint(["compose.yaml": base, "compose.override.yaml": "services: {a: {ports: [\"80:90\"]}}"])
                == ["compose.override.yaml:1:24 warning appended-port"])
        #expect(
            try lint(["compose.yaml": base, "compose.override.yaml": "services: {a: {ports: !override [\"81:80\"]}}"])
                == [])
        #expect(try lint(["compose.yaml": base, "compose.override.yaml": "services: {a: {ports: [\"81:81\"]}}"]) == [])
    }

    @Test func portConflict() throws {
        #expect(
            try lint(
                "services:\n  a: {image: \"x:1\", ports: [\"80:80\"]}\n  b: {image: \"x:1\", ports: [\"127.0.0.1:80:81\"]}\n"
            )
                == ["compose.yaml:3:29 warning port-conflict"])
        #expect(
            try lint(
                """
                services:
                  a: {image: "x:1", ports: ["80:80"], profiles: [p]}
                  b: {image: "x:1", ports: ["80:81"], profiles: [q]}
                  c: {image: "x:1", ports: ["80:81/udp", "127.0.0.1:1:1"]}
                  d: {image: "x:1", ports: ["127.0.0.2:1:1"]}
                """) == [])
    }

    @Test(arguments: [
        ("postgres:16", "5432:5432", true), ("example.com:5000/team/redis:7", "6379", true), ("own:1", "33:3306", true),
        ("postgres:16", "127.0.0.1:5432:5432", false), ("postgres:16", "8080:80", false), ("own:1", "9000:9000", false),
        ("mongo@sha256:00", "0.0.0.0:27017:27017", true),
    ]) func exposedDatabase(image: String, port: String, isTold: Bool) throws {
        let found = try lint("services: {a: {image: \"\(image)\", ports: [\"\(port)\"]}}")
        #expect(found.contains { $0.hasSuffix("warning exposed-database") } == isTold, "\(found)")
    }

    @Test func dependencies() throws {
        let text = """
            services:
              checked: {image: "x:1", healthcheck: {test: x, interval: 1s}}
              plain: {image: "x:1"}
              off: {image: "x:1", healthcheck: {disable: true}}
              a: {image: "x:1", depends_on: [checked, plain]}
              b: {image: "x:1", depends_on: {off: {condition: service_healthy}}}
              c: {image: "x:1", depends_on: {plain: {condition: service_completed_successfully}}}
              d: {image: "x:1", links: [plain]}
            """
        #expect(
            try lint(text) == [
                "compose.yaml:5:34 warning dependency-not-awaited",
                "compose.yaml:5:43 warning dependency-without-healthcheck",
                "compose.yaml:6:34 warning healthy-without-healthcheck",
            ])
    }

    @Test(arguments: [("{test: x}", true), ("{test: x, interval: 5s}", false), ("{test: x, start_period: 9s}", false)])
    func slowHealthcheck(check: String, isTold: Bool) throws {
        let found = try lint(
            "services:\n  a: {image: \"x:1\", healthcheck: \(check)}\n"
                + "  b: {image: \"x:1\", depends_on: {a: {condition: service_healthy}}}\n")
        #expect(found == (isTold ? ["compose.yaml:2:34 info slow-healthcheck"] : []))
    }

    @Test(arguments: [
        ("PASSWORD: pa$word", "lost-dollar"), ("URL: \"u:p$word@h\"", "lost-dollar"),
        ("API_TOKEN: $abc", "lost-dollar"),
        ("NAME: $abc", "unset-variable"), ("PASSWORD: ${abc}", "unset-variable"),
    ]) func lostDollar(line: String, code: String) throws {
        let found = try lint("services:\n  a:\n    image: x:1\n    environment:\n      \(line)\n")
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix("warning \(code)") == true)
    }

    @Test func lostDollarInEnvFiles() throws {
        let compose = "services: {a: {image: \"x:1\", env_file: a.env}}"
        #expect(
            try lint(["compose.yaml": compose, ".env": "DB_PASS=\"ab$cd\"\n", "a.env": "X=1\nKEY='a$b'\nKEY2=a$b\n"])
                == [
                    ".env:1:12 warning lost-dollar", "a.env:3:7 warning lost-dollar",
                ])
    }

    @Test func unused() throws {
        let text = """
            services: {a: {image: "x:1", volumes: ["vol:/v"], networks: [n], profiles: [p]}, b: {image: "x:1"}}
            networks: {n: {}, nn: {}, default: {}}
            volumes: {vol: {}, vv: {}}
            secrets: {s: {environment: S}}
            configs: {c: {content: x}}
            """
        #expect(
            try lint(text, environment: ["S": ""]) == [
                "compose.yaml:2:19 warning unused-network", "compose.yaml:3:20 warning unused-volume",
                "compose.yaml:4:11 warning unused-secret", "compose.yaml:5:11 warning unused-config",
            ])
    }

    @Test func shadowedVariable() throws {
        let files = ["compose.yaml": "services: {a: {image: \"x:$TAG\"}}", ".env": "OTHER=1\nTAG=2\n"]
        #expect(try lint(files, environment: ["TAG": "3", "OTHER": "2"]) == [".env:2:1 warning shadowed-variable"])
        #expect(try lint(files, environment: ["TAG": "2"]) == [])
        #expect(
            try lint([
                "compose.yaml": "include: [sub/a.yaml]\nservices: {a: {image: \"x:$TAG\"}}", ".env": "TAG=2\n",
                "sub/a.yaml": "services: {b: {image: \"x:$TAG\"}}", "sub/.env": "TAG=3\n",
            ]) == ["sub/.env:1:1 warning shadowed-variable"])
    }

    @Test func unreadEnvFile() throws {
        let files = [
            "sub/compose.yaml": "services: {a: {extends: {file: ../base/b.yaml, service: b}}}",
            "base/b.yaml": "services: {b: {image: \"x:1\"}}", ".env": "A=1\n", "base/.env": "A=2\n",
            "sub/.env": "A=3\n",
        ]
        #expect(
            try lint(files) { options, _ in options.files = ["sub/compose.yaml"] } == [
                "-:0:0 info unread-env-file", "sub/compose.yaml:1:32 info unread-env-file",
            ])
        // Named files leave `.env` aside on purpose.
        #expect(
            try lint(files) { options, _ in
                options.files = ["sub/compose.yaml"]
                options.envFiles = [".env"]
            } == [])
    }

    @Test func containerNameWithReplicas() throws {
        #expect(
            try lint("services: {a: {image: \"x:1\", container_name: aa, deploy: {replicas: 1}}}")
                == ["compose.yaml:1:46 warning container-name-with-replicas"])
        #expect(try lint("services: {a: {image: \"x:1\", container_name: aa}}") == [])
    }

    @Test(arguments: [
        ("x", true), ("x:latest", true), ("h:5000/x", true), ("x:1", false), ("h:5000/x:1", false),
        ("x@sha256:0", false),
    ]) func unpinnedImage(image: String, isTold: Bool) throws {
        let text = "services: {a: {image: \"\(image)\"}}"
        #expect(
            try lint(["compose.yaml": text], disabled: [])
                == (isTold ? ["compose.yaml:1:23 warning unpinned-image"] : []))
        #expect(try lint(["compose.yaml": text], disabled: [.unpinnedImage]) == [])
    }

    @Test func missingFiles() throws {
        let text = """
            services: {a: {image: "x:1", volumes: ["./none:/a", "./there:/b", "/nowhere/at/all:/c"], secrets: [s]}}
            secrets: {s: {file: ./secret}}
            """
        #expect(
            try lint(["compose.yaml": text, "there": ""]) == [
                "compose.yaml:1:40 warning missing-bind-source", "compose.yaml:2:21 warning missing-source-file",
            ])
    }

    @Test func unsupportedAndObsolete() throws {
        #expect(
            try lint("version: \"3\"\nservices: {a: {image: \"x:1\", gpus: all}}") == [
                "compose.yaml:1:1 warning obsolete-version", "compose.yaml:2:30 warning unsupported-attribute",
            ])
    }

    @Test func everyRuleHasItsOwnCodeAndSummary() {
        let codes = LintRule.allCases.map(\.rawValue)
        #expect(Set(codes).count == codes.count)
        #expect(Set(LintRule.allCases.map(\.summary)).count == codes.count)
        #expect(LintRule.nearest(to: "unused-volum") == .unusedVolume)
    }
}
