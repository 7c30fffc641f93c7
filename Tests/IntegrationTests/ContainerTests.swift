import Foundation
import Testing

extension IntegrationTests {
    /// What a process finds around itself.
    @Suite struct Containers {
        private func output(_ service: String, files: [String: String] = [:], extra: String = "") throws -> [String] {
            var lines: [String] = []
            try Scenario.run(
                "services:\n  a:\n    image: busybox:test\n"
                    + service.split(separator: "\n").map { "    \($0)\n" }.joined() + extra,
                files: files
            ) { project in
                try project.succeed("up", "-d")
                try project.eventually("the command ended") { try project.state("a-1") == "exited" }
                lines = try project.succeed("logs", "--no-log-prefix").lines
            }
            return lines
        }

        @Test func capabilitiesAndSeccompAreDockers() throws {
            let status = try output("command: grep -E '^(Cap|Seccomp:|NoNewPrivs)' /proc/self/status")
            #expect(status.contains("CapEff:\t00000000a80425fb"))
            #expect(status.contains("CapBnd:\t00000000a80425fb"))
            #expect(status.contains("CapInh:\t0000000000000000"))
            #expect(status.contains("CapAmb:\t0000000000000000"))
            #expect(status.contains("Seccomp:\t2"))
            #expect(status.contains("NoNewPrivs:\t0"))
        }

        @Test func capabilitiesCanBeAddedAndDropped() throws {
            let status = try output(
                """
                command: grep -E '^(CapEff|NoNewPrivs)' /proc/self/status
                cap_drop: [ALL]
                cap_add: [NET_ADMIN]
                security_opt: ["no-new-privileges:true"]
                """)
            #expect(
                status == ["CapEff:\t0000000000001000", "NoNewPrivs:\t1"]
                    || status == ["NoNewPrivs:\t1", "CapEff:\t0000000000001000"])
        }

        @Test func userAndGroupsFromTheImage() throws {
            let lines = try output("user: app\ncommand: sh -c 'id; echo $$HOME; cd; pwd'")
            #expect(lines == ["uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)", "/home/app", "/home/app"])
        }

        @Test func unknownUserIsRefused() throws {
            try Scenario.run("services: { a: { image: 'busybox:test', user: nobody-here, command: id } }") { project in
                let up = try project.swcompose("up", "-d")
                #expect(up.status == 1)
                #expect(up.stderr.contains("unable to find user nobody-here"), "\(up)")
            }
        }

        @Test func readOnlyRootAndTmpfs() throws {
            let lines = try output(
                """
                read_only: true
                tmpfs: [/scratch]
                command: sh -c 'touch /x 2>/dev/null && echo writable; touch /scratch/x && echo scratch; touch /dev/shm/x && echo shm'
                """)
            #expect(lines == ["scratch", "shm"])
        }

        @Test func limitsArriveInTheCgroup() throws {
            try Scenario.run(
                """
                services:
                  a:
                    image: busybox:test
                    command: sleep 1000
                    stop_signal: SIGKILL
                    mem_limit: 64m
                    pids_limit: 20
                    ulimits: { nofile: { soft: 100, hard: 200 } }
                    shm_size: 8m
                    sysctls: { net.core.somaxconn: 321 }
                """
            ) { project in
                try project.succeed("up", "-d")
                let limits = try project.succeed(
                    "exec", "-T", "a", "sh", "-c",
                    "ulimit -n; cat /proc/sys/net/core/somaxconn; df -k /dev/shm | tail -1 | awk '{print $2}'")
                #expect(limits.lines == ["100", "321", "8192"], "\(limits)")
                let pid = try #require(try Scenario.execute(["pgrep", "-n", "-x", "sleep"]).lines.first)
                _ = pid
                let forks = try project.swcompose(
                    "exec", "-T", "a", "sh", "-c", "for i in $(seq 40); do sleep 2 & done; wait", timeout: 20)
                #expect(forks.status != 0 || forks.stderr.contains("fork"), "\(forks)")
            }
        }

        @Test func outOfMemoryIsReported() throws {
            try Scenario.run(
                """
                services:
                  a:
                    image: busybox:test
                    mem_limit: 16m
                    memswap_limit: 16m
                    command: sh -c 'tail /dev/zero'
                """
            ) { project in
                try project.succeed("up", "-d")
                try project.eventually("killed") { try project.state("a-1") == "exited" }
                #expect(try project.containers()["\(project.project)-a-1"]?["ExitCode"] as? Int == 137)
            }
        }

        @Test func secretsAndConfigs() throws {
            let lines = try output(
                """
                command: sh -c 'cat /run/secrets/pw; cat /etc/app.conf; stat -c %a /run/secrets/pw; stat -c "%a %u" /inline'
                secrets: [pw]
                configs:
                  - { source: conf, target: /etc/app.conf }
                  - { source: inline, target: /inline, mode: 0400, uid: "1000" }
                """,
                files: ["pw.txt": "hunter2\n", "app.conf": "setting=1\n"],
                extra: """
                    secrets: { pw: { file: ./pw.txt } }
                    configs:
                      conf: { file: ./app.conf }
                      inline: { content: "text" }

                    """)
            #expect(lines.prefix(2) == ["hunter2", "setting=1"])
            #expect(lines.last == "400 1000")
        }

        @Test func execIntoARunningContainer() throws {
            try Scenario.run(
                "services: { a: { image: 'busybox:test', command: sleep 1000, stop_signal: SIGKILL, environment: { A: b } } }"
            ) { project in
                try project.succeed("up", "-d")
                #expect(try project.succeed("exec", "-T", "a", "true").stdout.isEmpty)
                #expect(try project.swcompose("exec", "-T", "a", "sh", "-c", "exit 9").status == 9)
                #expect(try project.swcompose("exec", "-T", "a", "no-such").status == 127)
                let environment = try project.succeed(
                    "exec", "-T", "-e", "X=y", "-u", "app", "-w", "/tmp", "a", "sh", "-c", "echo $A $X $(id -u) $PWD")
                #expect(environment.stdout == "b y 1000 /tmp\n")
                let stopped = try project.swcompose("exec", "-T", "nothing", "true")
                #expect(stopped.status == 1)
            }
        }

        @Test func onlyTheStandardDescriptorsReachTheProcess() throws {
            let lines = try output("command: ls /proc/self/fd")
            // The fourth is ls reading the directory.
            #expect(lines == ["0", "1", "2", "3"])
        }
    }
}
