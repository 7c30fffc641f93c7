internal import LinuxSystem

/// What goes wrong while nobody waits for an answer is said in the supervisor's log, which is its standard error.
enum EngineLog {
    static func write(_ text: String) {
        try? Files.writeAll(2, Array("\(text)\n".utf8), subject: "log")
    }

    /// Does what has to be done whether or not it succeeds.
    static func attempt(_ what: String, _ body: () throws -> Void) {
        do { try body() } catch { write("\(what): \(error)") }
    }
}
