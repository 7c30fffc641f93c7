import Foundation
import Testing

extension IntegrationTests {
    /// What a user gets who made a mistake.
    @Suite struct Errors {
        @Test func mistakeInLineSeven() throws {
            try Scenario.run(
                """
                services:
                  a:
                    image: busybox:test
                    environment:
                      A: b
                    command: sleep 1
                    helthcheck: { test: "true" }
                """
            ) { project in
                let up = try project.swcompose("up", "-d")
                #expect(up.status == 1)
                #expect(up.stderr.contains("compose.yaml:7:5"), "\(up)")
                #expect(up.stderr.contains("helthcheck") && up.stderr.contains("healthcheck"))
                try project.write("compose.yaml", "services: {}")
            }
        }

        @Test func missingImage() throws {
            try Scenario.run("services: { a: { image: 'no-such-image:1', pull_policy: never } }") { project in
                let up = try project.swcompose("up", "-d")
                #expect(up.status == 1)
                #expect(up.stderr.contains("no-such-image:1") && up.stderr.contains("image import"), "\(up)")
                #expect(try project.containers().isEmpty)
                try project.write("compose.yaml", "services: { a: { image: '127.0.0.1:1/no-such-image:1' } }")
                let unreachable = try project.swcompose("up", "-d")
                #expect(unreachable.status == 1)
                #expect(
                    unreachable.stderr.contains(
                        "service \"a\": cannot reach 127.0.0.1:1: Connection refused"), "\(unreachable)")
                #expect(try project.containers().isEmpty)
            }
        }

        @Test func unknownServiceAndFlag() throws {
            try Scenario.run("services: { a: { image: 'busybox:test' } }") { project in
                let unknown = try project.swcompose("up", "-d", "nope")
                #expect(unknown.status == 1)
                #expect(unknown.stderr.contains("no such service: nope"))
                let flag = try project.swcompose("up", "--no-such-flag")
                #expect(flag.status == 1)
                #expect(flag.stderr.contains("no-such-flag"))
            }
        }

        @Test func noFile() throws {
            let empty = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent("empty\(getpid())")
            try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: empty) }
            let up = try Scenario.swcompose(["up"], in: empty)
            #expect(up.status == 1)
            #expect(up.stderr.contains("no configuration file provided: not found"))
        }
    }
}
