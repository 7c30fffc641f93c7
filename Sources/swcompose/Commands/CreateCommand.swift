internal import ArgumentParser
internal import ComposeFile
internal import Orchestration

struct CreateCommand: Command {
    static let about = CommandConfiguration(
        commandName: "create", abstract: "Creates containers for a service",
        usage: "swcompose create [OPTIONS] [SERVICE...]")

    @OptionGroup var creation: CreationOptions
    @Argument var services: [String] = []

    func run(_ flags: GlobalFlags) async throws {
        let session = try Session(flags)
        let orphans = try creation.orphans.resolve(session)
        let (project, selected) = try ProjectTarget.load(session, services: services)
        guard flags.allResources || !project.services.isEmpty else { throw Failure("no service selected") }
        let options = try creation.upOptions(session, project, selected: selected, orphans: orphans)
        let involved = ServiceSelection.withDependencies(selected, in: project).filter { options.scale[$0] != 0 }
        try ProjectTarget.refuseUnsupported(project, services: involved)
        try await creation.images(session, project).run(services: involved)
        try await Conversation.run(.create(project, options), of: project.name, session, title: "Creating")
    }
}
