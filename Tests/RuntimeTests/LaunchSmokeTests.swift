import CLinux
import LinuxSystem
import OCI
import Testing

@testable import Runtime

extension LaunchTests {
    @Suite struct Basics {
        @Test func saysWhatItSaidAndExits() throws {
            let harness = try LaunchHarness()
            let result = try harness.run(harness.request("echo", "hello"))
            #expect(result.stdout == "hello\n")
            #expect(result.exit.code == 0)
            #expect(!result.exit.oom)
        }
    }
}

/// Everything here starts real containers, one at a time.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct LaunchTests {}
