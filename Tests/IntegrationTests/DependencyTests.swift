import Foundation
import Testing

extension IntegrationTests {
    /// depends_on and health checks.
    @Suite struct Dependencies {
        @Test func healthGatesTheDependant() throws {
            try Scenario.run(
                """
                services:
                  db:
                    image: busybox:test
                    command: sh -c 'sleep 0.5; touch /tmp/ready; sleep 1000'
                    stop_signal: SIGKILL
                    healthcheck: { test: [CMD, test, -f, /tmp/ready], interval: 30s }
                  app:
                    image: busybox:test
                    command: sleep 1000
                    stop_signal: SIGKILL
                    depends_on: { db: { condition: service_healthy } }
                """
            ) { project in
                let up = try project.succeed("up", "-d")
                // Probed eagerly: the declared interval of 30 s is not what `up` waits for.
                #expect(up.seconds < 10)
                #expect(up.stderr.contains("\(project.project)-db-1  Healthy"), "\(up)")
                let db = try #require(try project.containers()["\(project.project)-db-1"])
                #expect(db["Health"] as? String == "healthy")
                #expect((db["Status"] as? String)?.contains("(healthy)") == true)
            }
        }

        @Test func neverHealthyFailsTheUp() throws {
            try Scenario.run(
                """
                services:
                  db:
                    image: busybox:test
                    command: sleep 1000
                    stop_signal: SIGKILL
                    healthcheck: { test: "exit 1", interval: 100ms, retries: 2 }
                  app:
                    image: busybox:test
                    command: sleep 1000
                    depends_on: { db: { condition: service_healthy } }
                """
            ) { project in
                let up = try project.swcompose("up", "-d")
                #expect(up.status == 1)
                #expect(
                    up.stderr.contains(
                        "dependency failed to start: container \(project.project)-db-1 is unhealthy"), "\(up)")
                #expect(try project.state("app-1") != "running")
                #expect(try project.state("db-1") == "running")
            }
        }

        @Test func completedSuccessfully() throws {
            try Scenario.run(
                """
                services:
                  migrate:
                    image: busybox:test
                    command: sh -c 'sleep 0.3; echo done > /shared/done'
                    volumes: [shared:/shared]
                  app:
                    image: busybox:test
                    command: cat /shared/done
                    volumes: [shared:/shared]
                    depends_on: { migrate: { condition: service_completed_successfully } }
                volumes: { shared: {} }
                """
            ) { project in
                try project.succeed("up", "-d")
                try project.eventually("app ran") { try project.state("app-1") == "exited" }
                #expect(try project.succeed("logs", "--no-log-prefix", "app").stdout == "done\n")
            }
        }

        @Test func dependencyThatExitsWithOne() throws {
            try Scenario.run(
                """
                services:
                  migrate: { image: "busybox:test", command: [sh, -c, exit 1] }
                  app:
                    image: busybox:test
                    command: sleep 1000
                    depends_on: { migrate: { condition: service_completed_successfully } }
                """
            ) { project in
                let up = try project.swcompose("up", "-d")
                #expect(up.status == 1)
                #expect(up.stderr.contains("service \"migrate\" didn't complete successfully: exit 1"), "\(up)")
                #expect(try project.state("app-1") != "running")
            }
        }

        @Test func waitReturnsWhenHealthy() throws {
            try Scenario.run(
                """
                services:
                  a:
                    image: busybox:test
                    command: sh -c 'sleep 0.4; touch /tmp/ready; sleep 1000'
                    stop_signal: SIGKILL
                    healthcheck: { test: [CMD, test, -f, /tmp/ready], interval: 1s }
                """
            ) { project in
                try project.succeed("up", "--wait")
                #expect(try project.containers()["\(project.project)-a-1"]?["Health"] as? String == "healthy")
            }
        }

        @Test func waitFailsForWhatExits() throws {
            try Scenario.run(
                "services: { a: { image: 'busybox:test', command: [sh, -c, 'exit 5'] } }"
            ) { project in
                let up = try project.swcompose("up", "--wait")
                #expect(up.status == 1)
                #expect(up.stderr.contains("container \(project.project)-a-1 exited (5)"), "\(up)")
            }
        }

        @Test func restartPolicyOnFailure() throws {
            try Scenario.run(
                """
                services:
                  a:
                    image: busybox:test
                    command: sh -c 'echo x >> /count/runs; exit 1'
                    restart: on-failure:2
                    volumes: [count:/count]
                volumes: { count: {} }
                """
            ) { project in
                try project.succeed("up", "-d")
                let runs = "\(Scenario.dataRoot)/volumes/\(project.project)_count/_data/runs"
                try project.eventually("three runs") {
                    (try? String(contentsOfFile: runs, encoding: .utf8)) == "x\nx\nx\n"
                }
                usleep(800_000)
                #expect(try String(contentsOfFile: runs, encoding: .utf8) == "x\nx\nx\n")
                #expect(try project.state("a-1") == "exited")
            }
        }
    }
}
