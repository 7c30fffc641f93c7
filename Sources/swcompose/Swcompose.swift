internal import ArgumentParser

/// A command below the root. The words before its name have made the global flags.
protocol Command: ParsableCommand, Sendable {
    /// Name, abstract and usage.
    static var about: CommandConfiguration { get }
    func run(_ flags: GlobalFlags) async throws
}

extension Command {
    static var configuration: CommandConfiguration { about.belowRoot }
}

extension CommandConfiguration {
    /// As that of a command below another. At each parse of a root command ArgumentParser looks whether a completion
    /// script is asked for, and of what that takes it builds half of all it builds at a start.
    var belowRoot: CommandConfiguration {
        var configuration = self
        configuration._superCommandName = "swcompose"
        return configuration
    }
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
        KillCommand.self, LintCommand.self, LoginCommand.self, LogoutCommand.self, LogsCommand.self, LsCommand.self,
        PsCommand.self, PullCommand.self, PushCommand.self, RestartCommand.self, RmCommand.self, StartCommand.self,
        StopCommand.self, SystemCommand.self, UpCommand.self, VersionCommand.self, SuperviseCommand.self,
    ]

    @OptionGroup var options: GlobalOptions

    func run() throws {
        if options.version { return VersionCommand.show(.pretty) }
        throw CleanExit.helpRequest(self)
    }

    /// The flags in front of a command.
    static func globalFlags(_ words: [String]) throws -> GlobalFlags {
        if words.isEmpty { return GlobalFlags() }
        // The root's own parser knows all commands, which takes its time: only where there is something to be said.
        do { return try Flags.parse(words).options.flags } catch {
            _ = try parse(words)
            throw error
        }
    }

    private struct Flags: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "swcompose").belowRoot
        @OptionGroup var options: GlobalOptions
    }

    static func command(named name: String) -> (any ParsableCommand.Type)? {
        commands.first { $0._commandName == name }
    }
}
