/// How progress is shown.
public enum ProgressMode: Sendable, Equatable {
    case terminal, plain, json, quiet

    /// What `--progress` and `--ansi` come to.
    /// - Parameters:
    ///   - progress: the flag, or COMPOSE_PROGRESS; nil and `""` mean `auto`.
    ///   - ansi: `auto`, `always` or `never`.
    /// - Throws: ``InvalidProgress``.
    public static func resolve(
        progress: String?, ansi: String, isTerminal: Bool
    ) throws(InvalidProgress) -> ProgressMode {
        switch progress ?? "" {
        case "", "auto": return ansi == "never" || !isTerminal ? .plain : .terminal
        case "tty":
            guard ansi != "never" else {
                throw InvalidProgress("can't use --progress tty while ANSI support is disabled")
            }
            return .terminal
        case "plain":
            guard ansi != "always" else {
                throw InvalidProgress("can't use --progress plain while ANSI support is forced")
            }
            return .plain
        case "json": return .json
        case "quiet", "none": return .quiet
        case let other:
            throw InvalidProgress(
                "unsupported --progress value \"\(other)\" (known: auto, tty, plain, json, quiet)")
        }
    }
}

public struct InvalidProgress: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
