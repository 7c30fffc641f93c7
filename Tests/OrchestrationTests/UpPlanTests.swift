import ComposeFile
import Testing

@testable import Orchestration

@Suite("Plans of up")
struct UpPlanTests {
    private func lines(_ input: PlannerInput) throws -> [String] {
        try Planner.up(input).description.split(separator: "\n").map(String.init)
    }

    @Test func firstUpOrdersByDependencyAndHealth() throws {
        var stack = project(
            service("db") {
                $0.healthcheck = healthcheck()
                var mount = Mount()
                mount.source = "data"
                mount.target = "/data"
                $0.volumes = [mount]
            },
            service("api", dependsOn: ["db": dependency(.healthy)]),
            service("web", dependsOn: ["api": dependency()]),
            service("batch", dependsOn: ["api": dependency(.started, required: false)]))
        var volume = Volume()
        volume.key = "data"
        volume.name = "p_data"
        stack.volumes["data"] = volume
        #expect(
            try lines(input(stack)) == [
                "0 create network p_default (network missing)",
                "1 create volume p_data (volume missing)",
                "2 create container p-db-1 (no container) after 0, 1",
                "3 start container p-db-1 (no container) after 0, 2",
                "4 create container p-api-1 (no container) after 0",
                "5 wait for db healthy (needed by api) after 3",
                "6 start container p-api-1 (no container) after 0, 4, 5",
                "7 create container p-batch-1 (no container) after 0",
                "8 start container p-batch-1 (no container) after 0, 6?, 7",
                "9 create container p-web-1 (no container) after 0",
                "10 start container p-web-1 (no container) after 0, 6, 9",
            ])
    }

    @Test func nothingToDo() throws {
        let stack = project(service("web"))
        #expect(try lines(input(stack, deployed(stack))) == ["0 container p-web-1 Running (up to date)"])
    }

    @Test func saysWhatChanged() throws {
        let old = project(service("web") { $0.environment = ["LOG_LEVEL": "info", "DB_PASSWORD": "one"] })
        let new = project(
            service("web") {
                $0.environment = ["LOG_LEVEL": "debug", "DB_PASSWORD": "two"]
                $0.command = ["serve", "-v"]
                $0.configHash = "other"
            })
        #expect(
            try lines(input(new, deployed(old))) == [
                "0 recreate container p-web-1 (config hash changed: command (none) → serve -v; environment.DB_PASSWORD; "
                    + "environment.LOG_LEVEL info → debug)",
                "1 start container p-web-1 (config hash changed: command (none) → serve -v; environment.DB_PASSWORD; "
                    + "environment.LOG_LEVEL info → debug) after 0",
            ])
    }

    @Test func imageChanged() throws {
        let stack = project(service("web"))
        var input = try input(stack, deployed(stack))
        input.images = ["img": ImageSummary(id: "sha256:bbbbbbbbbbbbbbbb")]
        #expect(try lines(input).first == "0 recreate container p-web-1 (image changed aaaaaaaaaaaa → bbbbbbbbbbbb)")
        input.options.recreate = .never
        #expect(try lines(input) == ["0 container p-web-1 Running (up to date)"])
    }

    @Test func policyOfDependenciesIsTheirOwn() throws {
        let stack = project(service("db"), service("web", dependsOn: ["db": dependency()]), service("other"))
        var input = try input(stack, deployed(stack))
        input.options.services = ["web"]
        input.options.recreate = .force
        #expect(
            try lines(input) == [
                "0 container p-db-1 Running (up to date)",
                "1 recreate container p-web-1 (forced)",
                "2 start container p-web-1 (forced) after 1",
            ])
        input.options.noDeps = true
        #expect(try lines(input).count == 2)
    }

    @Test func secretContentIsPartOfTheContainer() throws {
        var stack = project(
            service("web") {
                var reference = FileReference()
                reference.source = "key"
                reference.target = "/run/secrets/key"
                $0.secrets = [reference]
            })
        var secret = FileObject()
        secret.key = "key"
        secret.source = .content("one")
        stack.secrets["key"] = secret
        let observed = try deployed(stack)
        stack.secrets["key"]?.source = .content("two")
        #expect(
            try lines(input(stack, observed)).first
                == "0 recreate container p-web-1 (config hash changed: secrets and configs./run/secrets/key)")
        stack.secrets["key"]?.source = .environment(name: "KEY", value: nil)
        #expect(throws: Failure("environment variable \"KEY\" required by secret \"key\" is not set")) {
            try lines(input(stack, observed))
        }
    }

    @Test func exitedContainersAreStartedAndDeadOnesReplaced() throws {
        let stack = project(service("web"))
        #expect(
            try lines(input(stack, deployed(stack, state: .exited))) == ["0 start container p-web-1 (is exited)"])
        #expect(
            try lines(input(stack, deployed(stack, state: .created))) == ["0 start container p-web-1 (is created)"])
        #expect(
            try lines(input(stack, deployed(stack, state: .dead))).first == "0 recreate container p-web-1 (is dead)")
        var create = try input(stack, deployed(stack, state: .exited))
        create.options.noStart = true
        #expect(try lines(create) == ["0 container p-web-1 Created (is exited)"])
    }

    @Test func scaling() throws {
        let stack = project(service("web"))
        var up = try input(stack, deployed(stack, scale: ["web": 3]))
        up.options.scale = ["web": 2]
        #expect(
            try lines(up) == [
                "0 stop container p-web-3 (scale 3 → 2)",
                "1 remove container p-web-3 (scale 3 → 2) after 0",
                "2 container p-web-1 Running (up to date)",
                "3 container p-web-2 Running (up to date)",
            ])
        // The obsolete one goes, whatever its number.
        up.observed.containers[0].spec.labels[Label.configHash] = "old"
        #expect(try lines(up).first == "0 stop container p-web-1 (scale 3 → 2)")
        // New ones count on from the highest.
        up = try input(stack, deployed(stack, scale: ["web": 3]))
        up.observed.containers.removeFirst()
        up.options.scale = ["web": 3]
        #expect(try lines(up).contains("2 create container p-web-4 (scale 2 → 3)"))
        up.options.scale = ["web": 0]
        #expect(try Planner.up(up).operations.count == 4)
        up.project.services["web"]?.containerName = "only"
        up.options.scale = ["web": 2]
        #expect(throws: Failure.self) { try Planner.up(up) }
    }

    @Test func orphans() throws {
        let stack = project(service("web"), service("gone"))
        var up = try input(project(service("web")), deployed(stack))
        #expect(
            try Planner.up(up).warnings == [
                "Found orphan containers ([p-gone-1]) for this project. If you removed or renamed this service in your "
                    + "compose file, you can run this command with the --remove-orphans flag to clean it up."
            ])
        up.options.ignoreOrphans = true
        #expect(try Planner.up(up).warnings.isEmpty)
        up.options.removeOrphans = true
        #expect(
            try lines(up) == [
                "0 stop container p-gone-1 (orphan)", "1 remove container p-gone-1 (orphan) after 0",
                "2 container p-web-1 Running (up to date)",
            ])
        // A service whose profile is not active is no orphan.
        up.project.disabledServices["gone"] = service("gone")
        #expect(try lines(up).count == 1)
    }

    @Test func dependantsWithRestartAreStoppedFirst() throws {
        let stack = project(
            service("db"), service("api", dependsOn: ["db": dependency(restart: true)]),
            service("web", dependsOn: ["api": dependency(restart: true)]),
            service("other", dependsOn: ["db": dependency()]))
        let observed = try deployed(stack)
        var changed = stack
        changed.services["db"]?.configHash = "new"
        #expect(
            try lines(input(changed, observed)) == [
                "0 stop container p-web-1 (api is replaced)",
                "1 stop container p-api-1 (db is replaced) after 0",
                "2 recreate container p-db-1 (config hash changed) after 1",
                "3 start container p-db-1 (config hash changed) after 2",
                "4 start container p-api-1 (db is replaced) after 1, 3",
                "5 container p-other-1 Running (up to date)",
                "6 start container p-web-1 (api is replaced) after 0, 4",
            ])
        // Also where only the dependency was asked for.
        var only = input(changed, observed)
        only.options.services = ["db"]
        #expect(try lines(only).contains { $0.hasPrefix("1 stop container p-api-1") })
        only.options.noDeps = true
        #expect(try lines(only).count == 2)
    }

    @Test func changedNetworkIsMadeAnew() throws {
        var stack = project(service("web"))
        let observed = try deployed(stack)
        stack.networks["default"]?.isInternal = true
        #expect(
            try lines(input(stack, observed)) == [
                "0 stop container p-web-1 (network p_default changed)",
                "1 remove network p_default (config hash changed) after 0",
                "2 create network p_default (config hash changed) after 1",
                "3 start container p-web-1 (network p_default changed) after 0, 2",
            ])
    }

    @Test func sharedNamespacesFollowTheirOwner() throws {
        let stack = project(
            service("vpn"),
            service("app", dependsOn: ["vpn": dependency(restart: true)]) {
                $0.networks = [:]
                $0.networkMode = "service:vpn"
            })
        let first = try Planner.up(input(stack))
        #expect(
            first.operations.map(\.description).suffix(2) == [
                "3 create container p-app-1 (no container) after 1",
                "4 start container p-app-1 (no container) after 2, 3",
            ])
        var observed = try deployed(stack)
        let app = try #require(observed.containers.firstIndex { $0.service == "app" })
        observed.containers[app].spec.networkMode = "container:\(containerID("p-vpn-1"))"
        #expect(try lines(input(stack, observed)).count == 2)
        observed.containers[app].spec.networkMode = "container:\(containerID("another"))"
        #expect(
            try lines(input(stack, observed)).contains {
                $0.hasPrefix(
                    "1 recreate container p-app-1 (network_mode: p-vpn-1 is not the container it was made with)")
            })
    }

    @Test func finishesWhatACrashLeft() throws {
        let stack = project(service("web"))
        var observed = try deployed(stack)
        var half = observed.containers[0]
        half.spec.name = "\(half.id.short)_p-web-1"
        half.spec.labels[Label.replace] = "web-1"
        half.state = .created
        half.id = containerID("half")
        observed.containers.append(half)
        #expect(
            try lines(input(stack, observed)) == [
                "0 remove container \(half.spec.name) (unfinished replacement of p-web-1)",
                "1 container p-web-1 Running (up to date)",
            ])
        observed.containers.removeFirst()
        #expect(
            try lines(input(stack, observed)) == [
                "0 rename container \(half.spec.name) to p-web-1 (unfinished replacement)",
                "1 start container p-web-1 (is created) after 0",
            ])
    }

    @Test func aPortThatMovesIsFreedFirst() throws {
        func port(_ number: String) -> Port {
            var port = Port()
            port.target = 80
            port.published = number
            return port
        }
        let old = project(service("a") { $0.ports = [port("8080")] }, service("b"))
        let new = project(
            service("a") { $0.configHash = "x" },
            service("b") {
                $0.ports = [port("8080")]
                $0.configHash = "y"
            })
        let plan = try Planner.up(input(new, deployed(old)))
        #expect(plan.operations[3].description.hasSuffix("after 0, 2"))
    }

    @Test func anonymousVolumesAreCarriedOverUnlessRenewed() throws {
        let stack = project(service("db"))
        let image = ImageSummary(id: testImage.id, volumes: ["/data"])
        var up = try input(stack, deployed(stack))
        up.images = ["img": image]
        up.observed.containers[0].anonymousVolumes = ["/data": "v1"]
        up.options.recreate = .force
        func carried() throws -> ContainerSpec.MountSpec.Source? {
            guard case .recreate(let blueprint, _, _)? = try Planner.up(up).operations.first?.kind else { return nil }
            return blueprint.spec.mounts.first?.source
        }
        #expect(try carried() == .anonymous(carriedOver: "v1"))
        up.options.recreate = .diverged
        up.options.renewAnonymousVolumes = true
        #expect(try carried() == .anonymous(carriedOver: nil))
    }

    @Test func waiting() throws {
        var up = input(
            project(service("migrate"), service("web", dependsOn: ["migrate": dependency(.completedSuccessfully)])))
        up.options.wait = true
        #expect(
            try lines(up).suffix(2) == [
                "6 wait for migrate completed successfully (--wait) after 2",
                "7 wait for web running or healthy (--wait) after 5",
            ])
    }

    @Test func refusesWhatCannotBe() throws {
        var stack = project(service("web"))
        stack.networks["default"]?.external = true
        #expect(throws: Failure("network p_default declared as external, but could not be found")) {
            try Planner.up(input(stack))
        }
        stack = project(service("web"))
        var observed = ObservedProject()
        observed.networks = [
            ObservedNetwork(name: "p_default", labels: [Label.project: "p", Label.network: "other"])
        ]
        #expect(
            throws: Failure(
                "network p_default was found but has incorrect label com.docker.compose.network set to \"other\" "
                    + "(expected: \"default\")")
        ) { try Planner.up(input(stack, observed)) }
        var missing = input(stack)
        missing.images = [:]
        #expect(throws: Failure("service \"web\": No such image: img (load or import it first)")) {
            try Planner.up(missing)
        }
        var refused = input(stack)
        refused.refusals = ["services.web.gpus is not supported"]
        #expect(throws: Failure("services.web.gpus is not supported")) { try Planner.up(refused) }
        let cycle = project(
            service("a", dependsOn: ["b": dependency()]), service("b", dependsOn: ["a": dependency()]))
        #expect(throws: Failure("dependency cycle detected: a -> b -> a")) { try Planner.up(input(cycle)) }
    }

    @Test func warnsOfWhatIsSomebodyElses() throws {
        var stack = project(service("web"))
        var up = input(stack)
        up.foreignNetworks["p_default"] = ObservedNetwork(name: "p_default", labels: [:])
        var plan = try Planner.up(up)
        #expect(
            plan.warnings == [
                "a network with name p_default exists but was not created by compose.\n"
                    + "Set `external: true` to use an existing network"
            ])
        #expect(plan.operations.count == 2)
        stack.volumes["data"] = Volume()
        stack.volumes["data"]?.key = "data"
        stack.volumes["data"]?.name = "p_data"
        var observed = try deployed(stack)
        stack.volumes["data"]?.driverOptions = ["type": "tmpfs"]
        plan = try Planner.up(input(stack, observed))
        #expect(plan.warnings.count == 1)
        #expect(plan.warnings[0].hasPrefix("volume \"p_data\" exists but doesn't match configuration in compose file"))
        observed.volumes = []
        stack.volumes["data"]?.external = true
        #expect(throws: Failure("external volume \"p_data\" not found")) { try Planner.up(input(stack, observed)) }
    }

    @Test func growsNoWorseThanLinearly() throws {
        func seconds(_ count: Int) throws -> Duration {
            let stack = project(
                (0..<count).map { index in
                    service("s\(index)", dependsOn: index > 0 ? ["s\(index - 1)": dependency()] : [:])
                })
            let observed = try deployed(stack)
            return try ContinuousClock().measure { _ = try Planner.up(input(stack, observed)) }
        }
        // Far above what it takes, and far below what anything quadratic would.
        #expect(try seconds(1000) < .seconds(2))
    }
}
