import CLinux
import LinuxSystem
import OCI
import TestSupport
import Testing

@testable import Runtime

@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
@BlockingTests struct LaunchTerminalTests {
    let harness: LaunchHarness

    init() throws { harness = try LaunchHarness() }

    @Test func terminal() throws {
        let script =
            "test -t 0 && test -t 1 && test -t 2 && echo tty; stty size; readlink /proc/self/fd/0; "
            + "echo on console > /dev/console; ls /dev/pts; echo err >&2"
        let result = try harness.shell(script) {
            $0.spec.process?.terminal = true
            $0.terminalSize = TerminalSize(rows: 40, columns: 120)
        }
        #expect(
            result.stdout
                == "tty\r\n40 120\r\n/dev/pts/0\r\non console\r\n0     ptmx\r\nerr\r\n")
        #expect(result.exit.code == 0)
    }

    @Test func terminalOfAUser() throws {
        let result = try harness.shell("stat -c '%u %g %a' /dev/pts/0; echo x > /dev/tty") {
            $0.spec.process?.terminal = true
            $0.spec.process?.user.uid = 1000
        }
        #expect(result.stdout == "1000 5 620\r\nx\r\n")
    }

    @Test func standardOutputCanBeOpenedAgainByAUser() throws {
        let result = try harness.shell("echo again > /dev/stdout") { $0.spec.process?.user.uid = 1000 }
        #expect(result.stdout == "again\n")
    }

    @Test func stdinIsEmptyUnlessOpen() throws {
        #expect(try harness.shell("cat; echo end").stdout == "end\n")
    }

    @Test func attachedClientsSpeakAndHear() throws {
        var request = harness.request("sh", "-c", "read a; echo got $a; cat; echo error >&2; exit 9")
        request.openStdin = true
        _ = try ContainerRuntime.launch(request)
        let client = try ShimControl(runDirectory: harness.runDirectory)
        let other = try ShimControl(runDirectory: harness.runDirectory)
        try client.attach()
        try other.attach()
        try other.ping()
        #expect(try other.next() == .pong)
        try client.ping()
        #expect(try client.next() == .pong)
        try client.send(stdin: Array("hello\n".utf8))
        #expect(try client.next() == .stdout(Array("got hello\n".utf8)))
        try client.send(stdin: Array("rest".utf8))
        #expect(try client.next() == .stdout(Array("rest".utf8)))
        try client.closeStdin()
        #expect(try client.next() == .stderr(Array("error\n".utf8)))
        #expect(try client.next() == .exited(code: 9))
        var heard: [ShimControl.Event] = []
        repeat { heard.append(try other.next()) } while heard.last != .exited(code: 9)
        #expect(heard.count == 4)
        #expect(try harness.log().map(\.log) == ["got hello\n", "error\n", "rest"])
    }

    @Test func largeInputArrivesWhole() throws {
        var request = harness.request("sh", "-c", "sleep 0.2; wc -c")
        request.openStdin = true
        _ = try ContainerRuntime.launch(request)
        let client = try ShimControl(runDirectory: harness.runDirectory)
        try client.send(stdin: [UInt8](repeating: 65, count: 1_000_000))
        try client.closeStdin()
        _ = try harness.waitForExit()
        #expect(try harness.log().map(\.log) == ["1000000\n"])
    }

    @Test func slowClientIsDropped() throws {
        var request = harness.request("sh", "-c", "read a; seq 50000; read b")
        request.openStdin = true
        _ = try ContainerRuntime.launch(request)
        let client = try ShimControl(runDirectory: harness.runDirectory)
        try client.attach()
        try client.send(stdin: Array("go\n".utf8))
        let other = try ShimControl(runDirectory: harness.runDirectory)
        try harness.waitForLog(endingWith: "50000\\n")
        try other.send(stdin: Array("end\n".utf8))
        #expect(try harness.waitForExit().code == 0)
        #expect(try harness.log().count == 50_000)
        var last = ShimControl.Event.pong
        while last != .disconnected, last != .exited(code: 0) { last = (try? client.next()) ?? .disconnected }
        #expect(last == .disconnected)
    }

    @Test func resize() throws {
        var request = harness.request(
            "sh", "-c", "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done")
        request.spec.process?.terminal = true
        _ = try ContainerRuntime.launch(request)
        let client = try ShimControl(runDirectory: harness.runDirectory)
        try harness.waitForLog(endingWith: "ready")
        try client.resize(TerminalSize(rows: 50, columns: 300))
        _ = try harness.waitForExit()
        #expect(try harness.log().map(\.log) == ["ready\r\n", "50 300\r\n"])
    }
}
