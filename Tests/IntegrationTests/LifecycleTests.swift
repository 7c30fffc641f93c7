import Foundation
import Testing

extension IntegrationTests {
    /// up, ps, logs, stop, start, restart, kill, rm, down: what a day with a project is made of.
    @Suite struct Lifecycle {
        @Test func upThenDown() throws {
            try Scenario.run(
                """
                services:
                  web:
                    image: busybox:test
                    command: sleep 1000
                    stop_signal: SIGKILL
                """
            ) { project in
                let before = Leftovers.anonymous()
                let up = try project.succeed("up", "-d")
                #expect(up.stdout.isEmpty)
                #expect(up.stderr.contains(" Network \(project.project)_default  Created"))
                #expect(up.stderr.contains(" Container \(project.project)-web-1  Started"))
                let container = try #require(try project.containers()["\(project.project)-web-1"])
                #expect(container["State"] as? String == "running")
                #expect(container["Service"] as? String == "web")

                let again = try project.succeed("up", "-d")
                #expect(again.stderr.contains(" Container \(project.project)-web-1  Running"))

                let down = try project.succeed("down")
                #expect(down.stderr.contains(" Container \(project.project)-web-1  Removed"))
                #expect(down.stderr.contains(" Network \(project.project)_default  Removed"))
                #expect(try project.containers().isEmpty)
                #expect(Leftovers.of(project: project.project).filter { !$0.contains("compose.yaml") } == [])
                #expect(Leftovers.anonymous().subtracting(before) == [])
            }
        }

        @Test func stopStartRestartKillRemove() throws {
            try Scenario.run(
                """
                services:
                  app:
                    image: busybox:test
                    init: true
                    command: sh -c 'echo run $$(cat /proc/sys/kernel/random/uuid); sleep 1000'
                """
            ) { project in
                try project.succeed("up", "-d")
                try project.succeed("stop", "-t", "2")
                #expect(try project.state("app-1") == "exited")
                try project.succeed("start")
                #expect(try project.state("app-1") == "running")
                try project.succeed("restart", "-t", "2")
                #expect(try project.state("app-1") == "running")
                let logs = try project.succeed("logs", "--no-log-prefix")
                #expect(Set(logs.lines).count == 3)
                try project.succeed("kill")
                try project.eventually("killed") { try project.state("app-1") == "exited" }
                #expect(try project.containers()["\(project.project)-app-1"]?["ExitCode"] as? Int == 137)
                try project.succeed("rm", "-f")
                #expect(try project.containers().isEmpty)
            }
        }

        @Test func exitCodesAreExact() throws {
            try Scenario.run(
                """
                services:
                  three: { image: "busybox:test", command: [sh, -c, exit 3] }
                  term: { image: "busybox:test", command: [sh, -c, "kill -TERM $$$$; sleep 5"], init: true }
                """
            ) { project in
                try project.succeed("up", "-d")
                try project.eventually("both exited") {
                    try project.state("three-1") == "exited" && project.state("term-1") == "exited"
                }
                let containers = try project.containers()
                #expect(containers["\(project.project)-three-1"]?["ExitCode"] as? Int == 3)
                #expect(containers["\(project.project)-term-1"]?["ExitCode"] as? Int == 143)
            }
        }

        @Test func commandThatDoesNotExist() throws {
            try Scenario.run(
                "services: { a: { image: 'busybox:test', command: [no-such-program] } }"
            ) { project in
                let up = try project.swcompose("up", "-d")
                #expect(up.status == 1, "\(up)")
                #expect(up.stderr.contains("no-such-program"))
                #expect(up.stderr.contains("executable file not found in $PATH"))
                #expect(try project.containers()["\(project.project)-a-1"]?["ExitCode"] as? Int == 127)
            }
        }

        @Test func attachedUpPrefixesAndReturnsWhenAllExit() throws {
            try Scenario.run(
                """
                services:
                  one: { image: "busybox:test", command: [sh, -c, "echo hello; echo oops >&2"] }
                  second: { image: "busybox:test", command: [sh, -c, "echo world; exit 4"] }
                """
            ) { project in
                let up = try project.succeed("up")
                #expect(up.stdout.contains("one-1     | hello"), "\(up)")
                #expect(up.stdout.contains("second-1  | world"))
                #expect(up.stdout.contains("second-1 exited with code 4"))
                #expect((up.stdout + up.stderr).contains("one-1     | oops"))
            }
        }

        @Test func abortOnContainerExitGivesItsCode() throws {
            try Scenario.run(
                """
                services:
                  stays: { image: "busybox:test", command: sleep 1000, stop_signal: SIGKILL }
                  leaves: { image: "busybox:test", command: [sh, -c, "sleep 0.2; exit 7"] }
                """
            ) { project in
                let up = try project.swcompose("up", "--abort-on-container-exit")
                #expect(up.status == 7, "\(up)")
                #expect(try project.state("stays-1") == "exited")
            }
        }

        @Test func interruptStopsInOrderAndExits130() throws {
            try Scenario.run(
                """
                services:
                  a: { image: "busybox:test", init: true, command: sh -c 'echo ready; sleep 1000' }
                """
            ) { project in
                let up = try project.start("up")
                try project.eventually("ready") { up.stdout.contains("ready") }
                up.send(SIGINT)
                let outcome = try up.outcome(timeout: 20)
                #expect(outcome.status == 130, "\(outcome)")
                #expect(try project.state("a-1") == "exited")
            }
        }

        @Test func scaleUpAndDown() throws {
            try Scenario.run(
                "services: { a: { image: 'busybox:test', command: sleep 1000, stop_signal: SIGKILL } }"
            ) { project in
                try project.succeed("up", "-d", "--scale", "a=3")
                #expect(try project.containers().count == 3)
                try project.succeed("up", "-d", "--scale", "a=1")
                #expect(try project.containers().keys.sorted() == ["\(project.project)-a-1"])
            }
        }

        @Test func changedServiceIsRecreatedAndOthersAreNot() throws {
            let yaml = { (level: String) in
                """
                services:
                  a: { image: "busybox:test", command: sleep 1000, stop_signal: SIGKILL, environment: { LEVEL: \(level) } }
                  b: { image: "busybox:test", command: sleep 1000, stop_signal: SIGKILL }
                """
            }
            try Scenario.run(yaml("info")) { project in
                try project.succeed("up", "-d")
                let before = try project.containers()
                try project.write("compose.yaml", yaml("debug"))
                let up = try project.succeed("up", "-d")
                #expect(up.stderr.contains("\(project.project)-a-1  Recreated"), "\(up)")
                let after = try project.containers()
                let a = "\(project.project)-a-1"
                let b = "\(project.project)-b-1"
                #expect(before[a]?["ID"] as? String != after[a]?["ID"] as? String)
                #expect(before[b]?["ID"] as? String == after[b]?["ID"] as? String)
                let level = try project.succeed("exec", "-T", "a", "sh", "-c", "echo $LEVEL")
                #expect(level.stdout == "debug\n")
            }
        }
    }
}
