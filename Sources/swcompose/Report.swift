internal import CLinux
internal import ComposeFile
internal import LinuxSystem
internal import Orchestration
internal import Rendering
internal import Synchronization

/// What the commands say on stderr besides progress.
enum Report {
    private static let json = Mutex(false)

    /// From now on errors are JSON objects, as `--progress json` asks.
    static func useJSON() { json.withLock { $0 = true } }

    static func error(_ text: String) {
        line(json.withLock { $0 } ? ProgressLines.json(error: text) : text)
    }

    static func warning(_ text: String) {
        line(json.withLock { $0 } ? ProgressLines.json(text: text) : "warning: \(text)")
    }

    /// A line that is neither.
    static func note(_ text: String) { line(text) }

    static func diagnostic(_ diagnostic: Diagnostic) {
        if diagnostic.severity == .error {
            error(text(of: diagnostic))
        } else {
            let isJSON = json.withLock { $0 }
            line(
                isJSON ? ProgressLines.json(text: diagnostic.rendered) : DiagnosticOutput.renderer().render(diagnostic))
        }
    }

    /// What has no place is told as Docker Compose tells it, with what would be right below.
    private static func text(of diagnostic: Diagnostic) -> String {
        if json.withLock({ $0 }) { return diagnostic.file == nil ? diagnostic.message : diagnostic.rendered }
        if diagnostic.file != nil { return DiagnosticOutput.renderer().render(diagnostic) }
        return diagnostic.message + (diagnostic.hint.map { "\n  hint: \($0)" } ?? "")
    }

    /// More errors than this in one run are counted only.
    private static let limit = 20

    /// Errors of files, after the warnings that may explain them.
    private static func files(_ error: ComposeFileError) {
        for diagnostic in error.warnings + error.diagnostics.prefix(limit) { self.diagnostic(diagnostic) }
        let rest = max(0, error.diagnostics.count - limit) + error.omitted
        if rest > 0 { self.error("and \(rest) more error\(rest == 1 ? "" : "s")") }
    }

    /// Prints an error and says with what code to exit.
    static func failure(_ error: any Error) -> Int32 {
        switch error {
        case let failure as Failure:
            self.error(failure.message)
            return failure.exitCode
        case let files as ComposeFileError:
            self.files(files)
        case let system as SystemError where system.errno == .permissionDenied && geteuid() != 0:
            self.error("\(system): containers are root's to run; try again with sudo")
        default: self.error(String(describing: error))
        }
        return 1
    }

    private static func line(_ text: String) {
        let output = OutputBuffer(2)
        output.write(text + "\n")
        output.flush()
    }
}
