import ComposeFile
import Testing

@testable import Orchestration

@Suite("Health")
struct HealthMachineTests {
    private func schedule(
        interval: Duration = .seconds(1), timeout: Duration = .seconds(30), retries: Int = 3,
        startPeriod: Duration = .zero, startInterval: Duration? = nil
    ) throws -> HealthSchedule {
        var check = Healthcheck()
        check.test = ["CMD", "check"]
        check.interval = interval
        check.timeout = timeout
        check.retries = retries
        check.startPeriod = startPeriod
        check.startInterval = startInterval
        return try #require(HealthSchedule(check))
    }

    private func result(_ code: Int32) -> HealthRecord.Probe { .init(start: 0, end: 0, exitCode: code, output: "") }

    /// Fails every probe at once until unhealthy; returns when each probe was made.
    private func failing(_ machine: inout HealthMachine, probes: Int = 100) -> [Duration] {
        var times: [Duration] = []
        while times.count < probes, machine.record.status != .unhealthy {
            let at = machine.next.at
            times.append(at)
            _ = machine.ended(result(1), begun: at, ended: at)
        }
        return times
    }

    private static func isDeclared(_ time: Duration) -> Bool { time.components.attoseconds == 0 }

    @Test func probesEagerlyButCountsAsDeclared() throws {
        var machine = HealthMachine(try schedule())
        let times = failing(&machine)
        #expect(times.prefix(4) == [.zero, .milliseconds(50), .milliseconds(100), .milliseconds(150)])
        #expect([.seconds(1), .seconds(2), .seconds(3)].allSatisfy(times.contains))
        #expect(times.last == .seconds(3))
        for (one, next) in zip(times, times.dropFirst()) where !Self.isDeclared(next) {
            #expect(next - one == max(.milliseconds(50), one / 10))
        }
        #expect(machine.record.failingStreak == 3)
        #expect(machine.record.log.count == 5)
    }

    @Test(arguments: [1, 2, 5, 30])
    func unhealthyNoEarlierThanDeclared(seconds: Int) throws {
        var machine = HealthMachine(try schedule(interval: .seconds(seconds), retries: 4))
        #expect(failing(&machine).last == .seconds(4 * seconds))
    }

    @Test func eagerProbesNeverDelayADeclaredOne() throws {
        var machine = HealthMachine(try schedule(interval: .seconds(2), timeout: .seconds(30), retries: 1))
        // The first hangs until it is cut short.
        #expect(machine.next.timeout == .seconds(2))
        _ = machine.ended(result(-1), begun: .zero, ended: .seconds(2))
        #expect(machine.record.failingStreak == 0)
        #expect(machine.next.at == .seconds(2))
        #expect(machine.next.timeout == .seconds(30))
        #expect(machine.ended(result(1), begun: .seconds(2), ended: .seconds(3)) == .unhealthy)
        #expect(machine.next.at == .seconds(5))
    }

    @Test func costlyProbesAreMadeSeldom() throws {
        var machine = HealthMachine(try schedule(interval: .seconds(30)))
        _ = machine.ended(result(1), begun: .zero, ended: .milliseconds(700))
        #expect(machine.next.at == .milliseconds(3500))
    }

    @Test func successCountsAtOnceAndEndsEagerness() throws {
        var machine = HealthMachine(try schedule(interval: .seconds(30)))
        _ = machine.ended(result(1), begun: .zero, ended: .zero)
        #expect(machine.ended(result(0), begun: .milliseconds(50), ended: .milliseconds(60)) == .healthy)
        #expect(machine.next.at == .milliseconds(30_060))
        #expect(machine.ended(result(1), begun: .seconds(31), ended: .seconds(31)) == nil)
        #expect(machine.record.failingStreak == 1)
        #expect(machine.ended(result(0), begun: .seconds(61), ended: .seconds(61)) == nil)
        #expect(machine.record.failingStreak == 0)
    }

    @Test func startPeriodForgives() throws {
        var machine = HealthMachine(
            try schedule(retries: 2, startPeriod: .seconds(10), startInterval: .seconds(4)))
        let times = failing(&machine)
        // Declared probes at 4 and 8 s are forgiven, 12 and 13 s count.
        #expect(times.suffix(2) == [.seconds(12), .seconds(13)])
        machine = HealthMachine(try schedule(retries: 1, startPeriod: .seconds(10)))
        _ = machine.ended(result(0), begun: .zero, ended: .zero)
        // The first success ends the start period.
        #expect(machine.ended(result(1), begun: .seconds(1), ended: .seconds(1)) == .unhealthy)
    }

    @Test func goesOnWhereItWas() throws {
        var record = HealthRecord()
        record.status = .healthy
        record.failingStreak = 2
        var machine = HealthMachine(try schedule(), resuming: record, elapsed: .seconds(100))
        #expect(machine.next.at == .seconds(100))
        #expect(machine.ended(result(1), begun: .seconds(100), ended: .seconds(100)) == .unhealthy)
        #expect(machine.ended(result(0), begun: .seconds(101), ended: .seconds(101)) == .healthy)
    }
}

@Suite("Restart policies")
struct RestartMachineTests {
    private func delays(_ machine: inout RestartMachine, code: Int32 = 1, times: Int, ranFor: Duration = .zero)
        -> [Duration]
    {
        (0..<times).compactMap { _ in
            if case .restart(let delay) = machine.exited(code: code, ranFor: ranFor, onPurpose: false) {
                delay
            } else {
                nil
            }
        }
    }

    @Test func backsOff() {
        var machine = RestartMachine(.always)
        let waits = delays(&machine, code: 0, times: 12)
        #expect(waits.prefix(4) == [.milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800)])
        #expect(waits.suffix(2) == [.seconds(60), .seconds(60)])
        #expect(machine.count == 12)
        #expect(delays(&machine, times: 2, ranFor: .seconds(10)) == [.milliseconds(100), .milliseconds(100)])
    }

    @Test func onFailure() {
        var machine = RestartMachine(.onFailure(maximumRetries: 2))
        #expect(delays(&machine, code: 0, times: 1).isEmpty)
        #expect(delays(&machine, times: 5).count == 2)
        var restored = RestartMachine(.onFailure(maximumRetries: 2), count: 2)
        #expect(delays(&restored, times: 1).isEmpty)
        var unlimited = RestartMachine(.onFailure(maximumRetries: nil))
        #expect(delays(&unlimited, times: 50).count == 50)
    }

    @Test(arguments: [RestartPolicy.always, .unlessStopped, .onFailure(maximumRetries: nil), .no])
    func whatIsStoppedStaysStopped(policy: RestartPolicy) {
        var machine = RestartMachine(policy)
        #expect(machine.exited(code: 1, ranFor: .zero, onPurpose: true) == .stay)
        #expect((delays(&machine, times: 1).isEmpty) == (policy == .no))
    }
}
