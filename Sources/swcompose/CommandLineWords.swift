internal import ArgumentParser
internal import Orchestration

/// A command line taken apart: global flags, command, what is the command's. Flags are brought into the form that
/// ArgumentParser knows (`--flag=true` it does not).
struct CommandLineWords: Equatable {
    var global: [String]
    /// nil: there is none.
    var command: String?
    var arguments: [String]

    /// - Throws: ``Failure`` for a switch whose value is neither true nor false.
    init(_ words: [String]) throws {
        let index = Self.commandIndex(words) ?? words.count
        global = try words[..<index].filter { $0 != "--" }.flatMap(Self.normalise)
        guard index < words.count else {
            command = nil
            arguments = []
            return
        }
        command = words[index]
        arguments = []
        for position in (index + 1)..<words.count {
            let word = words[position]
            // What follows `exec`'s service is not ours.
            let isService = command == "exec" && !word.hasPrefix("-") && !Self.takesNext(words[position - 1])
            if isService || word == "--" {
                arguments += words[position...]
                return
            }
            arguments += try Self.normalise(word)
        }
        if command == "help", let topic = arguments.first, !topic.hasPrefix("-") {
            command = topic
            arguments = ["--help"]
        } else if command == "help" {
            command = nil
            global = ["--help"]
            arguments = []
        }
    }

    /// - Throws: ``UnknownCommand``; `ValidationError` for a command that is not done yet.
    func commandType(_ name: String) throws -> any ParsableCommand.Type {
        if let type = Swcompose.command(named: name) { return type }
        if Self.pending.contains(name) { throw ValidationError("the command \"\(name)\" is not done yet") }
        throw UnknownCommand(name: name)
    }

    /// Global flags that take a value.
    private static let valued: Set<String> = [
        "-f", "--file", "-p", "--project-name", "--project-directory", "--env-file", "--profile", "--ansi",
        "--progress", "--parallel", "--workdir",
    ]
    /// Commands of Docker Compose that are still to come.
    private static let pending: Set<String> = [
        "alpha", "attach", "bridge", "build", "commit", "cp", "events", "export", "images", "pause", "port", "publish",
        "pull", "push", "run", "scale", "stats", "top", "unpause", "volumes", "wait", "watch",
    ]
    /// Flags without a value, of all commands. None of these names takes a value elsewhere.
    private static let switches: Set<String> = [
        "abort-on-container-exit", "abort-on-container-failure", "all", "all-resources", "always-recreate-deps",
        "attach-dependencies", "build", "compatibility", "detach", "dry-run", "environment", "follow", "force",
        "force-recreate", "images", "lock-image-digests", "models", "menu", "networks", "no-ansi",
        "no-build", "no-color", "no-consistency", "no-deps", "no-env-resolution", "no-interpolate", "no-log-prefix",
        "no-normalize", "no-path-resolution", "no-recreate", "no-start", "no-trunc", "no-tty", "no-TTY", "privileged",
        "profiles", "quiet", "quiet-build", "quiet-pull", "remove-orphans", "renew-anon-volumes",
        "resolve-image-digests", "services", "short", "stop", "timestamps", "variables", "verbose", "version",
        "volumes", "wait", "watch", "yes",
    ]
    /// Those that are on unless said otherwise.
    private static let onByDefault: Set<String> = ["orphans", "interactive", "tty"]

    /// Index of the command among `words`; nil where there is none.
    private static func commandIndex(_ words: [String]) -> Int? {
        var index = 0
        while index < words.count {
            let word = words[index]
            if !word.hasPrefix("-") || word == "-" { return index }
            if word == "--" { return index + 1 < words.count ? index + 1 : nil }
            index += valued.contains(word) ? 2 : 1
        }
        return nil
    }

    /// Flags of `exec` whose value is the next word.
    private static func takesNext(_ flag: String) -> Bool {
        ["-e", "--env", "-u", "--user", "-w", "--workdir", "--index"].contains(flag)
    }

    private static func normalise(_ word: String) throws -> [String] {
        guard word.hasPrefix("--"), let equals = word.firstIndex(of: "=") else { return [word] }
        let name = String(word[word.index(word.startIndex, offsetBy: 2)..<equals])
        guard switches.contains(name) || onByDefault.contains(name) else { return [word] }
        let text = String(word[word.index(after: equals)...])
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": return ["--\(name)"]
        case "0", "f", "F", "false", "FALSE", "False": return onByDefault.contains(name) ? ["--no-\(name)"] : []
        default:
            throw Failure(
                "invalid argument \"\(text)\" for \"--\(name)\" flag: strconv.ParseBool: parsing \"\(text)\": invalid syntax"
            )
        }
    }
}

struct UnknownCommand: Error, CustomStringConvertible {
    let name: String
    var description: String { "unknown docker command: \"compose \(name)\"" }
}
