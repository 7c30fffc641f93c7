internal import ArgumentParser
internal import LocalEngine
internal import Orchestration
internal import Rendering

struct LsCommand: Command {
    static let about = CommandConfiguration(
        commandName: "ls", abstract: "List running compose projects", usage: "swcompose ls [OPTIONS]")

    @Flag(name: .shortAndLong, help: "Show all stopped Compose projects")
    var all = false
    @Option(parsing: .unconditionalSingleValue, help: "Filter output based on conditions provided (name=…)")
    var filter: [String] = []
    @Option(parsing: .unconditional, help: "Format the output. Values: [table | json].")
    var format = "table"
    @Flag(name: .shortAndLong, help: "Only display project names")
    var quiet = false

    func validate() throws {
        guard ["table", "json"].contains(format) else {
            throw ValidationError("format value \"\(format)\" could not be parsed: unsupported (known: table, json)")
        }
        _ = try names()
    }

    /// Parts of names, any of which will do; empty: all.
    /// - Throws: `ValidationError`.
    private func names() throws -> [String] {
        try filter.map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw ValidationError(
                    "invalid argument \"\(text)\" for \"--filter\" flag: bad format of filter (expected name=value)")
            }
            guard parts[0] == "name" else { throw ValidationError("invalid filter '\(parts[0])'") }
            return String(parts[1])
        }
    }

    func run(_ flags: GlobalFlags) throws {
        let session = try Session(flags)
        let wanted = try names()
        let running: Set<ObservedContainer.State> = [.running, .paused, .restarting]
        let projects = try session.store.projects().compactMap { project -> (String, String, String)? in
            guard wanted.isEmpty || wanted.contains(where: { Self.matches(project.name, $0) }) else { return nil }
            let states = project.containers.map(\.state).filter { all || running.contains($0) }
            guard !states.isEmpty else { return nil }
            return (
                project.name, ContainerTexts.combinedStatus(states), project.configFiles.joined(separator: ",")
            )
        }.sorted { $0.0 < $1.0 }

        let output = OutputBuffer(1)
        if quiet {
            for project in projects { output.write(project.0 + "\n") }
        } else if format == "json" {
            let list = projects.map {
                JSONText.object([("Name", .string($0.0)), ("Status", .string($0.1)), ("ConfigFiles", .string($0.2))])
            }
            output.write(JSONText.array(list).text + "\n")
        } else {
            var table = TextTable(header: ["NAME", "STATUS", "CONFIG FILES"], minimumWidth: 20)
            for project in projects { table.add([project.0, project.1, project.2]) }
            output.write(table.text)
        }
        output.flush()
    }

    /// As Docker's filters on names: the pattern may be found anywhere, and `^` and `$` hold it to the ends.
    private static func matches(_ name: String, _ pattern: String) -> Bool {
        let atStart = pattern.hasPrefix("^")
        let atEnd = pattern.hasSuffix("$")
        let core = String(pattern.dropFirst(atStart ? 1 : 0).dropLast(atEnd ? 1 : 0))
        switch (atStart, atEnd) {
        case (true, true): return name == core
        case (true, false): return name.hasPrefix(core)
        case (false, true): return name.hasSuffix(core)
        case (false, false):
            return core.isEmpty || name.indices.contains { name[$0...].hasPrefix(core) }
        }
    }
}
