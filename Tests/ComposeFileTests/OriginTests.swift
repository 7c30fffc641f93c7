import Testing

@testable import ComposeFile

@Suite struct OriginTests {
    private let workspace = Workspace([
        "compose.yaml": """
        services:
          web:
            image: nginx
            command: |
              one
              two
            labels: {com.example.a: "$X"}
            env_file: web.env
            extra_hosts: ["b:1.1.1.1", "a:2.2.2.2"]
            network_mode: none
        """,
        "compose.override.yaml": "services:\n  web:\n    image: nginx:2\n    ports: [\"80:80\"]\n",
        "web.env": "# comment\nA=1\n",
    ])

    @Test func comments() throws {
        let text = try workspace.load(environment: ["X": "1"]).document.yamlWithOrigins()
        #expect(
            text == """
                name: p                                         # implied
                services:
                  web:
                    command:
                      - one                                     # compose.yaml:4:14
                      - two                                     # compose.yaml:4:14
                    environment:
                      A: "1"                                    # web.env:2:1
                    extra_hosts:
                      - a=2.2.2.2                               # compose.yaml:9:32
                      - b=1.1.1.1                               # compose.yaml:9:19
                    image: nginx:2                              # compose.override.yaml:3:12
                    labels:
                      com.example.a: "1"                        # compose.yaml:7:29
                    network_mode: none                          # compose.yaml:10:19
                    ports:
                      - mode: ingress                           # compose.override.yaml:4:13
                        target: 80                              # compose.override.yaml:4:13
                        published: "80"                         # compose.override.yaml:4:13
                        protocol: tcp                           # compose.override.yaml:4:13

                """)
    }

    @Test func commentsLeaveTheDocumentAsItIs() throws {
        let text = """
            services:
              web:
                image: x
                labels: {long: "one\\ntwo\\n", hash: "a # b", quoted: "it's: so", empty: ""}
                build: {context: ., args: {B: null, A: "1"}, ssh: [default]}
                ulimits: {nofile: {soft: 1, hard: 2}}
                healthcheck: {test: [CMD, "x y"], interval: 90s}
            x-extra: [[1, 2], [], {}, {a: [b]}]
            """
        let plain = try load(text).document
        let annotated = try load(plain.yamlWithOrigins()).document
        #expect(annotated.yaml().replacing("composefile", with: "") == plain.yaml().replacing("composefile", with: ""))
    }

    @Test func paths() throws {
        let json = try workspace.load(environment: ["X": "1"]).document.originsJSON()
        let compact = json.filter { !$0.isWhitespace }
        for expected in [
            "\"services.web.image\":{\"file\":\"compose.override.yaml\",\"line\":3,\"column\":12}",
            "\"services.web.labels[\\\"com.example.a\\\"]\":{\"file\":\"compose.yaml\",\"line\":7,\"column\":29}",
            "\"services.web.ports[0].target\":{\"file\":\"compose.override.yaml\",\"line\":4,\"column\":13}",
            "\"services.web.extra_hosts[0]\":{\"file\":\"compose.yaml\",\"line\":9,\"column\":32}",
            "\"services.web.environment.A\":{\"file\":\"web.env\",\"line\":2,\"column\":1}",
        ] { #expect(compact.contains(expected), "\(expected)") }
        #expect(!compact.contains("\"name\""))
    }

    @Test func diagnosticsAsJSON() {
        let json = DiagnosticDocument.json(
            [
                Diagnostic(
                    severity: .error, code: "duplicate-key", message: "a \"b\"", file: "f", line: 2, column: 3,
                    endLine: 2,
                    endColumn: 5, hint: "h", notes: [.init(message: "n", file: "g", line: 1, column: 1)]),
                Diagnostic(severity: .warning, code: "ambiguous-file", message: "m"),
            ], omitted: 7)
        #expect(
            json.split(separator: "\n").map { $0.drop { $0 == " " } }.joined()
                == [
                    #"{"diagnostics": [{"severity": "error","code": "duplicate-key","message": "a \"b\"","help": "h","#,
                    #""file": "f","line": 2,"column": 3,"endLine": 2,"endColumn": 5,"#,
                    #""related": [{"message": "n","file": "g","line": 1,"column": 1}]},"#,
                    #"{"severity": "warning","code": "ambiguous-file","message": "m","related": []}],"omitted": 7}"#,
                ].joined())
    }

    @Test func colours() {
        let diagnostic = Diagnostic(
            severity: .error, message: "m\u{1B}[2J", file: "f", line: 1, column: 1, source: "abc")
        let coloured = DiagnosticRenderer(width: 80, colour: true).render(diagnostic)
        #expect(
            coloured.hasPrefix("\u{1B}[1mf:1:1: \u{1B}[0m\u{1B}[1;31merror:\u{1B}[0m \u{1B}[1mm\u{FFFD}[2J\u{1B}[0m\n"))
        #expect(!DiagnosticRenderer().render(diagnostic).contains("\u{1B}"))
    }
}
