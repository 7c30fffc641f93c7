internal import ArgumentParser

/// A command below the root. The words before its name have made the global flags.
protocol Command: ParsableCommand, Sendable {
    func run(_ flags: GlobalFlags) async throws
}

/// The root of the command line. Its own words and those of the command are parsed apart, because the same letter may
/// mean another thing on either side of the command's name (`-f`, `-v`).
struct Swcompose: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swcompose",
        abstract: "Define and run multi-container applications",
        usage: "swcompose [OPTIONS] COMMAND",
        subcommands: commands)

    static let commands: [any ParsableCommand.Type] = [
        ConfigCommand.self, CreateCommand.self, DownCommand.self, ExecCommand.self, ImageCommand.self,
        KillCommand.self, LoginCommand.self, LogoutCommand.self, LogsCommand.self, LsCommand.self, PsCommand.self,
        PullCommand.self, PushCommand.self, RestartCommand.self, RmCommand.self, StartCommand.self, StopCommand.self,
        SystemCommand.self, UpCommand.self, VersionCommand.self, SuperviseCommand.self,
    ]

    @OptionGroup var flags: GlobalFlags

    func run() throws {
        if flags.version { return VersionCommand.show(.pretty) }
        throw CleanExit.helpRequest(self)
    }

    static func command(named name: String) -> (any ParsableCommand.Type)? {
        commands.first { $0._commandName == name }
    }
}
