import Testing

@testable import ComposeFile

@Suite struct LoadingTests {
    @Test func overridesMergeByTheirRules() throws {
        let space = Workspace([
            "a.yaml": """
            services:
              a: {image: x, command: a b, ports: ["80:80"], environment: {A: 1, B: 2}, labels: [a=1], volumes: ["/a:/x"],
                  dns: 1.1.1.1, depends_on: [b], logging: {driver: json-file, options: {a: b}}, ulimits: {nofile: {soft: 1, hard: 2}}}
              b: {image: y}
            """,
            "b.yaml": """
            services:
              a: {command: [c], ports: ["81:81", "80:80"], environment: [A=2, C=3], labels: {b: 3}, volumes: ["/b:/x:ro"],
                  dns: [2.2.2.2], depends_on: {b: {condition: service_healthy}}, logging: {driver: none}, ulimits: {nofile: 5}, image: }
            """,
        ])
        let service = try #require(try space.load(["a.yaml", "b.yaml"]).project.services["a"])
        #expect(service.command == ["c"])
        #expect(service.ports.map(\.target) == [80, 81])
        #expect(service.environment == ["A": "2", "B": "2", "C": "3"])
        #expect(service.labels == ["a": "1", "b": "3"])
        #expect(service.volumes.map(\.source) == ["/b"] && service.volumes[0].readOnly)
        #expect(service.dns == ["1.1.1.1", "2.2.2.2"])
        #expect(service.dependsOn["b"]?.condition == .healthy)
        #expect(service.loggingDriver == "none" && service.loggingOptions.isEmpty)
        #expect(service.ulimits["nofile"]?.soft == 5)
        #expect(service.image == "x")
    }

    @Test func resetAndOverride() throws {
        let space = Workspace([
            "a.yaml":
                "services: {a: {image: x, ports: [\"80:80\"], environment: {A: 1}, command: q, labels: {a: b}}, b: {image: y}}",
            "b.yaml":
                "services: {a: {ports: !override [\"81:81\"], environment: !reset {}, command: !reset , labels: {a: !reset x, c: d}}, b: !reset }",
        ])
        let project = try space.load(["a.yaml", "b.yaml"]).project
        let service = try #require(project.services["a"])
        #expect(service.ports.map(\.target) == [81])
        #expect(service.environment.isEmpty && service.command == nil && service.labels == ["c": "d"])
        #expect(project.services["b"] == nil)
    }

    @Test func extendsAnotherFileWithItsOwnPaths() throws {
        let space = Workspace([
            "compose.yaml": "services: {a: {extends: {file: sub/base.yaml, service: b}, environment: {X: 2}}}",
            "sub/base.yaml":
                "services: {b: {extends: c, volumes: [\"./v:/v\"], env_file: e.env, environment: {X: 1, Y: 1}}, c: {image: z}}",
            "sub/e.env": "FROM=1\n",
        ])
        let service = try #require(try space.load().project.services["a"])
        #expect(service.image == "z")
        #expect(service.environment == ["X": "2", "Y": "1", "FROM": "1"])
        #expect(service.volumes[0].source == space.path + "/sub/v")
    }

    @Test func extendsInACircle() {
        let found = errors("services: {a: {extends: b}, b: {extends: a}}")
        #expect(found.first?.message.hasPrefix("Circular reference:") == true)
    }

    @Test func includeHasItsOwnDirectoryAndVariables() throws {
        let space = Workspace([
            "compose.yaml": "include: [sub/compose.yaml]\nservices: {a: {image: x, depends_on: [inc]}}",
            "sub/compose.yaml":
                "services: {inc: {image: \"img:${TAG:-none}\", volumes: [\"./d:/d\"], environment: [PASS]}}",
            "sub/.env": "TAG=sub\nPASS=p\n",
        ])
        let service = try #require(try space.load().project.services["inc"])
        #expect(service.image == "img:sub" && service.environment == ["PASS": "p"])
        #expect(service.volumes[0].source == space.path + "/sub/d")
    }

    @Test func includeCycle() {
        let space = Workspace([
            "compose.yaml": "include: [sub.yaml]", "sub.yaml": "include: [compose.yaml]\nservices: {a: {image: x}}",
        ])
        #expect(throws: ComposeFileError.self) { try space.load() }
    }

    @Test func envFilesOfServices() throws {
        let space = Workspace([
            "compose.yaml":
                "services: {a: {image: x, env_file: [a.env, {path: c.env, required: false}], environment: {A: over, Z: }}}",
            "a.env": "A=1\nB=\"q $A\"\n",
        ])
        let service = try #require(try space.load(environment: ["Z": "shell"]).project.services["a"])
        #expect(service.environment == ["A": "over", "B": "q over", "Z": "shell"])
        space.write("compose.yaml", "services: {a: {image: x, env_file: nope.env}}")
        #expect(throws: ComposeFileError.self) { try space.load() }
    }

    @Test func surroundings() throws {
        let space = Workspace([
            "compose.yaml": "name: Foo.Bar\nservices: {a: {image: \"$COMPOSE_PROJECT_NAME\"}}",
            "compose.override.yaml": "services: {b: {image: \"$V\", profiles: [q]}}",
            ".env": "V=1\nCOMPOSE_PROFILES=q\n",
            "inner/x": "",
        ])
        let loaded = try space.load {
            $0.projectName = nil
            $0.workingDirectory += "/inner"
        }
        #expect(loaded.project.name == "foobar" && loaded.project.services["a"]?.image == "foobar")
        #expect(loaded.project.services["b"]?.image == "1")
        #expect(loaded.project.composeFiles.count == 2)
        #expect(throws: ComposeFileError.self) { try space.load { $0.projectName = "Not Valid" } }
    }

    @Test func profiles() throws {
        let text = "services: {a: {image: x, profiles: [p]}, b: {image: x, profiles: [q]}, c: {image: x}}"
        let space = Workspace(["compose.yaml": text])
        #expect(try space.load().project.services.keys.sorted() == ["c"])
        #expect(try space.load { $0.profiles = ["p"] }.project.services.keys.sorted() == ["a", "c"])
        #expect(try space.load { $0.profiles = ["*"] }.project.disabledServices.isEmpty)
        #expect(try space.load { $0.services = ["b"] }.project.services.keys.sorted() == ["b", "c"])
    }

    @Test func hashIgnoresWhatDoesNotMakeTheContainer() throws {
        func hash(_ more: String) throws -> String? {
            try load("services: {a: {image: x\(more)}, b: {image: y}}").project.services["a"]?.configHash
        }
        let plain = try hash("")
        // What the reference prints for this service.
        #expect(plain == "d5457d0b2799957b606d2ac4ed52d85a1e75799490e56229948300b9a59e8953")
        #expect(try hash(", scale: 3, depends_on: [b], pull_policy: always, build: .") == plain)
        #expect(try hash(", hostname: h") != plain)
    }
}
