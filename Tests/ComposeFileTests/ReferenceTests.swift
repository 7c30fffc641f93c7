import Testing

@testable import ComposeFile

/// Where the reference's behaviour is less than plain, and files depend on it.
@Suite struct ReferenceTests {
    private func service(_ attributes: String, more: String = "") throws -> Service {
        let loaded = try load("services: {a: {image: x, \(attributes)}}\n\(more)")
        return try #require(loaded.project.services["a"])
    }

    @Test(arguments: [
        ("${NOPE:-x{y}z}", "x{y}z"), ("${NOPE:-{x}", "{x"), ("${NOPE:-{}}", "{}"), ("${NOPE:-{x}}", "{x}"),
        ("${NOPE:-{\"a\":{\"b\":1}}}", "{\"a\":{\"b\":1}}"), ("${NOPE:-{${P}}}", "{p}"), ("{${P}}", "{p}"),
    ]) func bracesInDefaults(template: String, result: String) throws {
        #expect(try Template(lookup: { $0 == "P" ? "p" : nil }).substitute(template) == result)
    }

    @Test(arguments: [
        ("A=#c", "#c"), ("A= #c", "#c"), ("A=x\t#c", "x\t#c"), ("A='it\\'s'", "it's"), ("A='x\\\\y'", "x\\\\y"),
    ]) func envFileValues(line: String, value: String) throws {
        #expect(try DotEnvParser.parse(Array(line.utf8), lookup: { _ in nil }).map(\.value) == [value])
    }

    @Test func valuesOfEnvFilesReferToTheProjectFirst() throws {
        let space = Workspace([
            "compose.yaml": "services: {a: {image: x, environment: {SVC: s}, env_file: [a.env, b.env]}}",
            "a.env": "A=1\nB=2\n", "b.env": "X=$A\nA=3\nY=$A\nZ=$B\nP=own\nT=$P\nU=$SVC\n",
        ])
        let found = try space.load(environment: ["P": "project"]).project.services["a"]?.environment
        #expect(
            found == [
                "A": "3", "B": "2", "X": "1", "Y": "3", "Z": "2", "P": "own", "T": "project", "U": "s", "SVC": "s",
            ])
    }

    @Test func labelFilesKnowNoVariables() throws {
        let space = Workspace([
            "compose.yaml": "services: {a: {image: x, label_file: [a.env, b.env]}}", "a.env": "A=1\nHOME\n",
            "b.env": "A=2\nB=$A\nC=${P:-none}\n",
        ])
        let labels = try space.load(environment: ["P": "p", "HOME": "/h"]).project.services["a"]?.labels
        #expect(labels == ["A": "2", "B": "1", "C": "none"])
    }

    @Test func onlyRawIsAFormatOfEnvFiles() {
        let space = Workspace([
            "compose.yaml": "services: {a: {image: x, env_file: [{path: e, format: dotenv}]}}", "e": "A=1\n",
        ])
        #expect(throws: ComposeFileError.self) { try space.load() }
    }

    @Test func externalResourcesKeepWhatIsSaidOfThem() throws {
        let text = """
            services: {a: {image: x, networks: [n], configs: [c]}}
            networks: {n: {external: true, driver: d, internal: true}}
            configs: {c: {external: true, file: /f}}
            """
        let yaml = try load(text).document.yaml()
        #expect(yaml.contains("    driver: d\n    external: true\n    internal: true\n"))
        #expect(errors("services: {a: {image: x}}\nvolumes: {v: {external: true, driver: d}}").count == 1)
    }

    @Test func bindSettingsAreNotAddedToTheLongForm() throws {
        let text = "services: {a: {image: x, volumes: [{type: bind, source: /s, target: /t, bind: {selinux: z}}]}}"
        let loaded = try load(text)
        #expect(!loaded.document.yaml().contains("create_host_path"))
        #expect(loaded.project.services["a"]?.volumes.first?.createHostPath == true)
    }

    @Test func anEmptyPathIsTheProjectsDirectory() throws {
        let space = Workspace([
            "compose.yaml":
                "services: {a: {image: x, secrets: [s], volumes: [{type: bind, source: \"\", target: /t}]}}\nsecrets: {s: {file: \"\"}}"
        ])
        let loaded = try space.load()
        #expect(loaded.project.services["a"]?.volumes.first?.source == space.path)
        #expect(loaded.document.yaml().contains("file: \(space.path)\n"))
    }

    @Test func addressPoolsMeetEachOther() throws {
        func pools(_ base: String, _ over: String) throws -> [String?] {
            let text = "networks: {n: {ipam: {config: [\(base)]}}}\nservices: {a: {image: x, networks: [n]}}"
            let space = Workspace(["a.yaml": text, "b.yaml": "networks: {n: {ipam: {config: [\(over)]}}}"])
            let network = try space.load(["a.yaml", "b.yaml"]).project.networks["n"]
            return network?.subnets.map { ($0.subnet ?? "") + "-" + ($0.gateway ?? "") } ?? []
        }
        let one = "{subnet: 1.0.0.0/8, gateway: 1.0.0.1}"
        #expect(try pools(one, "{subnet: 1.0.0.0/8, gateway: 1.0.0.2}") == ["1.0.0.0/8-1.0.0.2"])
        #expect(try pools(one, "{subnet: 2.0.0.0/8}") == ["2.0.0.0/8-"])
        #expect(try pools(one + ", {subnet: 2.0.0.0/8}", "{subnet: 1.0.0.0/8}") == ["1.0.0.0/8-"])
    }

    @Test func aPublishedNumberIsNotItsText() throws {
        #expect(try service("ports: [\"80:80\", {target: 80, published: \"80\"}]").ports.count == 1)
        #expect(try service("ports: [\"80:80\", {target: 80, published: 80}]").ports.count == 2)
    }

    @Test(arguments: [
        ("ports: [{target: 80, host_ip: localhost}]", "invalid IP address"),
        ("ports: [{target: 80, published: 8.0}]", "whole number"),
        ("ports: [\"[fe80::1%eth0]:80:80\"]", "invalid IP address"),
        ("group_add: [1.5]", "whole number"), ("environment: [\"A =b\"]", "trailing space"),
        ("build: {context: ., args: [\"A =b\"]}", "trailing space"), ("extra_hosts: [\":1.1.1.1\"]", "bad host name"),
        ("command: a)b", "invalid command line"), ("tmpfs: [/t, \"/t:ro\"]", "already mounted"),
        ("tmpfs: [/t], volumes: [\"/a:/t\"]", "already mounted"), ("configs: [{target: x}]", "undefined config"),
        ("secrets: [{source: s, mode: 1.5}], labels: {}", "whole number"),
        ("expose: [1.5]", "whole number"), ("gpus: [{count: 1.0}]", "whole number"),
        ("cpu_percent: \"1.5\"", "cpu_percent"), ("healthcheck: {retries: -1}", "at least 0"),
        ("storage_opt: {a: true}", "storage_opt"), ("blkio_config: {weight: \"5\"}", "weight"),
        ("build: {context: ., additional_contexts: {a: 1}}", "must be a string"),
        ("develop: {watch: [{path: ., action: rebuild, ignore: [a, a]}]}", "are equal"),
        ("ports: [0]", "invalid containerPort"), ("ports: [\"80:0\"]", "invalid containerPort"),
        ("ports: [65536]", "invalid containerPort"), ("ports: [{target: -1}]", "from 0"),
        ("volumes: [{type: tmpfs, target: /t, tmpfs: {size: -1}}]", "at least 0"),
    ]) func refused(attributes: String, message: String) {
        let found = errors("services: {a: {image: x, \(attributes)}}\nsecrets: {s: {file: f}}")
        #expect(found.contains { $0.message.contains(message) }, "\(found.map(\.message))")
    }

    @Test(arguments: [
        "tmpfs: [/t, /t/]", "secrets: [s], configs: [{source: c, target: /run/secrets/s}]",
        "provider: {type: compose}", "networks: {n: {ipv4_address: x}}", "ports: [{target: 0}]",
    ]) func accepted(attributes: String) throws {
        let more = "secrets: {s: {file: f}}\nconfigs: {c: {file: f}}\nnetworks: {n: , \"b c\": }"
        _ = try load("services: {a: {image: x, \(attributes)}}\n\(more)")
    }

    @Test func whatOnlyTheEngineWouldRefuseIsListed() throws {
        let text = """
            networks: {n: }
            services:
              a: {image: x, networks: {n: {ipv4_address: one}}, ports: [{target: 70000}]}
              b: {image: x, deploy: {restart_policy: {condition: sometimes}}}
            """
        let found = try load(text).project.unsupported.map(\.path)
        #expect(
            found == [
                "services.a.networks.n.ipv4_address", "services.a.ports[0].target",
                "services.b.deploy.restart_policy.condition",
            ])
    }

    @Test func secretsNeedASource() {
        for source in ["{environment: \"\"}", "{driver: d}", "{external: false}"] {
            let found = errors("services: {a: {image: x}}\nsecrets: {s: \(source)}")
            #expect(found.first?.message.contains("must declare either") == true)
        }
    }

    @Test func fractionsOfBytesCountAsNone() throws {
        #expect(try service("mem_limit: 1.5").memLimit == nil)
        #expect(try service("mem_limit: \"1.5\"").memLimit == 1)
    }

    @Test func commandSubstitutionIsOneWord() throws {
        #expect(try ShellWords.split("a $(b \"c\" d) e") == ["a", "$(b \"c\" d)", "e"])
        #expect(throws: ShellWords.Failure.self) { try ShellWords.split("a $(b") }
    }

    @Test func includedListsTakeTheirOwnVariables() throws {
        let space = Workspace([
            "compose.yaml": "include: [{path: s/c.yaml, project_directory: none/x}]",
            "s/c.yaml": "services: {l: {image: x, environment: [P]}, m: {image: x, environment: {P: null}}}",
            "none/.env": "P=p\n",
        ])
        let services = try space.load().project.services
        #expect(services["l"]?.environment == ["P": "p"])
        #expect(services["m"]?.environment == ["P": nil])
    }

    @Test(arguments: ["include: []", "include: null", "include: [null]", "include: [{path: []}]"])
    func nothingToInclude(text: String) throws {
        #expect(try load(text + "\nservices: {a: {image: x}}").project.services.count == 1)
    }

    @Test func aProfileThatIsNamedDoesNotHideFaults() {
        let space = Workspace([
            "compose.yaml":
                "services: {a: {image: x, profiles: [p]}, b: {image: x, profiles: [q], depends_on: [a]}}"
        ])
        #expect(throws: ComposeFileError.self) {
            try space.load {
                $0.profiles = ["q"]
                $0.services = ["a"]
            }
        }
    }

    @Test func theProfileWithoutAName() throws {
        #expect(try load("services: {a: {image: x, profiles: [\"\"]}}").project.services.count == 1)
    }

    @Test func selectionLeavesOutWhatIsMissing() throws {
        let text =
            "services: {a: {image: x, profiles: [p]}, b: {image: x, depends_on: {a: {condition: service_started, required: false}}}}"
        let document = try load(text).document
        #expect(document.yaml().contains("depends_on"))
        #expect(try !document.selecting(["b"]).yaml().contains("depends_on"))
    }

    @Test func directivesMeetText() throws {
        func merged(_ base: String, _ over: String) throws -> Service? {
            let space = Workspace([
                "a.yaml": "services: {a: {image: x, \(base)}}", "b.yaml": "services: {a: {\(over)}}",
            ])
            return try space.load(["a.yaml", "b.yaml"]).project.services["a"]
        }
        #expect(try merged("cpus: 1", "cpus: !reset x")?.cpus == nil)
        #expect(try merged("command: a", "command: !override null")?.command == ["null"])
        let logging = try merged("logging: {driver: a, options: {x: 1}}", "logging: {driver: !override b}")
        #expect(logging?.loggingOptions == ["x": "1"])
    }
}
