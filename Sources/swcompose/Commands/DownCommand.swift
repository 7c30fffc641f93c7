internal import ArgumentParser
internal import Orchestration

struct DownCommand: Command {
    static let about = CommandConfiguration(
        commandName: "down", abstract: "Stop and remove containers, networks",
        usage: "swcompose down [OPTIONS] [SERVICES]")

    @OptionGroup var orphans: OrphanOption
    @OptionGroup var stopTimeout: TimeoutOption
    @Option(
        parsing: .unconditional,
        help:
            "Remove images used by services. \"local\" remove only images that don't have a custom tag (\"local\"|\"all\")"
    )
    var rmi: String?
    @Flag(
        name: [.customShort("v"), .customLong("volumes")],
        help: "Remove named volumes declared in the \"volumes\" section of the Compose file and anonymous volumes")
    var volumes = false
    @Argument var services: [String] = []

    func validate() throws {
        if let rmi, !["local", "all"].contains(rmi) {
            throw ValidationError("invalid value for --rmi: \"\(rmi)\"")
        }
    }

    func run(_ flags: GlobalFlags) async throws {
        let session = try Session(flags)
        let orphans = try orphans.resolve(session)
        let target = try ProjectTarget.find(session, services: services)
        var options = DownOptions()
        options.services = try target.containers(session, services: services).services
        options.volumes = volumes
        options.removeImages = rmi.map { $0 == "all" ? .all : .local } ?? .none
        options.removeOrphans = orphans.remove
        options.ignoreOrphans = orphans.ignore
        options.timeout = stopTimeout.duration
        try await Conversation.run(.down(target.project, options), of: target.name, session)
    }
}
