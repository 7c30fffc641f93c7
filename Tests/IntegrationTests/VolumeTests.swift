import Foundation
import Testing

extension IntegrationTests {
    @Suite struct Volumes {
        @Test func namedVolumeIsFilledKeptAndRemoved() throws {
            try Scenario.run(
                """
                services:
                  a:
                    image: busybox:test
                    command: sh -c 'cat /data/seed; stat -c "%a %u" /data; echo more >> /data/seed; sleep 1000'
                    stop_signal: SIGKILL
                    volumes: [kept:/data]
                volumes: { kept: {} }
                """
            ) { project in
                try project.succeed("up", "-d")
                try project.eventually("written") { try project.succeed("logs", "--no-log-prefix").lines.count >= 2 }
                #expect(try project.succeed("logs", "--no-log-prefix").lines == ["from-the-image", "750 1000"])
                try project.succeed("down")
                let data = "\(Scenario.dataRoot)/volumes/\(project.project)_kept/_data/seed"
                #expect(try String(contentsOfFile: data, encoding: .utf8) == "from-the-image\nmore\n")
                try project.succeed("up", "-d")
                try project.eventually("seen again") {
                    try project.succeed("logs", "--no-log-prefix").lines.contains("more")
                }
                let down = try project.succeed("down", "-v")
                #expect(down.stderr.contains(" Volume \(project.project)_kept  Removed"))
                #expect(!FileManager.default.fileExists(atPath: data))
            }
        }

        @Test func bindMounts() throws {
            try Scenario.run(
                """
                services:
                  a:
                    image: busybox:test
                    command: sh -c 'cat /in/file; touch /in/x 2>/dev/null || echo read-only; echo out > /made/file'
                    volumes:
                      - ./in:/in:ro
                      - ./made/on/demand:/made
                """,
                files: ["in/file": "bound\n"]
            ) { project in
                try project.succeed("up", "-d")
                try project.eventually("ended") { try project.state("a-1") == "exited" }
                #expect(try project.succeed("logs", "--no-log-prefix").lines == ["bound", "read-only"])
                let made = project.directory.appendingPathComponent("made/on/demand/file")
                #expect(try String(contentsOf: made, encoding: .utf8) == "out\n")
            }
        }

        @Test func anonymousVolumeSurvivesRecreation() throws {
            try Scenario.run(
                """
                services:
                  a:
                    image: busybox:test
                    command: sh -c 'cat /anon/note; echo kept > /anon/note; sleep 1000'
                    stop_signal: SIGKILL
                    volumes: [/anon]
                """
            ) { project in
                try project.succeed("up", "-d")
                try project.eventually("first run wrote") {
                    try project.swcompose("exec", "-T", "a", "test", "-s", "/anon/note").status == 0
                }
                try project.succeed("up", "-d", "--force-recreate")
                try project.eventually("second run read") {
                    try project.succeed("logs", "--no-log-prefix").lines.contains("kept")
                }
                try project.succeed("up", "-d", "--force-recreate", "-V")
                usleep(300_000)
                #expect(try !project.succeed("logs", "--no-log-prefix").lines.contains("kept"))
            }
        }
    }
}
