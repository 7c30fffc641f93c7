internal import ArgumentParser
internal import ComposeFile
internal import LocalEngine
internal import Orchestration
internal import Rendering

struct PsCommand: Command {
    static let about = CommandConfiguration(
        commandName: "ps", abstract: "List containers", usage: "swcompose ps [OPTIONS] [SERVICE...]")
    private static let states = ["paused", "restarting", "removing", "running", "dead", "created", "exited"]

    @Flag(name: .shortAndLong, help: "Show all stopped containers (including those created by the run command)")
    var all = false
    @Option(parsing: .unconditional, help: "Filter services by a property (supported filters: status)")
    var filter: String?
    @Option(
        parsing: .unconditional,
        help: "Format output: 'table', 'table TEMPLATE', 'json' or a Go template of simple fields")
    var format = "table"
    @Flag(help: "Don't truncate output")
    var noTrunc = false
    @Flag(inversion: .prefixedNo, help: "Include orphaned services (not declared by project)")
    var orphans = true
    @Flag(name: .shortAndLong, help: "Only display IDs")
    var quiet = false
    @Flag(help: "Display services")
    var services = false
    @Option(
        parsing: .unconditionalSingleValue,
        help: "Filter services by status. Values: [paused | restarting | removing | running | dead | created | exited]")
    var status: [String] = []
    @Argument var service: [String] = []

    func validate() throws { _ = try wantedStates() }

    /// - Throws: `ValidationError`.
    private func wantedStates() throws -> Set<String> {
        var wanted = Set(status)
        if let filter {
            let parts = filter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw ValidationError("arguments to --filter should be in form KEY=VAL")
            }
            guard parts[0] == "status" else { throw ValidationError("unknown filter \(parts[0])") }
            wanted.insert(String(parts[1]))
        }
        if let unknown = wanted.first(where: { !Self.states.contains($0) }) {
            throw ValidationError("unknown status \"\(unknown)\" (known: \(Self.states.joined(separator: ", ")))")
        }
        return wanted
    }

    func run(_ flags: GlobalFlags) throws {
        let session = try Session(flags)
        let target = try ProjectTarget.find(session, services: service)
        let states = try wantedStates()
        var containers = try target.containers(session, services: service, oneOffs: true).containers
        if service.isEmpty, !orphans, let project = target.project {
            containers = containers.filter { $0.service.map { project.services[$0] != nil } ?? false }
        }
        containers = containers.filter { container in
            if !states.isEmpty { return states.contains(container.state.rawValue) }
            return all || [.running, .paused, .restarting].contains(container.state)
        }
        containers.sort { $0.spec.name < $1.spec.name }

        let output = OutputBuffer(1)
        if quiet {
            for container in containers { output.write(container.id.value + "\n") }
        } else if services {
            var seen: Set<String> = []
            for name in containers.compactMap(\.service) where seen.insert(name).inserted { output.write(name + "\n") }
        } else {
            let now = HostClock.now()
            let rows = containers.map { ContainerRow($0, now: now, truncate: !noTrunc) }
            output.write(try ContainerListing.render(rows, format: format))
        }
        output.flush()
    }
}
