import ComposeFile
import Testing

@testable import Orchestration

@Suite("Executing", .timeLimit(.minutes(1)))
struct ExecutorTests {
    @Test func independentServicesAtOnce() async throws {
        let bench = await Bench()
        await bench.engine.hold("start p-a-1")
        async let up: Void = bench.run(
            project(service("a"), service("b"), service("c", dependsOn: ["b": dependency()])))
        await bench.engine.waitFor("start p-a-1")
        await bench.engine.waitFor("start p-c-1")
        await bench.engine.release("start p-a-1")
        try await up
        let calls = await bench.engine.calls
        #expect(calls.first == "network p_default")
        #expect(bench.progress.last == "p-a-1 Started")
        #expect(bench.progress.first == "p_default Creating")
    }

    @Test func waitsForHealthAsLongAsItTakesAndNoLonger() async throws {
        let bench = await Bench()
        await bench.engine.setExec("p-db-1", [1, 1, 0])
        async let up: Void = bench.run(
            project(
                service("db") { $0.healthcheck = healthcheck(interval: .seconds(30)) },
                service("api", dependsOn: ["db": dependency(.healthy)])))
        await bench.clock.advanceToNext()
        await bench.clock.advanceToNext()
        try await up
        #expect(bench.clock.now.offset == .milliseconds(100))
        let order = bench.progress.filter { $0.hasPrefix("p-db-1") || $0.hasSuffix("Starting") }
        #expect(
            order == [
                "p-db-1 Creating", "p-db-1 Created", "p-db-1 Starting", "p-db-1 Started", "p-db-1 Waiting",
                "p-db-1 Healthy", "p-api-1 Starting",
            ])
    }

    /// What an `api` is told that needs a `db`.
    private func failing(
        _ terms: Dependency, _ db: Service, _ prepare: (FakeEngine) async -> Void, advances: Int = 0
    ) async -> (text: String?, bench: Bench) {
        let bench = await Bench()
        await prepare(bench.engine)
        async let text = bench.failure {
            try await bench.run(project(db, service("api", dependsOn: ["db": terms])))
        }
        for _ in 0..<advances { await bench.clock.advanceToNext() }
        return (await text, bench)
    }

    @Test func dependencyThatExits() async throws {
        let db = service("db") { $0.healthcheck = healthcheck() }
        let (text, bench) = await failing(dependency(.healthy), db) { await $0.exitAtOnce("p-db-1", code: 3) }
        #expect(text == "dependency failed to start: container p-db-1 exited (3)")
        #expect(await bench.engine.container("p-api-1")?.state == .created)
    }

    @Test func dependencyThatNeverGetsHealthy() async throws {
        let db = service("db") { $0.healthcheck = healthcheck(interval: .milliseconds(10), retries: 2) }
        let (text, _) = await failing(dependency(.healthy), db, { await $0.setExec("p-db-1", [1]) }, advances: 2)
        #expect(text == "dependency failed to start: container p-db-1 is unhealthy")
    }

    @Test func dependencyWithoutHealthcheck() async throws {
        let (text, _) = await failing(dependency(.healthy), service("db"), { _ in })
        #expect(text == "dependency failed to start: container p-db-1 has no healthcheck configured")
    }

    @Test func dependencyThatDoesNotComplete() async throws {
        let (text, _) = await failing(dependency(.completedSuccessfully), service("db")) {
            await $0.exitAtOnce("p-db-1", code: 2)
        }
        #expect(text == "service \"db\" didn't complete successfully: exit 2")
        let (none, bench) = await failing(dependency(.completedSuccessfully), service("db")) {
            await $0.exitAtOnce("p-db-1", code: 0)
        }
        #expect(none == nil)
        #expect(bench.progress.contains("p-db-1 Exited"))
    }

    @Test func optionalDependencyThatFails() async throws {
        let (text, bench) = await failing(dependency(.completedSuccessfully, required: false), service("db")) {
            await $0.exitAtOnce("p-db-1", code: 2)
        }
        #expect(text == nil)
        #expect(bench.warnings == ["optional dependency \"db\" didn't complete successfully: exit 2"])
        #expect(await bench.engine.container("p-api-1")?.state == .running)
    }

    @Test func failureStopsWhatDependsOnItAndLetsTheRestFinish() async throws {
        let bench = await Bench()
        await bench.engine.fail("start p-a-1", with: .portTaken(port: "8080", holder: "nginx (pid 7)"))
        await bench.engine.hold("start p-c-1")
        async let text = bench.failure {
            try await bench.run(
                project(
                    service("a"), service("b", dependsOn: ["a": dependency()]), service("c"),
                    service("d") { $0.healthcheck = healthcheck(interval: .seconds(5)) },
                    service("e", dependsOn: ["d": dependency(.healthy)])))
        }
        await bench.engine.setExec("p-d-1", [1])
        await bench.engine.waitFor("start p-a-1")
        await bench.engine.waitFor("start p-c-1")
        await bench.engine.release("start p-c-1")
        #expect(await text == "port 8080 is already allocated (held by nginx (pid 7))")
        #expect(await bench.engine.container("p-b-1")?.state == .created)
        #expect(await bench.engine.container("p-c-1")?.state == .running)
        #expect(bench.progress.contains("p-a-1 Error"))
    }

    @Test func recreatesInThisOrder() async throws {
        let bench = await Bench()
        let stack = project(service("web"))
        try await bench.run(stack)
        let old = try #require(await bench.engine.container("p-web-1")?.id)
        let before = await bench.engine.calls.count
        try await bench.run(stack) { $0.options.recreate = .force }
        let temporary = "\(old.short)_p-web-1"
        #expect(
            await bench.engine.calls.dropFirst(before) == [
                "create \(temporary)", "stop p-web-1", "remove p-web-1", "rename \(temporary) p-web-1", "start p-web-1",
            ])
        #expect(
            bench.progress.suffix(4) == [
                "p-web-1 Recreate", "p-web-1 Recreated", "p-web-1 Starting", "p-web-1 Started",
            ])
        let new = try #require(await bench.engine.container("p-web-1"))
        #expect(new.id != old)
        #expect(new.spec.labels[Label.replace] == "web-1")
        // And now it is up to date.
        let calls = await bench.engine.calls.count
        try await bench.run(stack)
        #expect(await bench.engine.calls.count == calls)
    }

    @Test func failedRecreationLeavesTheOldOne() async throws {
        let bench = await Bench()
        let stack = project(service("web"))
        try await bench.run(stack)
        await bench.engine.fail("stop p-web-1", with: .failed("no"))
        let text = await bench.failure { try await bench.run(stack) { $0.options.recreate = .force } }
        #expect(text == "no")
        let state = try await bench.engine.observe(project: "p")
        #expect(state.containers.map(\.spec.name) == ["p-web-1"])
        #expect(state.containers.first?.state == .running)
    }

    @Test func anOrphanOnAChangedNetworkIsAnError() async throws {
        let bench = await Bench()
        var stack = project(service("web"))
        try await bench.run(stack)
        stack.networks["default"]?.isInternal = true
        await bench.engine.fail("remove network p_default", with: .inUse("network p_default"))
        let text = await bench.failure { try await bench.run(stack) }
        #expect(text == "network p_default is still in use")
        #expect(await bench.engine.calls.filter { $0 == "network p_default" }.count == 1)
    }

    @Test func cancellationFinishesWhatIsUnderWay() async throws {
        let bench = await Bench()
        await bench.engine.hold("start p-db-1")
        let up = Task {
            try await bench.run(project(service("db"), service("api", dependsOn: ["db": dependency()])))
        }
        await bench.engine.waitFor("start p-db-1")
        up.cancel()
        await bench.engine.release("start p-db-1")
        await #expect(throws: CancellationError.self) { try await up.value }
        #expect(await bench.engine.container("p-db-1")?.state == .running)
        #expect(await bench.engine.container("p-api-1")?.state == .created)
    }

    @Test func cancellationEndsWaits() async throws {
        let bench = await Bench()
        await bench.engine.setExec("p-db-1", [1])
        let up = Task {
            try await bench.run(
                project(
                    service("db") { $0.healthcheck = healthcheck() },
                    service("api", dependsOn: ["db": dependency(.healthy)])))
        }
        await bench.engine.waitFor("exec p-db-1")
        up.cancel()
        await #expect(throws: CancellationError.self) { try await up.value }
    }

    @Test func waitingSeesWhatExitsEarly() async throws {
        let bench = await Bench()
        await bench.engine.exitAtOnce("p-web-1", code: 0)
        let text = await bench.failure { try await bench.run(project(service("web"))) { $0.options.wait = true } }
        #expect(text == "container p-web-1 exited (0)")

        let late = await Bench()
        async let lateText = late.failure { try await late.run(project(service("web"))) { $0.options.wait = true } }
        await late.clock.waitForSleepers()
        late.clock.advance(by: .milliseconds(400))
        await late.engine.exit("p-web-1", code: 9)
        late.clock.advance(by: .milliseconds(100))
        #expect(await lateText == "container p-web-1 exited (9)")
    }

    @Test func waitingAcceptsWhatIsMeantToEnd() async throws {
        let bench = await Bench()
        await bench.engine.exitAtOnce("p-migrate-1", code: 0)
        async let up: Void = bench.run(
            project(service("migrate"), service("web", dependsOn: ["migrate": dependency(.completedSuccessfully)]))
        ) { $0.options.wait = true }
        await bench.clock.advanceToNext()
        try await up
        #expect(bench.clock.now.offset == Executor.settlingTime)
    }

    @Test func waitTimeout() async throws {
        let bench = await Bench()
        await bench.engine.setExec("p-web-1", [1])
        async let text = bench.failure {
            try await bench.run(project(service("web") { $0.healthcheck = healthcheck(interval: .seconds(60)) })) {
                $0.options.wait = true
                $0.options.waitTimeout = .seconds(3)
            }
        }
        // The next probe and the time-out.
        await bench.clock.waitForSleepers(2)
        bench.clock.advance(by: .seconds(3))
        #expect(await text == "application not healthy after 3s")
    }

    @Test func hooks() async throws {
        var hook = Hook()
        hook.command = ["prepare"]
        let bench = await Bench()
        await bench.engine.setExec("p-web-1", [4])
        let stack = project(
            service("web") {
                $0.postStart = [hook]
                $0.preStop = [hook]
            })
        let text = await bench.failure { try await bench.run(stack) }
        #expect(text == "web hook exited with status 4: exit 4")
        #expect(await bench.engine.container("p-web-1")?.state == .running)
        // A failing pre_stop keeps the container from being stopped.
        let stop = await bench.failure { try await bench.run(stack) { $0.options.recreate = .force } }
        #expect(stop?.hasPrefix("web hook exited") == true)
        #expect(await bench.engine.container("p-web-1")?.state == .running)
        #expect(await !bench.engine.calls.contains("stop p-web-1"))
    }

    @Test func aHundredServicesAtOnce() async throws {
        let bench = await Bench()
        try await bench.run(project((0..<100).map { service("s\($0)") }))
        #expect(try await bench.engine.observe(project: "p").containers.filter { $0.state == .running }.count == 100)
    }

    @Test func durationsAsGoPrintsThem() {
        #expect(Duration.seconds(3).goDescription == "3s")
        #expect(Duration.seconds(90).goDescription == "1m30s")
        #expect(Duration.milliseconds(1500).goDescription == "1.5s")
        #expect(Duration.milliseconds(20).goDescription == "20ms")
    }
}
