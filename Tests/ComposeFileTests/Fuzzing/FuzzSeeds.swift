/// What the fuzzers start from: the stage's byte, then files with a zero byte between them.
enum FuzzSeeds {
    static let inputs: [[UInt8]] = texts.map { [$0.stage.rawValue] + Array($0.text.utf8) }

    /// Pieces that mean something to one of the grammars.
    static let tokens = [
        "services:", "image:", "build:", "ports:", "volumes:", "networks:", "environment:", "env_file:", "extends:",
        "include:", "depends_on:", "deploy:", "healthcheck:", "secrets:", "configs:", "profiles:", "ulimits:", "gpus:",
        "extra_hosts:", "develop:", "models:", "external:", "name:", "driver_opts:", "ipam:", "<<: *a", "&a ", "*a",
        "!reset ", "!override ", "!!str ", "!!int ", "---\n", "...\n", "? ", "- ", ": ", "{", "}", "[", "]", ", ",
        "|\n",
        ">-\n", "\"", "'", "#", "%TAG ! x\n", "${", "}", "$$", "$A", "${A:-", "${A:?", "${A+", "${EMPTY:-x}", "=",
        "export ", "\\$", "\\n", "0x1F", "010", "1_0", "1e3", ".inf", "2001-01-01", "null", "~", "true", "yes",
        "1-65535",
        "8080:80/udp", "[::1]:80:80", "./a:/b:ro", "10m", "1.5g", "1m30s", "999999999999999999999", "-1", "\u{FEFF}",
        "é", "\r\n", "\t", " ", "  ", "\n", "\0",
    ]

    private static let texts: [(stage: FuzzCase.Stage, text: String)] = [
        (
            .loader,
            """
            name: p
            x-common: &common {restart: always, labels: {a: b}}
            services:
              web:
                <<: *common
                image: "nginx:${TAG:-1}"
                ports: ["8080:80", "127.0.0.1:53:53/udp", {target: 80, published: "90-95"}]
                environment: {A: 1, B: $A, C: }
                env_file: [web.env, {path: none.env, required: false, format: raw}]
                volumes: ["./a:/a:ro", "data:/d", {type: tmpfs, target: /t, tmpfs: {size: 10m, mode: 0o700}}]
                depends_on: {db: {condition: service_healthy, required: false}}
                healthcheck: {test: [CMD, "true"], interval: 1m30s}
                deploy: {replicas: 2, resources: {limits: {cpus: "0.5", memory: 64M}, reservations: {devices: [{capabilities: [gpu]}]}}}
                secrets: [s, {source: s, target: t, mode: 0400}]
                ulimits: {nofile: {soft: 1, hard: 2}, nproc: 3}
                networks: {front: {aliases: [w], ipv4_address: 10.1.0.5}, default: }
                extra_hosts: {h: [1.1.1.1, "::1"]}
                build: {context: ., args: [X=1], secrets: [s], ssh: [default]}
                develop: {watch: [{path: ., action: sync, target: /x}]}
                command: sh -c "echo 'a b'"
              db: {extends: {file: base.yaml, service: db}, profiles: [x], gpus: all}
            networks: {front: {ipam: {config: [{subnet: 10.1.0.0/24}]}}}
            volumes: {data: {driver_opts: {type: none, o: bind, device: ./x}}, ext: {external: true, name: e}}
            secrets: {s: {file: ./s.txt}}
            include: [sub/compose.yaml]
            \0TAG=2\nB="x $TAG"\n\0services: {db: {image: postgres, extends: other}, other: {cpus: 1.5}}\
            \0services: {inc: {image: x}}\0E=1\nF='2'\n
            """
        ),
        (
            .loader,
            """
            services: {a: {image: x, ports: [80]}}
            ---
            services: {a: {ports: !override [81], labels: !reset {}, command: [b]}, b: !reset }
            """
        ),
        (.loader, "services: {a: {extends: b}, b: {extends: {service: a}}}\ninclude: [{path: [base.yaml]}]"),
        (.printing, "services: {a: {image: \"${X:-${Y}}\", mem_limit: $M, ports: [\"${P}:80\"]}}"),
        (.yaml, "a: &x [1, 0x2, 1.5, ~, true, \"q\\n\", 'it''s', 2001-01-01]\nb: *x\nc: |\n  l\n  m\n? d\n: !!int 5\n"),
        (.yaml, "- - a\n  - {b: [c, d: e]}\n---\n%\n"),
        (.interpolation, "a $A ${A} ${B:-x${A}} ${A:+y} ${EMPTY-z} $$ ${C?no}"),
        (.dotenv, "# c\nexport X=1\nY='a b'\nZ=\"q \\\" $X ${X:-d}\" # c\nW: v\nINHERIT\n"),
        (.rawenv, "A=1\nB\n# c\nC=\"x\"\n"),
    ]
}
