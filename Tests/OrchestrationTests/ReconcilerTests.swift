import ComposeFile
import Synchronization
import Testing

@testable import Orchestration

@Suite("Reconciling", .timeLimit(.minutes(1)))
struct ReconcilerTests {
    /// A reconciler, its engine and its clock.
    private final class Host: Sendable {
        let engine = FakeEngine()
        let clock = ManualClock()
        let saved = Mutex<[String?]>([])

        func reconciler(desired: Project? = nil) async throws -> ProjectReconciler {
            let clock = clock
            let time = TimeSource(clock) { 1000 + clock.now.offset / .seconds(1) }
            await engine.setTime(time.wallClock)
            let reconciler = ProjectReconciler(
                name: "p", desired: desired,
                dependencies: .init(engine: engine, time: time, version: "1") { [self] project in
                    saved.withLock { $0.append(project?.name) }
                })
            try await reconciler.adopt()
            return reconciler
        }
    }

    /// The last message.
    private func end(_ reconciler: ProjectReconciler, _ request: Request) async -> Message? {
        await last(await reconciler.handle(request))
    }

    private func last(_ stream: AsyncStream<Message>) async -> Message? {
        var last: Message?
        for await message in stream { last = message }
        return last
    }

    private func next(
        _ events: inout AsyncStream<ContainerEvent>.AsyncIterator, _ action: ContainerEvent.Action
    ) async -> ContainerEvent? {
        while let event = await events.next(isolation: nil) { if event.action == action { return event } }
        return nil
    }

    @Test func upAndDown() async throws {
        let host = Host()
        let reconciler = try await host.reconciler()
        let stack = project(service("web"))
        guard case .done(let containers)? = await end(reconciler, .up(stack, UpOptions())) else {
            Issue.record("up failed")
            return
        }
        #expect(containers.map(\.name) == ["p-web-1"])
        #expect(try await !reconciler.isIdle())
        #expect(await end(reconciler, .down(nil, DownOptions())) == .done(containers: []))
        #expect(try await reconciler.isIdle())
        #expect(host.saved.withLock { $0 } == ["p", nil])
        let state = try await host.engine.observe(project: "p")
        #expect(state == ObservedProject())
        await reconciler.shutDown()
    }

    @Test func refusalsComeBeforeAnythingIsDone() async throws {
        let host = Host()
        let reconciler = try await host.reconciler()
        var stack = project(service("web"))
        stack.services["web"]?.image = "nowhere"
        let message = await end(reconciler, .up(stack, UpOptions()))
        #expect(message == .failed(Failure("service \"web\": No such image: nowhere (load or import it first)")))
        #expect(await host.engine.calls.isEmpty)
        #expect(host.saved.withLock { $0 }.isEmpty)
    }

    @Test func crashIsFollowedByARestart() async throws {
        let host = Host()
        let reconciler = try await host.reconciler()
        var events = await reconciler.events().makeAsyncIterator()
        _ = await end(reconciler, .up(project(service("web") { $0.restart = .always }), UpOptions()))
        await host.engine.exit("p-web-1", code: 1)
        let died = await next(&events, .die)
        #expect(died?.exitCode == 1)
        #expect(died?.willRestart == true)
        #expect(await host.clock.advanceToNext() == .milliseconds(100))
        await host.engine.waitFor("start p-web-1", count: 2)
        #expect(await next(&events, .start) != nil)
        await host.engine.exit("p-web-1", code: 1)
        #expect(await next(&events, .die)?.willRestart == true)
        #expect(await host.clock.advanceToNext() == .milliseconds(200))
        await host.engine.waitFor("start p-web-1", count: 3)
        #expect(await host.engine.restarts.contains("p-web-1 2 true"))
        // Stopped on purpose, it stays so.
        _ = await end(reconciler, .stop(nil, services: [], timeout: nil))
        #expect(await next(&events, .die)?.willRestart == false)
        #expect(await host.engine.container("p-web-1")?.state == .exited)
    }

    @Test func aRestartThatFailsIsTriedAgain() async throws {
        let host = Host()
        let reconciler = try await host.reconciler()
        _ = await end(reconciler, .up(project(service("web") { $0.restart = .always }), UpOptions()))
        await host.engine.fail("start p-web-1", with: .startFailed(container: "p-web-1", reason: "gone", code: 127))
        await host.engine.exit("p-web-1", code: 1)
        await host.clock.advanceToNext()
        await host.engine.waitFor("start p-web-1", count: 2)
        #expect(await host.clock.advanceToNext() == .milliseconds(200))
        await host.engine.waitFor("start p-web-1", count: 3)
    }

    @Test func stopEndsARestartThatIsDue() async throws {
        let host = Host()
        let reconciler = try await host.reconciler()
        _ = await end(reconciler, .up(project(service("web") { $0.restart = .always }), UpOptions()))
        await host.engine.exit("p-web-1", code: 1)
        await host.clock.waitForSleepers()
        _ = await end(reconciler, .down(nil, DownOptions()))
        host.clock.advance(by: .seconds(60))
        #expect(await host.engine.calls.filter { $0 == "start p-web-1" }.count == 1)
    }

    @Test func healthBeginsAnewWithEveryRun() async throws {
        let host = Host()
        let reconciler = try await host.reconciler()
        var events = await reconciler.events().makeAsyncIterator()
        await host.engine.setExec("p-web-1", [0])
        let stack = project(
            service("web") {
                $0.healthcheck = healthcheck()
                $0.restart = .always
            })
        _ = await end(reconciler, .up(stack, UpOptions()))
        #expect(await next(&events, .healthStatus)?.health == .healthy)
        _ = await end(reconciler, .restart(nil, services: [], timeout: nil, noDeps: false))
        #expect(await next(&events, .healthStatus)?.health == .healthy)
        let id = try #require(await host.engine.container("p-web-1")?.id)
        let statuses = await host.engine.health[id]?.map(\.status) ?? []
        #expect(statuses.prefix(2) == [.starting, .healthy])
        #expect(statuses.filter { $0 == .starting }.count == 2)
    }

    @Test func aSecondUpWaitsItsTurn() async throws {
        let host = Host()
        let reconciler = try await host.reconciler()
        await host.engine.hold("start p-web-1")
        let stack = project(service("web"))
        let first = await reconciler.handle(.up(stack, UpOptions()))
        await host.engine.waitFor("start p-web-1")
        let second = await reconciler.handle(.up(stack, UpOptions()))
        await host.engine.release("start p-web-1")
        for stream in [first, second] {
            guard case .done? = await last(stream) else {
                Issue.record("up failed")
                return
            }
        }
        #expect(await host.engine.calls.filter { $0.hasPrefix("create") }.count == 1)
    }

    @Test func stopEndsAnUpThatWaits() async throws {
        let host = Host()
        let reconciler = try await host.reconciler()
        await host.engine.setExec("p-db-1", [1])
        let stack = project(
            service("db") { $0.healthcheck = healthcheck() }, service("api", dependsOn: ["db": dependency(.healthy)]))
        let up = await reconciler.handle(.up(stack, UpOptions()))
        await host.engine.waitFor("exec p-db-1")
        let stop = await reconciler.handle(.stop(nil, services: [], timeout: nil))
        #expect(await last(up) == .failed(Failure("interrupted by stop")))
        guard case .done? = await last(stop) else {
            Issue.record("stop failed")
            return
        }
        #expect(await host.engine.container("p-db-1")?.state == .exited)
    }

    @Test func killDoesNotWaitForAStop() async throws {
        let host = Host()
        let reconciler = try await host.reconciler()
        _ = await end(reconciler, .up(project(service("web") { $0.restart = .always }), UpOptions()))
        await host.engine.hold("stop p-web-1")
        let stop = await reconciler.handle(.stop(nil, services: [], timeout: nil))
        await host.engine.waitFor("stop p-web-1")
        guard case .done? = await end(reconciler, .kill(nil, services: [], signal: "SIGKILL", removeOrphans: false))
        else {
            Issue.record("kill failed")
            return
        }
        await host.engine.release("stop p-web-1")
        _ = await last(stop)
        host.clock.advance(by: .seconds(60))
        #expect(await host.engine.container("p-web-1")?.state == .exited)
        #expect(await host.engine.calls.filter { $0 == "start p-web-1" }.count == 1)
    }

    @Test func aClientThatGoesAwayCancels() async throws {
        let host = Host()
        let reconciler = try await host.reconciler()
        await host.engine.setExec("p-db-1", [1])
        let stack = project(
            service("db") { $0.healthcheck = healthcheck() }, service("api", dependsOn: ["db": dependency(.healthy)]))
        let client = Task { await end(reconciler, .up(stack, UpOptions())) }
        await host.engine.waitFor("exec p-db-1")
        client.cancel()
        _ = await client.value
        // The next request gets its turn.
        guard case .done? = await end(reconciler, .down(nil, DownOptions())) else {
            Issue.record("down failed")
            return
        }
        #expect(await !host.engine.calls.contains("start p-api-1"))
    }

    @Test func adoption() async throws {
        let host = Host()
        let stack = project(
            service("always") { $0.restart = .always }, service("never"),
            service("stopped") { $0.restart = .always },
            service("checked") { $0.healthcheck = healthcheck(interval: .seconds(10), retries: 3) })
        var observed = try deployed(stack)
        for index in observed.containers.indices {
            observed.containers[index].startedAt = 900
            guard observed.containers[index].service != "checked" else {
                var record = HealthRecord()
                record.status = .healthy
                record.failingStreak = 2
                observed.containers[index].health = record
                continue
            }
            observed.containers[index].state = .exited
            observed.containers[index].exit = ExitRecord(code: 1, finishedAt: 950)
            observed.containers[index].stoppedOnPurpose = observed.containers[index].service == "stopped"
        }
        await host.engine.set(observed)
        await host.engine.setExec("p-checked-1", [1])
        let reconciler = try await host.reconciler()
        var events = await reconciler.events().makeAsyncIterator()
        // The streak goes on: one more failure is the third.
        #expect(await next(&events, .healthStatus)?.health == .unhealthy)
        // The probe's pause and the restart's delay.
        #expect(await host.clock.advanceToNext(sleepers: 2) == .milliseconds(100))
        await host.engine.waitFor("start p-always-1")
        #expect(await next(&events, .start)?.container.service == "always")
        #expect(await host.engine.calls.filter { $0.hasPrefix("start") } == ["start p-always-1"])
    }

    @Test func eventsTellWhatFollows() async throws {
        let host = Host()
        let reconciler = try await host.reconciler()
        let events = await reconciler.handle(.events)
        _ = await end(reconciler, .up(project(service("web")), UpOptions()))
        _ = await end(reconciler, .down(nil, DownOptions()))
        var seen: [ContainerEvent.Action] = []
        for await message in events {
            guard case .event(let event) = message else { continue }
            seen.append(event.action)
            if event.action == .destroy { break }
        }
        #expect(seen == [.create, .start, .die, .stop, .destroy])
        // Listening keeps nobody from leaving.
        #expect(try await reconciler.isIdle())
    }

    @Test func aRestartUnderWayIsNotDoneTwice() async throws {
        let host = Host()
        let reconciler = try await host.reconciler()
        let stack = project(service("web") { $0.restart = .always })
        _ = await end(reconciler, .up(stack, UpOptions()))
        await host.engine.hold("start p-web-1")
        await host.engine.exit("p-web-1", code: 1)
        await host.clock.advanceToNext()
        await host.engine.waitFor("start p-web-1", count: 2)
        let up = await reconciler.handle(.up(stack, UpOptions()))
        await host.engine.release("start p-web-1")
        guard case .done? = await last(up) else {
            Issue.record("up failed")
            return
        }
        #expect(await host.engine.calls.filter { $0 == "start p-web-1" }.count == 2)
        #expect(await host.engine.container("p-web-1")?.state == .running)
    }
}
