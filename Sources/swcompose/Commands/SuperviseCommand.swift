internal import ArgumentParser
internal import LinuxSystem
internal import Supervision

/// What the supervisor process of a project runs. Started by other commands, not by people.
struct SuperviseCommand: Command {
    static let about = CommandConfiguration(
        commandName: "supervise", abstract: "Look after a project's containers", shouldDisplay: false)

    @Option var project: String

    func run(_ flags: GlobalFlags) async throws {
        try await SupervisorMain.run(project: project, paths: .standard(), version: VersionCommand.reference)
    }
}
