import CLinux
import LinuxSystem
import Synchronization
import TestSupport
import Testing

@testable import Runtime

@Suite("Processes")
@BlockingTests struct ProcessTests {
    private func stat(name: String, state: String = "S", start: String = "4242") -> String {
        "7 (\(name)) \(state) " + (1...18).map(String.init).joined(separator: " ") + " \(start) 1 2"
    }

    @Test(
        "the start time is found whatever the program calls itself",
        arguments: [
            "sh", "a b", ") R 1 1", "x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 99 (", "x\u{0600}", "\u{FFFD}",
            "",
        ])
    func names(name: String) {
        #expect(
            ProcessIdentity.parse(stat: stat(name: name)) == ProcessIdentity.Stat(isZombie: false, startTime: 4242))
    }

    @Test("zombies are told from the living; damaged text is nothing")
    func states() {
        #expect(ProcessIdentity.parse(stat: stat(name: "sh", state: "Z"))?.isZombie == true)
        #expect(ProcessIdentity.parse(stat: "7 sh S 1 2") == nil)
        #expect(ProcessIdentity.parse(stat: "7 (sh) S 1 2") == nil)
        #expect(ProcessIdentity.parse(stat: stat(name: "sh", start: "x")) == nil)
        #expect(ProcessIdentity.parse(stat: "") == nil)
    }

    @Test("a process is the same only with its start time")
    func identity() throws {
        let child = try HeldProcess("sleep 100")
        let identity = try #require(ProcessIdentity(running: child.pid))
        let other = ProcessIdentity(pid: child.pid, startTime: identity.startTime + 1)
        #expect(identity.isAlive)
        #expect(!other.isAlive)
        #expect(try other.descriptor() == nil)
        #expect(try !other.signal(SIGKILL))
        #expect(try identity.signal(SIGKILL))
        #expect(child.exitCode() == 128 + SIGKILL)
        #expect(!identity.isAlive)
        #expect(try !identity.signal(SIGKILL))
        #expect(ProcessIdentity(running: child.pid) == nil)
    }

    final class Calls: Sendable {
        let count = Mutex(0)
        func add() { count.withLock { $0 += 1 } }
        var value: Int { count.withLock { $0 } }
    }

    @Test("exits are told once and children reaped, those that had ended before too", .timeLimit(.minutes(1)))
    func exits() throws {
        let watcher = try ExitWatcher()
        let calls = Calls()
        let children = try (0..<20).map { _ in try HeldProcess("exit 0") }
        let identities = try children.map { try #require(ProcessIdentity(running: $0.pid)) }
        for identity in identities.dropLast() { try watcher.watch(identity) { calls.add() } }
        #expect(calls.value == 0)
        for child in children { child.go() }
        #expect(Waiting.until(seconds: 10) { calls.value == 19 })
        // Ended, but not yet reaped.
        #expect(Waiting.until(seconds: 10) { !identities[19].isAlive })
        try watcher.watch(identities[19]) { calls.add() }
        #expect(calls.value == 20)
        for child in children { #expect(waitpid(child.pid, nil, WNOHANG) == -1 && swc_errno() == ECHILD) }
    }

    @Test("an old number is no reason to reap the child that has it now")
    func reuse() throws {
        let child = try HeldProcess("exit 5")
        let identity = try #require(ProcessIdentity(running: child.pid))
        child.go()
        #expect(Waiting.until(seconds: 10) { !identity.isAlive })
        let calls = Calls()
        try ExitWatcher().watch(ProcessIdentity(pid: child.pid, startTime: identity.startTime - 1)) { calls.add() }
        #expect(calls.value == 1)
        #expect(child.exitCode() == 5)
    }

    @Test("what a run directory says")
    func status() throws {
        let run = "/tmp/swcompose-run-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        defer { try? Files.removeTree(run) }
        try Files.makeDirectories(run)
        func put(_ name: String, _ text: String) throws { try Files.replace("\(run)/\(name)", with: Array(text.utf8)) }
        #expect(try ContainerProcesses.status(runDirectory: run) == .gone)
        #expect(try !ContainerProcesses.signal(runDirectory: run, SIGTERM))

        let container = try HeldProcess("sleep 100")
        let shim = try HeldProcess("exit 0")
        let (one, two) = (
            try #require(ProcessIdentity(running: container.pid)), try #require(ProcessIdentity(running: shim.pid))
        )
        try put("pid", "\(one.pid) \(one.startTime) \(two.pid) \(two.startTime)\n")
        #expect(try ContainerProcesses.status(runDirectory: run) == .running(pid: one.pid))
        #expect(try ContainerProcesses.signal(runDirectory: run, SIGKILL))
        #expect(container.exitCode() == 128 + SIGKILL)
        // The shim is about to write its record.
        #expect(try ContainerProcesses.status(runDirectory: run) == .running(pid: one.pid))
        shim.go()
        #expect(shim.exitCode() == 0)
        #expect(try ContainerProcesses.status(runDirectory: run) == .gone)
        try put("exit", #"{"pid":\#(one.pid),"code":137,"oom":true,"finished":1700000000.5}"#)
        #expect(
            try ContainerProcesses.status(runDirectory: run)
                == .exited(ExitFile(pid: one.pid, code: 137, oom: true, finished: 1_700_000_000.5)))
        try put("pid", "1 2 3\n")
        #expect(try ContainerProcesses.processes(runDirectory: run) == nil)
    }
}
