import Orchestration
import Testing

@testable import swcompose

/// The course of `up` in the foreground, without containers.
@Suite struct AttachedSessionTests {
    private let web = summary("web", 1)
    private let db = summary("db", 2)
    private let gracefully = AttachedSession.Action.announce("Gracefully Stopping... press Ctrl+C again to force")

    private static func summary(_ service: String, _ digit: Int) -> ContainerSummary {
        ContainerSummary(
            id: ContainerID(String(repeating: String(digit), count: 64)), name: "p-\(service)-1", service: service,
            number: 1)
    }

    private func event(
        _ action: ContainerEvent.Action, _ container: ContainerSummary, code: Int32? = nil, willRestart: Bool = false
    ) -> AttachedSession.Input {
        var event = ContainerEvent(action: action, container: container, time: 0)
        event.exitCode = code
        event.willRestart = willRestart
        return .event(event)
    }

    private func running(
        services: [String] = [], attached: Set<String> = ["web", "db"], abort: AttachedPlan.Abort = .never,
        exitCodeFrom: String? = nil
    ) -> AttachedSession {
        var session = AttachedSession(
            plan: AttachedPlan(services: services, attached: attached, abort: abort, exitCodeFrom: exitCodeFrom))
        _ = session.handle(.created([web, db]))
        _ = session.handle(.started)
        return session
    }

    @Test func attachesBeforeItStarts() {
        var session = AttachedSession(plan: AttachedPlan(services: [], attached: ["web"]))
        #expect(session.handle(.created([web, db])) == [.attach([web]), .start])
        #expect(session.handle(event(.start, web)) == [.follow(web)])
        #expect(session.handle(event(.start, db)) == [])
        #expect(session.handle(.started) == [])
    }

    @Test func endsWithZeroWhenAllHaveStoppedWhateverTheirCodes() {
        var session = running()
        #expect(session.handle(event(.die, web, code: 3)) == [.finishLog(web.id, "exited with code 3")])
        #expect(session.handle(event(.die, db, code: 5)) == [.finishLog(db.id, "exited with code 5"), .end(code: 0)])
        #expect(session.handle(.interrupt) == [])
    }

    @Test func aRestartIsNoEnd() {
        var session = running(services: ["web"])
        #expect(
            session.handle(event(.die, web, code: 1, willRestart: true))
                == [.finishLog(web.id, "exited with code 1 (restarting)")])
        #expect(session.handle(event(.start, web)) == [.follow(web)])
        #expect(session.handle(event(.die, web, code: 0)).last == .end(code: 0))
    }

    @Test func onlyNamedServicesAreWaitedFor() {
        var session = running(services: ["web"], attached: ["web"])
        #expect(session.handle(event(.die, db, code: 1)) == [])
        #expect(session.handle(event(.die, web, code: 1)).last == .end(code: 0))
    }

    @Test func aShortLivedContainerMayEndBeforeTheStartIsDone() {
        var session = AttachedSession(plan: AttachedPlan(services: [], attached: ["web", "db"]))
        _ = session.handle(.created([web, db]))
        #expect(session.handle(event(.die, web, code: 0)) == [.finishLog(web.id, "exited with code 0")])
        #expect(session.handle(event(.die, db, code: 0)) == [.finishLog(db.id, "exited with code 0")])
        #expect(session.handle(.started) == [.end(code: 0)])
    }

    @Test func anExitToldTwiceIsPrintedOnce() {
        var session = running()
        #expect(session.handle(event(.die, web, code: 1)).count == 1)
        #expect(session.handle(event(.die, web, code: 1)) == [])
    }

    @Test func whatWasNeverStartedIsNotWaitedFor() {
        var session = running()
        #expect(session.handle(.absent(db.id)) == [])
        #expect(session.handle(event(.die, web, code: 0)).last == .end(code: 0))
    }

    @Test func abortOnExit() {
        var session = running(abort: .anyExit)
        #expect(
            session.handle(event(.die, web, code: 7))
                == [.finishLog(web.id, "exited with code 7"), .announce("Aborting on container exit..."), .stop])
        #expect(session.handle(event(.die, db, code: 137)) == [.finishLog(db.id, "exited with code 137")])
        #expect(session.handle(.stopped) == [.end(code: 7)])
    }

    @Test func abortOnFailureLetsSuccessPass() {
        var session = running(abort: .failure)
        #expect(session.handle(event(.die, web, code: 0)) == [.finishLog(web.id, "exited with code 0")])
        #expect(
            session.handle(event(.die, db, code: 2)).suffix(2) == [.announce("Aborting on container exit..."), .stop])
        #expect(session.handle(.stopped) == [.end(code: 2)])
    }

    @Test func anAbortWhileStartingWithdrawsTheStart() {
        var session = AttachedSession(plan: AttachedPlan(services: [], attached: [], abort: .anyExit))
        _ = session.handle(.created([web, db]))
        #expect(
            session.handle(event(.die, web, code: 1)) == [.withdraw, .announce("Aborting on container exit..."), .stop])
        #expect(session.handle(.started) == [])
    }

    @Test func theSelectedServicesCodeIsRemembered() {
        var session = running(abort: .anyExit, exitCodeFrom: "db")
        _ = session.handle(event(.die, web, code: 1))
        #expect(session.selectedCode == nil)
        _ = session.handle(event(.die, db, code: 143))
        #expect(session.selectedCode == 143)
    }

    @Test func onceStopsTwiceKills() {
        var session = running()
        #expect(session.handle(.interrupt) == [gracefully, .stop])
        #expect(session.handle(event(.die, web, code: 0)) == [.finishLog(web.id, "exited with code 0")])
        #expect(session.handle(.interrupt) == [.kill])
        #expect(session.handle(event(.die, db, code: 137)) == [.finishLog(db.id, "exited with code 137")])
        #expect(session.handle(.stopped) == [.end(code: 130)])
    }

    @Test func aThirdSignalWaitsForNothing() {
        var session = running()
        _ = session.handle(.interrupt)
        _ = session.handle(.interrupt)
        #expect(session.handle(.interrupt) == [.end(code: 130)])
    }

    @Test func aSignalBeforeAnythingRunsEndsAtOnce() {
        var session = AttachedSession(plan: AttachedPlan(services: [], attached: []))
        #expect(session.handle(.interrupt) == [.withdraw, .end(code: 130)])
    }

    @Test func failuresEnd() {
        var session = AttachedSession(plan: AttachedPlan(services: [], attached: []))
        _ = session.handle(.created([web]))
        #expect(session.handle(.failed(Failure("no"))) == [.fail(Failure("no"))])
    }
}
