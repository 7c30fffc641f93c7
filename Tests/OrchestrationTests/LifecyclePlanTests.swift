import ComposeFile
import Testing

@testable import Orchestration

@Suite("Plans of down, start, stop, restart, kill and rm")
struct LifecyclePlanTests {
    private let stack = project(
        service("db") { $0.healthcheck = healthcheck() }, service("api", dependsOn: ["db": dependency(.healthy)]),
        service("web", dependsOn: ["api": dependency(restart: true)]))

    private func lines(_ plan: Plan) -> [String] { plan.description.split(separator: "\n").map(String.init) }

    private func down(
        _ project: Project?, _ observed: ObservedProject, _ change: (inout DownOptions) -> Void = { _ in }
    ) throws -> [String] {
        var options = DownOptions()
        change(&options)
        return lines(try Planner.down(project: project, name: "p", observed: observed, options: options))
    }

    private static let everythingDown = [
        "0 stop container p-web-1 (down)", "1 stop container p-api-1 (down) after 0",
        "2 stop container p-db-1 (down) after 1", "3 remove container p-web-1 (down) after 0",
        "4 remove container p-api-1 (down) after 1", "5 remove container p-db-1 (down) after 2",
        "6 remove network p_default (down) after 3, 4, 5",
    ]

    @Test func downGoesAgainstTheDependencies() throws {
        let observed = try deployed(stack)
        #expect(try down(stack, observed) == Self.everythingDown)
        // Without a file the labels tell the same.
        #expect(try down(nil, observed) == Self.everythingDown)
    }

    @Test func downOfNothing() throws {
        #expect(
            try down(stack, ObservedProject()) == ["warning: No resource found to remove for project \"p\"."])
    }

    @Test func downWithVolumesAndImages() throws {
        var stack = project(
            service("db") {
                var mount = Mount()
                mount.source = "data"
                mount.target = "/data"
                $0.volumes = [mount]
            })
        var volume = Volume()
        volume.key = "data"
        volume.name = "p_data"
        stack.volumes["data"] = volume
        var observed = try deployed(stack, state: .exited)
        observed.volumes.append(ObservedVolume(name: "f00d", labels: [Label.project: "p"]))
        observed.containers[0].anonymousVolumes = ["/tmp": "f00d"]
        #expect(
            try down(stack, observed) {
                $0.volumes = true
                $0.removeImages = .all
            } == [
                "0 remove container p-db-1 and its volumes (down)", "1 remove network p_default (down) after 0",
                "2 remove volume p_data (down --volumes) after 0", "3 remove image img (down --rmi all) after 0",
            ])
        #expect(try down(stack, observed) { $0.removeImages = .local }.count == 2)
    }

    @Test func inactiveProfilesKeepTheirNetwork() throws {
        let observed = try deployed(stack, state: .exited)
        var without = stack
        without.services["web"] = nil
        without.disabledServices["web"] = stack.services["web"]
        let plan = try down(without, observed)
        #expect(!plan.contains { $0.contains("p-web-1") })
        #expect(plan.last == "2 network p_default Resource is still in use (down)")
    }

    @Test func downOfOneServiceTakesWhatDependsOnIt() throws {
        let plan = try down(stack, deployed(stack)) { $0.services = ["api"] }
        #expect(plan.contains { $0.contains("remove container p-web-1") })
        #expect(!plan.contains { $0.contains("p-db-1") })
        #expect(plan.last == "4 network p_default Resource is still in use (down)")
    }

    @Test func downTakesOneOffsAndOnRequestOrphans() throws {
        var observed = try deployed(project(service("web"), service("gone")))
        var oneOff = observed.containers[0]
        oneOff.id = containerID("run")
        oneOff.spec.name = "p-web-run-1"
        oneOff.spec.labels[Label.oneOff] = "True"
        observed.containers.append(oneOff)
        let model = project(service("web"))
        let plan = try down(model, observed)
        #expect(plan.contains { $0.contains("remove container p-web-run-1 (one-off container)") })
        #expect(!plan.contains { $0.contains("container p-gone-1") })
        #expect(plan.last?.hasPrefix("warning: Found orphan containers ([p-gone-1])") == true)
        #expect(
            try down(model, observed) { $0.removeOrphans = true }
                .contains { $0.contains("remove container p-gone-1 (orphan)") })
    }

    @Test func startHonoursConditions() throws {
        let observed = try deployed(stack, state: .exited)
        #expect(
            lines(try Planner.start(project: stack, observed: observed, services: ["web"])) == [
                "0 start container p-db-1 (start)", "1 wait for db healthy (needed by api) after 0",
                "2 start container p-api-1 (start) after 1", "3 start container p-web-1 (start) after 2",
            ])
        #expect(throws: Failure("service \"db\" has no container to start")) {
            try Planner.start(project: stack, observed: ObservedProject(), services: ["db"])
        }
    }

    @Test func stopKeepsTheOrderOverAGap() throws {
        #expect(
            lines(try Planner.stop(project: stack, observed: deployed(stack), services: ["web", "db"], timeout: nil))
                == ["0 stop container p-web-1 (stop)", "1 stop container p-db-1 (stop) after 0"])
        #expect(throws: Failure("no such service: x")) {
            try Planner.stop(project: stack, observed: deployed(stack), services: ["x"], timeout: nil)
        }
    }

    @Test func restartTakesDependantsThatAskForIt() throws {
        func restart(_ name: String, noDeps: Bool = false) throws -> [String] {
            lines(
                try Planner.restart(
                    project: stack, observed: deployed(stack), services: [name], timeout: nil, noDeps: noDeps))
        }
        #expect(
            try restart("api") == [
                "0 restart container p-api-1 (restart)", "1 restart container p-web-1 (restart) after 0",
            ])
        #expect(try restart("api", noDeps: true).count == 1)
        #expect(try restart("db") == ["0 restart container p-db-1 (restart)"])
    }

    @Test func killAndRemove() throws {
        var observed = try deployed(stack)
        observed.containers[0].state = .exited
        let kill = try Planner.kill(
            project: stack, observed: observed, services: [], signal: "SIGKILL", removeOrphans: false)
        #expect(
            lines(kill) == [
                "0 kill container p-db-1 with SIGKILL (kill)", "1 kill container p-web-1 with SIGKILL (kill)",
            ])
        let remove = try Planner.remove(project: stack, observed: observed, services: [], stop: false, volumes: true)
        #expect(lines(remove) == ["0 remove container p-api-1 and its volumes (rm)"])
        let none = try Planner.remove(
            project: stack, observed: deployed(stack), services: [], stop: false, volumes: false)
        #expect(lines(none) == ["warning: No stopped containers"])
    }
}
