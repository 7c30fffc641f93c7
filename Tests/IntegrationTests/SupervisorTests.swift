import Foundation
import Testing

extension IntegrationTests {
    /// Containers outlive their supervisor.
    @Suite struct Supervisors {
        @Test func killedSupervisorLosesNothing() throws {
            try Scenario.run(
                """
                services:
                  counter:
                    image: busybox:test
                    command: sh -c 'i=0; while :; do echo line $$i; i=$$((i+1)); sleep 0.02; done'
                    stop_signal: SIGKILL
                    healthcheck: { test: "exit 0", interval: 1s }
                  leaver:
                    image: busybox:test
                    command: sh -c 'sleep 1; exit 42'
                """
            ) { project in
                try project.succeed("up", "-d", "--wait-timeout", "10")
                let before = try project.containers()
                let supervisors = try project.supervisors()
                #expect(supervisors.count == 1)
                kill(try #require(supervisors.first), SIGKILL)
                // The one that leaves does so while nobody watches.
                usleep(1_500_000)
                #expect(try project.state("leaver-1") == "exited")
                #expect(try project.state("counter-1") == "running")
                try project.succeed("up", "-d", "--no-recreate", "counter")
                let after = try project.containers()
                let counter = "\(project.project)-counter-1"
                #expect(before[counter]?["ID"] as? String == after[counter]?["ID"] as? String)
                #expect(after["\(project.project)-leaver-1"]?["ExitCode"] as? Int == 42)
                let numbers = try project.succeed("logs", "--no-log-prefix", "counter").lines
                    .compactMap { Int($0.dropFirst("line ".count)) }
                #expect(numbers.count > 50)
                #expect(numbers == Array(0..<numbers.count))
                try project.eventually("healthy again") {
                    try project.containers()[counter]?["Health"] as? String == "healthy"
                }
                // Names are answered again.
                let found = try project.swcompose("exec", "-T", "counter", "timeout", "5", "nslookup", "counter")
                #expect(found.status == 0, "\(found)")
            }
        }

        @Test func supervisorGoesWithItsProject() throws {
            try Scenario.run(
                "services: { a: { image: 'busybox:test', command: sleep 1000, stop_signal: SIGKILL } }"
            ) { project in
                try project.succeed("up", "-d")
                #expect(try project.supervisors().count == 1)
                try project.succeed("down")
                try project.eventually("gone", within: 3) { try project.supervisors().isEmpty }
            }
        }
    }
}
