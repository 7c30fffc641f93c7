import Testing

@testable import ComposeFile

@Suite struct RenderingTests {
    static let text = """
        services:
          web:
            image: nginx
            ports: ["127.0.0.1:53:53/udp"]
            environment: {A: 1.50, B: yes, C: 0x1F, D: 010, E: null, F: true, G: 1e6, K: 0o17, N: 1_000, Q: "x$$y"}
            depends_on: [db]
            volumes: ["data:/data:ro", "/anon"]
            deploy: {resources: {limits: {cpus: "0.5", memory: 50M}}}
            command: echo "a b"
            stop_grace_period: 90s
            secrets: [{source: s, mode: 0400}]
          db: {image: postgres}
        volumes: {data: , unused: }
        secrets: {s: {environment: S}}
        """

    @Test func yaml() throws {
        #expect(
            try load(Self.text).document.yaml() == """
                name: p
                services:
                  db:
                    image: postgres
                    networks:
                      default: null
                  web:
                    command:
                      - echo
                      - a b
                    depends_on:
                      db:
                        condition: service_started
                        required: true
                    deploy:
                      resources:
                        limits:
                          cpus: 0.5
                          memory: "52428800"
                    environment:
                      A: "1.5"
                      B: "yes"
                      C: "31"
                      D: "8"
                      E: null
                      F: "true"
                      G: "1e+06"
                      K: "15"
                      "N": "1000"
                      Q: x$$y
                    image: nginx
                    networks:
                      default: null
                    ports:
                      - mode: ingress
                        host_ip: 127.0.0.1
                        target: 53
                        published: "53"
                        protocol: udp
                    secrets:
                      - source: s
                        target: /run/secrets/s
                        mode: "0400"
                    stop_grace_period: 1m30s
                    volumes:
                      - type: volume
                        source: data
                        target: /data
                        read_only: true
                        volume: {}
                      - type: volume
                        target: /anon
                        volume: {}
                networks:
                  default:
                    name: p_default
                volumes:
                  data:
                    name: p_data
                secrets:
                  s:
                    name: p_s
                    environment: S

                """)
    }

    @Test func json() throws {
        #expect(
            try load("services: {a: {image: x<y, deploy: {}, command: \"\"}}").document.json() == """
                {
                  "name": "p",
                  "networks": {
                    "default": {
                      "name": "p_default",
                      "ipam": {}
                    }
                  },
                  "services": {
                    "a": {
                      "command": [],
                      "deploy": {
                        "resources": {},
                        "placement": {}
                      },
                      "entrypoint": null,
                      "image": "x\\u003cy",
                      "networks": {
                        "default": null
                      }
                    }
                  }
                }
                """)
    }

    @Test(arguments: [
        ("yes", "\"yes\""), ("1", "\"1\""), (" a", "' a'"), ("a: b", "'a: b'"), ("a #b", "'a #b'"), ("-a", "-a"),
        ("- a", "'- a'"), ("'q'", "'''q'''"), ("12:30", "\"12:30\""), ("", "\"\""), ("a\nb\n", "|\n    a\n    b"),
        ("a\nb", "|-\n    a\n    b"), ("+Inf", "+Inf"), ("a:b", "a:b"), ("\u{7}", "\"\\a\""), ("02:42:ac", "02:42:ac"),
    ]) func scalarStyles(text: String, written: String) { #expect(ScalarStyle.text(text, depth: 2) == written) }

    @Test func keysOrderNumbersByValue() {
        #expect(
            ["a10", "b", "a9", "a_b", "A", "a1b"].sorted(by: KeyOrder.precedes) == [
                "A", "a_b", "a1b", "a9", "a10", "b",
            ])
    }

    @Test(arguments: [(1e6, "1e+06"), (685_230.15, "685230.15"), (0.00001, "1e-05"), (0.5, "0.5"), (100_000, "100000")])
    func numbers(number: Double, printed: String) { #expect(NumberFormat.general(number) == printed) }

    @Test func outputReadsBackAsItself() throws {
        let once = try load(Self.text).document.yaml()
        #expect(try load(once).document.yaml() == once)
    }
}
