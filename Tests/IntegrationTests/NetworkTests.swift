import Foundation
import Testing

extension IntegrationTests {
    /// Names, published ports and isolation.
    @Suite struct Networks {
        static let answering = "httpd -f -p 80 -h /srv"

        @Test func servicesFindEachOtherByName() throws {
            try Scenario.run(
                """
                services:
                  web:
                    image: busybox:test
                    command: sh -c 'mkdir /srv; echo found > /srv/index.html; exec httpd -f -p 80 -h /srv'
                    stop_signal: SIGKILL
                    networks: { default: { aliases: [other-name] } }
                  client: { image: "busybox:test", command: sleep 1000, stop_signal: SIGKILL }
                """
            ) { project in
                try project.succeed("up", "-d")
                for name in ["web", "other-name", "\(project.project)-web-1", "web.\(project.project)_default"] {
                    let got = try project.swcompose(
                        "exec", "-T", "client", "timeout", "5", "wget", "-qO-", "http://\(name)/")
                    #expect(got.stdout == "found\n", "\(name): \(got)")
                }
                let unknown = try project.swcompose(
                    "exec", "-T", "client", "timeout", "5", "nslookup", "no-such-service.invalid")
                #expect(unknown.status != 0)
            }
        }

        @Test func replicasAreAllFound() throws {
            try Scenario.run(
                """
                services:
                  web: { image: "busybox:test", command: sleep 1000, stop_signal: SIGKILL, deploy: { replicas: 3 } }
                """
            ) { project in
                try project.succeed("up", "-d")
                let answer = try project.succeed("exec", "-T", "web", "nslookup", "web")
                let addresses = Set(answer.lines.filter { $0.hasPrefix("Address") && !$0.contains("127.0.0.11") })
                #expect(addresses.count == 3, "\(answer)")
            }
        }

        @Test func publishedPortIsReachable() throws {
            try Scenario.run(
                """
                services:
                  web:
                    image: busybox:test
                    command: sh -c 'mkdir /srv; echo published > /srv/index.html; exec httpd -f -p 80 -h /srv'
                    stop_signal: SIGKILL
                    ports: ["80"]
                """
            ) { project in
                try project.succeed("up", "-d")
                let container = try #require(try project.containers()["\(project.project)-web-1"])
                let publishers = try #require(container["Publishers"] as? [[String: Any]])
                let port = try #require(publishers.first?["PublishedPort"] as? Int)
                for address in ["127.0.0.1", "localhost", "[::1]"] {
                    let got = try Scenario.execute(["curl", "-sS", "-m", "5", "http://\(address):\(port)/"])
                    #expect(got.stdout == "published\n", "\(address): \(got)")
                }
                // From the container itself, through the host's address.
                let inside = try project.succeed(
                    "exec", "-T", "web", "sh", "-c",
                    "gateway=$(ip route | awk '/^default/ {print $3}'); timeout 5 wget -qO- http://$gateway:\(port)/")
                #expect(inside.stdout == "published\n")
            }
        }

        @Test func takenPortNamesItsHolder() throws {
            let holder = try Scenario.started([
                "python3", "-c",
                """
                import socket, time
                s = socket.socket(); s.bind(("0.0.0.0", 0)); s.listen(); print(s.getsockname()[1], flush=True); time.sleep(60)
                """,
            ])
            defer { holder.send(SIGKILL) }
            while holder.stdout.isEmpty { usleep(10_000) }
            let port = holder.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
            try Scenario.run(
                "services: { a: { image: 'busybox:test', command: sleep 1000, ports: ['\(port):80'] } }"
            ) { project in
                let up = try project.swcompose("up", "-d")
                #expect(up.status == 1)
                #expect(
                    up.stderr.contains("port") && up.stderr.contains(port) && up.stderr.contains("already allocated"),
                    "\(up)")
                #expect(up.stderr.contains("python3") && up.stderr.contains("\(holder.pid)"), "\(up)")
                #expect(try project.state("a-1") != "running")
            }
        }

        @Test func networksAreIsolated() throws {
            try Scenario.run(
                """
                services:
                  inner:
                    image: busybox:test
                    command: sh -c 'mkdir /srv; echo secret > /srv/index.html; exec httpd -f -p 80 -h /srv'
                    stop_signal: SIGKILL
                    networks: { back: { ipv4_address: 10.213.7.10 } }
                  outer: { image: "busybox:test", command: sleep 1000, stop_signal: SIGKILL, networks: [front] }
                  both: { image: "busybox:test", command: sleep 1000, stop_signal: SIGKILL, networks: [front, back] }
                networks:
                  front: {}
                  back: { internal: true, ipam: { config: [{ subnet: 10.213.7.0/24 }] } }
                """
            ) { project in
                try project.succeed("up", "-d")
                let reached = try project.swcompose(
                    "exec", "-T", "both", "timeout", "3", "wget", "-qO-", "http://inner/")
                #expect(reached.stdout == "secret\n", "\(reached)")
                let barred = try project.swcompose(
                    "exec", "-T", "outer", "timeout", "2", "wget", "-qO-", "http://10.213.7.10/")
                #expect(barred.status != 0)
                let unnamed = try project.swcompose("exec", "-T", "outer", "timeout", "5", "nslookup", "inner")
                #expect(unnamed.status != 0, "a name of another network resolves: \(unnamed)")
                let route = try project.succeed("exec", "-T", "inner", "ip", "route")
                #expect(!route.stdout.contains("default"))
            }
        }

        @Test func hostAndNoNetwork() throws {
            try Scenario.run(
                """
                services:
                  host: { image: "busybox:test", network_mode: host, command: readlink /proc/self/ns/net }
                  none: { image: "busybox:test", network_mode: none, command: ip -o link }
                """
            ) { project in
                try project.succeed("up", "-d")
                try project.eventually("both done") {
                    try project.state("host-1") == "exited" && project.state("none-1") == "exited"
                }
                let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
                #expect(try project.succeed("logs", "--no-log-prefix", "host").stdout == own + "\n")
                let links = try project.succeed("logs", "--no-log-prefix", "none").lines
                #expect(links.count == 1 && links[0].contains("lo:"))
            }
        }
    }
}
