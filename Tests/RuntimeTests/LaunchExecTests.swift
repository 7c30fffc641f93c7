import CLinux
import LinuxSystem
import OCI
import TestSupport
import Testing

@testable import Runtime

@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
@BlockingTests struct LaunchExecTests {
    let harness: LaunchHarness

    init() throws {
        harness = try LaunchHarness()
        _ = try ContainerRuntime.launch(harness.request("sleep", "60"))
    }

    private func exec(
        _ script: String, change: (inout ExecLaunch) -> Void = { _ in }
    ) throws -> (code: Int32, output: String) {
        let pipe = try OwnedDescriptor.pipe()
        let null = try OwnedDescriptor.open("/dev/null", O_RDONLY)
        var request = ExecLaunch(
            runDirectory: harness.runDirectory, process: LaunchHarness.process(["sh", "-c", script]),
            stdio: .descriptors(input: null.raw, output: pipe.write.raw, error: pipe.write.raw))
        change(&request)
        let handle = try ContainerRuntime.exec(request)
        let code = handle.wait()
        fcntlNonBlocking(pipe.read.raw)
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(pipe.read.raw, &buffer, buffer.count)
            if count <= 0 { break }
            output += buffer[0..<count]
        }
        return (code, String(decoding: output, as: UTF8.self))
    }

    private func fcntlNonBlocking(_ descriptor: Int32) { _ = swc_fcntl_int(descriptor, F_SETFL, O_NONBLOCK) }

    @Test func runsInside() throws {
        let result = try exec("hostname; cat /proc/1/comm; pwd; exit 7")
        #expect(result.code == 7)
        #expect(result.output == "box\nsleep\n/\n")
    }

    @Test func identity() throws {
        let result = try exec("grep -E '^(Cap|Uid|NoNew|Seccomp:)' /proc/self/status; echo $VAR; pwd; ls /proc/self/fd")
        {
            $0.process.user.uid = 1000
            $0.process.noNewPrivileges = true
            $0.process.env.append("VAR=value")
            $0.process.cwd = "/etc"
            $0.seccomp = [0x06, 0, 0, 0, 0x00, 0x00, 0xFF, 0x7F]
        }
        let zero = "0000000000000000"
        #expect(
            result.output
                == "Uid:\t1000\t1000\t1000\t1000\nCapInh:\t\(zero)\nCapPrm:\t\(zero)\nCapEff:\t\(zero)\n"
                + "CapBnd:\t00000000a80425fb\nCapAmb:\t\(zero)\nNoNewPrivs:\t1\nSeccomp:\t2\nvalue\n/etc\n0\n1\n2\n3\n")
    }

    @Test func killedExecIsReported() throws {
        #expect(try exec("kill -9 $$").code == 137)
    }

    @Test func missingProgramAndDirectory() throws {
        #expect(throws: LaunchError.self) { try exec("") { $0.process.args = ["nothere"] } }
        do { _ = try exec("") { $0.process.args = ["nothere"] } } catch let error as LaunchError {
            #expect(error.description == "exec: \"nothere\": executable file not found in $PATH")
            #expect(error.exitCode == 127)
        }
        for directory in ["/nothere", "/proc/self/fd/3", "/proc/self/fd/5", "/proc/self/fd/7"] {
            #expect(throws: LaunchError.self) { try exec("pwd") { $0.process.cwd = directory } }
        }
    }

    @Test func terminal() throws {
        let request = ExecLaunch(
            runDirectory: harness.runDirectory,
            process: LaunchHarness.process(["sh", "-c", "readlink /proc/self/fd/0; stty size; read a; echo $a; exit 2"]
            ),
            stdio: .terminal(TerminalSize(rows: 30, columns: 90)))
        let handle = try ContainerRuntime.exec(request)
        let master = try #require(handle.terminal)
        #expect(write(master.raw, "typed\n", 6) == 6)
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(master.raw, &buffer, buffer.count)
            if count <= 0 { break }
            text += String(decoding: buffer[0..<count], as: UTF8.self)
        }
        #expect(handle.wait() == 2)
        // The echo of what was typed comes when it comes.
        #expect(text.replacing("typed\r\n", with: "") == "/dev/pts/0\r\n30 90\r\n")
    }

    @Test func killAndHangUpEndIt() throws {
        func sleeper() throws -> ExecHandle {
            let null = try OwnedDescriptor.open("/dev/null", O_RDWR)
            return try ContainerRuntime.exec(
                ExecLaunch(
                    runDirectory: harness.runDirectory,
                    process: LaunchHarness.process(["sh", "-c", "sleep 60; true"]),
                    stdio: .descriptors(input: null.raw, output: null.raw, error: null.raw)))
        }
        let handle = try sleeper()
        handle.kill()
        #expect(handle.wait() == 137)
        var pid: Int32 = 0
        do {
            let forgotten = try sleeper()
            pid = forgotten.pid
            #expect(kill(pid, 0) == 0)
        }
        for _ in 0..<300 where ProcessIdentity(running: pid)?.startTime != nil { usleep(10_000) }
        #expect(ProcessIdentity(running: pid)?.startTime == nil)
        // Its children, too: only the container's own program is left (and the shell that looks).
        var sleepers = ""
        for _ in 0..<100 where sleepers != "1\n" { sleepers = try exec("ps -o comm | grep -c sleep").output }
        #expect(sleepers == "1\n")
    }

    @Test func notRunning() throws {
        try ContainerProcesses.signal(runDirectory: harness.runDirectory, SIGKILL)
        _ = try harness.waitForExit()
        do {
            _ = try exec("true")
            Issue.record("exec in a container that has ended")
        } catch let error as LaunchError {
            #expect(error.description == "the container is not running")
        }
    }
}
