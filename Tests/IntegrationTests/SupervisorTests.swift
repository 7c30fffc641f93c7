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
                try project.killSupervisor()
                // The one that leaves does so while nobody watches.
                usleep(1_500_000)
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

        @Test func killedSupervisorIsStartedAgain() throws {
            try Scenario.run(
                "services: { a: { image: 'busybox:test', command: sleep 1000, stop_signal: SIGKILL, restart: always } }"
            ) { project in
                try project.succeed("up", "-d")
                let first = try #require(try project.supervisors().first)
                // Straight into the container, past everything that would start one.
                let asks = [
                    "nsenter", "-t", "\(try project.processID("a-1"))", "-n", "-m",
                    "/bin/busybox", "timeout", "5", "nslookup", "a",
                ]
                #expect(try Scenario.execute(asks).status == 0)
                kill(first, SIGKILL)
                try project.eventually("another supervisor") {
                    try project.supervisors().contains { $0 != first }
                }
                try project.eventually("names answered") { try Scenario.execute(asks).status == 0 }
                #expect(try project.watchers().count == 1)
            }
        }

        @Test func commandsThatAskNobodyBringTheSupervisorBack() throws {
            try Scenario.run(
                "services: { a: { image: 'busybox:test', command: sleep 1000, stop_signal: SIGKILL } }"
            ) { project in
                try project.succeed("up", "-d")
                for command in [["ps"], ["exec", "-T", "a", "true"], ["logs"]] {
                    try project.killSupervisor()
                    #expect(try project.swcompose(command).status == 0)
                    try project.eventually("supervisor back after \(command[0])") {
                        try project.supervisors().count == 1
                    }
                    // Another finds it there.
                    #expect(try project.swcompose(command).status == 0)
                    #expect(try project.supervisors().count == 1)
                }
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
