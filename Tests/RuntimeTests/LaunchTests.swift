import CLinux
import LinuxSystem
import OCI
import SystemPackage
import TestSupport
import Testing

@testable import Runtime

/// Everything here starts real containers, one at a time.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
@BlockingTests struct LaunchTests {
    let harness: LaunchHarness

    init() throws { harness = try LaunchHarness() }

    @Test func saysWhatItSaidAndExits() throws {
        let result = try harness.run(harness.request("echo", "hello <&> \"you\""))
        #expect(result.stdout == "hello <&> \"you\"\n")
        #expect(result.exit.code == 0)
        #expect(!result.exit.oom)
        let text = try Files.readString(harness.logPath)
        #expect(text.hasPrefix(#"{"log":"hello \u003c\u0026\u003e \"you\"\n","stream":"stdout","time":"20"#))
        #expect(!Files.exists("\(harness.runDirectory)/shim.sock"))
    }

    @Test(arguments: [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 0), ("sh -c 'kill -9 $$'; exit $?", 137)])
    func exitCode(script: String, code: Int32) throws {
        // PID 1 of a namespace cannot kill itself; its child can.
        #expect(try harness.shell(script).exit.code == code)
    }

    @Test func killedFromOutside() throws {
        let container = try ContainerRuntime.launch(harness.request("sleep", "60"))
        #expect(
            try ContainerProcesses.status(runDirectory: harness.runDirectory)
                == .running(pid: container.pid))
        #expect(
            try Files.readString("\(harness.runDirectory)/pid")
                == "\(container.pid) \(container.pidStartTime) \(container.shimPid) \(container.shimStartTime)\n")
        try ContainerProcesses.signal(runDirectory: harness.runDirectory, SIGKILL)
        #expect(try harness.waitForExit().code == 137)
        #expect(try !ContainerProcesses.signal(runDirectory: harness.runDirectory, SIGKILL))
    }

    @Test func missingProgram() throws {
        let error = try #require(launchError("nothere"))
        #expect(error.description == "exec: \"nothere\": executable file not found in $PATH")
        #expect(error.exitCode == 127)
        #expect(try ContainerProcesses.status(runDirectory: harness.runDirectory) == .gone)
        let absolute = try #require(launchError("/bin/nothere"))
        #expect(absolute.description == "exec: \"/bin/nothere\": stat /bin/nothere: no such file or directory")
        #expect(absolute.exitCode == 127)
    }

    @Test func programWithoutPermission() throws {
        try Files.replace("\(harness.root)/bin/plain", with: Array("#!/bin/sh\n".utf8), mode: 0o644)
        let error = try #require(launchError("plain"))
        #expect(error.description == "exec: \"plain\": permission denied")
        #expect(error.exitCode == 126)
        let directory = try #require(launchError("/etc"))
        #expect(directory.exitCode == 126)
    }

    @Test func programWithoutInterpreter() throws {
        try Files.replace("\(harness.root)/bin/script", with: Array("#!/bin/nothere\n".utf8), mode: 0o755)
        let error = try #require(launchError("script"))
        #expect(error.description.contains("interpreter"))
        #expect(error.exitCode == 127)
    }

    private func launchError(_ arguments: String...) -> LaunchError? {
        var request = harness.request()
        request.spec.process?.args = arguments
        do {
            _ = try ContainerRuntime.launch(request)
            return nil
        } catch {
            return error
        }
    }

    @Test func stepThatFailsIsNamed() throws {
        var request = harness.request("true")
        request.spec.mounts.append(.init(destination: "/data", type: "bind", source: "/nothere", options: ["rbind"]))
        #expect(throws: LaunchError.self) { try ContainerRuntime.launch(request) }
        do { _ = try ContainerRuntime.launch(request) } catch {
            #expect(
                "\(error)" == "invalid mount config for type \"bind\": bind source path does not exist: /nothere")
        }
        request.spec.mounts[6] = .init(destination: "/etc", type: "bind", source: "/bin/busybox", options: ["bind"])
        do { _ = try ContainerRuntime.launch(request) } catch {
            #expect("\(error)".hasPrefix("mount /etc: not a directory"))
        }
    }

    @Test func callerThatThrowsLeavesNothing() throws {
        struct NoNetwork: Error {}
        var pid: Int32 = 0
        #expect(throws: LaunchError.self) {
            try ContainerRuntime.launch(harness.request("sleep", "60")) {
                pid = $0
                throw NoNetwork()
            }
        }
        #expect(pid > 0 && kill(pid, 0) == -1)
        #expect(try ContainerProcesses.status(runDirectory: harness.runDirectory) == .gone)
    }

    @Test func programWaitsForTheCaller() throws {
        _ = try ContainerRuntime.launch(harness.request("true")) { pid in
            usleep(50_000)
            let name = try Files.readString("/proc/\(pid)/comm")
            #expect(name.hasPrefix("swcompose-shim") || !name.isEmpty && name != "true\n")
        }
        #expect(try harness.waitForExit().code == 0)
    }

    @Test func signalsArePassedOnAndZombiesReapedByInit() throws {
        // Orphans of the inner shell end before the outer one looks.
        let script =
            "trap 'echo bye; exit 5' TERM; (sh -c 'true & exit' ); sleep 0.2; ps -o stat,comm; echo ready; "
            + "while :; do sleep 0.05; done"
        var request = harness.request("sh", "-c", script)
        request.initProcess = true
        _ = try ContainerRuntime.launch(request)
        try harness.waitForLog(endingWith: "ready\\n")
        try ContainerProcesses.signal(runDirectory: harness.runDirectory, SIGTERM)
        #expect(try harness.waitForExit().code == 5)
        let lines = try harness.log().map(\.log)
        #expect(lines.contains { $0.contains("docker-init") })
        #expect(!lines.contains { $0.hasPrefix("Z") })
        // The whole process group gets the signal, so the sleep may be reported, too.
        #expect(lines.contains("bye\n"))
    }

    @Test func initReportsAMissingProgram() throws {
        var request = harness.request("nothere")
        request.initProcess = true
        #expect(try harness.run(request).exit.code == 127)
        #expect(try harness.log().map(\.log) == ["exec: \"nothere\": executable file not found in $PATH\n"])
    }

    @Test func survivesItsSpawner() async throws {
        let base = harness.base
        await #expect(processExitsWith: .signal(SIGKILL)) { [base = base as String] in
            let harness = try LaunchHarness(existing: base)
            _ = try ContainerRuntime.launch(harness.request("sh", "-c", "sleep 0.3; echo alive; exit 4"))
            kill(getpid(), SIGKILL)
        }
        #expect(try harness.waitForExit().code == 4)
        #expect(try harness.log().map(\.log) == ["alive\n"])
    }

    @Test func spawnerThatDiesDuringLaunchTakesItAlong() async throws {
        let base = harness.base
        await #expect(processExitsWith: .signal(SIGKILL)) { [base = base as String] in
            let harness = try LaunchHarness(existing: base)
            _ = try ContainerRuntime.launch(harness.request("sleep", "60")) { _ in kill(getpid(), SIGKILL) }
        }
        for _ in 0..<200 where Files.exists("\(harness.runDirectory)/pid") { usleep(10_000) }
        #expect(try ContainerProcesses.status(runDirectory: harness.runDirectory) == .gone)
    }

    @Test func shimIsSmall() throws {
        let container = try ContainerRuntime.launch(harness.request("sleep", "60"))
        let descriptors = try Files.list("/proc/\(container.shimPid)/fd").count
        #expect(descriptors <= 12)
        let lines = try Files.readString("/proc/\(container.shimPid)/smaps_rollup").split(separator: "\n")
        let pss = try #require(lines.first { $0.hasPrefix("Pss:") }?.split(separator: " ").dropFirst().first)
        let kibibytes = try #require(Int(pss))
        #expect(kibibytes < 1024)
    }

    @Test(arguments: [false, true])
    func shimCannotBeOverwritten(asCopy: Bool) throws {
        let file = "\(harness.base)/shim"
        try Files.replace(file, with: Files.read(LaunchHarness.shimPath), mode: 0o755)
        let binary = try ShimBinary(path: file, forceCopy: asCopy)
        // As CVE-2019-5736 does it: hold on to what a process runs until it runs no more.
        let descriptor = swc_open(binary.executablePath, O_WRONLY, 0)
        var error = swc_errno()
        if descriptor >= 0 {
            // A sealed file may be opened so, but not written.
            #expect(write(descriptor, "x", 1) == -1)
            error = swc_errno()
            close(descriptor)
        }
        #expect(error == (asCopy ? EPERM : EROFS))
    }
}
