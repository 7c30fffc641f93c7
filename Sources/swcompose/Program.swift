internal import ArgumentParser
internal import CLinux
internal import Glibc
internal import Rendering

/// Where the process begins: reads the arguments, runs the command, turns errors into one text on stderr and an exit
/// code.
@main
enum Program {
    static func main() async {
        exit(await run(Array(CommandLine.arguments.dropFirst())))
    }

    private static func run(_ words: [String]) async -> Int32 {
        let line: CommandLineWords
        do { line = try CommandLineWords(words) } catch { return Report.failure(error) }
        var type: any ParsableCommand.Type = Swcompose.self
        do {
            guard let name = line.command else {
                try Swcompose.parse(line.global).run()
                return 0
            }
            let flags = try Swcompose.globalFlags(line.global)
            type = try line.commandType(name)
            guard let command = try type.parseAsRoot(line.arguments) as? any Command else {
                // `image` alone, which only leads to others.
                output(type.helpMessage())
                return 0
            }
            do { try await command.run(flags) } catch { throw Failed(error: error) }
            return 0
        } catch let failed as Failed {
            return end(failed.error)
        } catch let error as UnknownCommand {
            output(Swcompose.helpMessage())
            Report.error(error.description)
            return 1
        } catch {
            return usage(error, of: type)
        }
    }

    /// An error of a command that runs, as against one of the words that were to start it.
    private struct Failed: Error { let error: any Error }

    private static func end(_ error: any Error) -> Int32 {
        (error as? ExitStatus)?.code ?? Report.failure(error)
    }

    /// Help is no error; everything else that is wrong with a command line is, and exits with 1 as Docker Compose does.
    private static func usage(_ error: any Error, of type: any ParsableCommand.Type) -> Int32 {
        if type.exitCode(for: error) == .success {
            output(type.fullMessage(for: error))
            return 0
        }
        Report.error(UsageText.docker(type.message(for: error)))
        return 1
    }

    private static func output(_ text: String) {
        let stdout = OutputBuffer(1)
        stdout.write(text + "\n")
        stdout.flush()
    }
}

/// Ends the process with this code; everything there was to say has been said.
struct ExitStatus: Error, Equatable {
    let code: Int32
    /// By a signal.
    static let interrupted = ExitStatus(code: 130)
}
