internal import ComposeFile
internal import LinuxSystem
internal import Rendering
internal import Synchronization

/// How diagnostics are shown on stderr: in colours or not, and how wide.
enum DiagnosticOutput {
    private static let ansi = Mutex("auto")

    /// As `--ansi` or `COMPOSE_ANSI` say.
    static func setANSI(_ value: String) { ansi.withLock { $0 = value } }

    /// What `NO_COLOR` switches off, `--ansi always` does not switch on.
    static func renderer(for descriptor: Int32 = 2) -> DiagnosticRenderer {
        let mode = ansi.withLock { $0 }
        let isTerminal = Terminal.isTerminal(descriptor)
        let isWanted = mode == "always" || (mode != "never" && isTerminal)
        let width = isTerminal ? Terminal.size(descriptor)?.columns ?? 120 : 120
        return DiagnosticRenderer(width: width, colour: isWanted && !isNoColour)
    }

    private static var isNoColour: Bool {
        // A process that cannot read its own environment has said so before.
        let variables = try? HostEnvironment.variables()
        return !(variables?["NO_COLOR"] ?? "").isEmpty
    }
}
