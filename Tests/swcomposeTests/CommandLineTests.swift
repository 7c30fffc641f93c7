import ArgumentParser
import ComposeFile
import Orchestration
import Testing

@testable import swcompose

@Suite struct CommandLineTests {
    @Test func theSameLetterMayMeanAnotherThingOnEitherSide() throws {
        let line = try CommandLineWords(["-f", "a.yaml", "-p", "up", "logs", "-f", "-n5", "web"])
        #expect(line.global == ["-f", "a.yaml", "-p", "up"])
        #expect(line.command == "logs")
        let logs = try LogsCommand.parse(line.arguments)
        #expect(logs.follow && logs.tail == "5" && logs.services == ["web"])
        #expect(try Swcompose.globalFlags(line.global).projectName == "up")
    }

    @Test(arguments: [
        (["up", "--detach=true"], ["--detach"]), (["up", "--wait=false"], []),
        (["ps", "--orphans=false"], ["--no-orphans"]),
        (["up", "--scale=web=2"], ["--scale=web=2"]),
        (["exec", "-T", "-e", "A", "web", "ls", "--all=true"], ["-T", "-e", "A", "web", "ls", "--all=true"]),
        (["up", "--", "--wait=1"], ["--", "--wait=1"]), (["help", "up"], ["--help"]),
    ])
    func switchesWithValues(words: [String], arguments: [String]) throws {
        #expect(try CommandLineWords(words).arguments == arguments)
    }

    @Test func helpOfExec() throws {
        for word in ["-h", "--help"] {
            let error = #expect(throws: (any Error).self) { try ExecCommand.parse([word]) }
            #expect(ExecCommand.fullMessage(for: try #require(error)).contains("swcompose exec [OPTIONS] SERVICE"))
        }
    }

    @Test func commands() throws {
        #expect(throws: UnknownCommand.self) { try CommandLineWords(["nonsense"]).commandType("nonsense") }
        #expect(throws: ValidationError.self) { try CommandLineWords(["run"]).commandType("run") }
        #expect(try CommandLineWords(["up"]).commandType("up") == UpCommand.self)
        #expect(throws: Failure.self) { try CommandLineWords(["up", "--wait=maybe"]) }
    }

    /// What Docker Compose says to flags that do not go together.
    @Test(arguments: [
        (["--build", "--no-build"], "--build and --no-build are incompatible"),
        (["--force-recreate", "--no-recreate"], "--force-recreate and --no-recreate are incompatible"),
        (["--no-recreate", "-V"], "--no-recreate and --renew-anon-volumes are incompatible"),
        (["--no-recreate", "--always-recreate-deps"], "--always-recreate-deps and --no-recreate are incompatible"),
        (
            ["--abort-on-container-exit", "--abort-on-container-failure"],
            "--abort-on-container-failure cannot be combined with --abort-on-container-exit"
        ),
        (
            ["-d", "--exit-code-from", "web"],
            "--detach cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, "
                + "--attach-dependencies or --watch"
        ),
        (
            ["--wait", "--attach", "web"],
            "--wait cannot be combined with --abort-on-container-exit, --attach or --attach-dependencies"
        ),
        (["--no-build", "--watch"], "--no-build and --watch are incompatible"),
        (["--attach", "a", "--attach-dependencies"], "cannot combine --attach and --attach-dependencies"),
        (["--build"], "--build is not done yet"), (["--watch"], "--watch is not done yet"),
        (["--menu"], "--menu is not done yet"), (["--pull", "build"], "--pull build is not done yet"),
        (["--scale", "web"], "invalid --scale option \"web\". Should be SERVICE=NUM"),
        (["--scale", "web=-1"], "invalid --scale option \"web=-1\". Should be SERVICE=NUM"),
        (["--foo"], "unknown flag: --foo"), (["-Q"], "unknown shorthand flag: 'Q' in -Q"),
        (["--timeout"], "flag needs an argument: --timeout"), (["-t"], "flag needs an argument: 't' in -t"),
        (["-t", "x"], "invalid argument \"x\" for \"-t\" flag: invalid syntax"),
    ])
    func refusedByUp(words: [String], text: String) {
        expectRefusal(UpCommand.self, words, text)
    }

    @Test func acceptedByUp() throws {
        _ = try UpCommand.parse(["-d", "--wait", "--no-build", "--no-menu", "--pull", "missing", "-t", "-1", "-y"])
        let up = try UpCommand.parse(["--exit-code-from", "web", "--abort-on-container-failure", "--scale", "a=2", "a"])
        #expect(try up.creation.scales() == ["a": 2])
    }

    @Test func refusedElsewhere() {
        expectRefusal(LogsCommand.self, ["--index", "1"], "--index requires one service to be selected")
        expectRefusal(
            LogsCommand.self, ["-n", "x"], "invalid argument \"x\" for \"-n, --tail\" flag: want a number or \"all\"")
        expectRefusal(PsCommand.self, ["--filter", "status"], "arguments to --filter should be in form KEY=VAL")
        expectRefusal(PsCommand.self, ["--filter", "name=x"], "unknown filter name")
        expectRefusal(DownCommand.self, ["--rmi", "some"], "invalid value for --rmi: \"some\"")
        expectRefusal(ExecCommand.self, ["web"], "requires at least 2 arg(s), only received 1")
        expectRefusal(ExecCommand.self, ["--bogus", "web", "ls"], "unknown flag: --bogus")
        expectRefusal(ConfigCommand.self, ["--resolve-image-digests"], "--resolve-image-digests is not done yet")
        expectRefusal(Swcompose.self, ["--dry-run"], "--dry-run is not done yet")
    }

    private func expectRefusal(
        _ command: any ParsableCommand.Type, _ words: [String], _ text: String,
        location: SourceLocation = #_sourceLocation
    ) {
        do {
            _ = try command.parseAsRoot(words)
            Issue.record("accepted \(words)", sourceLocation: location)
        } catch {
            #expect(UsageText.docker(command.message(for: error)) == text, sourceLocation: location)
        }
    }

    @Test func whatFollowsTheServiceBelongsToTheCommand() throws {
        let exec = try ExecCommand.parse(["-T", "-e", "A=1", "-eB", "--user=root", "web", "ls", "-h", "--", "-T"])
        #expect(exec.noTty && exec.env == ["A=1", "B"] && exec.user == "root")
        #expect(exec.words == ["web", "ls", "-h", "--", "-T"])
    }

    @Test func serviceArguments() throws {
        let known = ["web", "web2", "db"]
        #expect(try ServiceSelection.expand(["web*"], among: known) == ["web", "web2"])
        #expect(try ServiceSelection.expand([], among: known) == [])
        #expect(throws: NoSuchService(name: "x", known: known)) {
            try ServiceSelection.expand(["db", "x"], among: known)
        }
        #expect(throws: NoSuchService(name: "x*", known: known)) { try ServiceSelection.expand(["x*"], among: known) }
    }

    @Test func dependenciesAreFollowed() {
        var project = Project()
        for (name, needs) in [("web", ["api"]), ("api", ["db"]), ("db", []), ("other", [])] {
            var service = Service()
            service.name = name
            for need in needs { service.dependsOn[need] = Dependency() }
            project.services[name] = service
        }
        #expect(ServiceSelection.withDependencies(["web"], in: project) == ["web", "api", "db"])
        #expect(ServiceSelection.withDependencies([], in: project).count == 4)
    }
}
