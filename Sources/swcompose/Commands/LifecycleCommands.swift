internal import ArgumentParser
internal import ComposeFile
internal import LocalEngine
internal import Orchestration
internal import Rendering

/// Commands that change containers which exist already.
private enum Existing {
    /// - Throws: ``Failure`` where the project is known by name only and has no containers at all.
    static func find(
        _ session: Session, services: [String], oneOffs: Bool = false
    ) throws -> (target: ProjectTarget, containers: [ObservedContainer], services: [String]) {
        let target = try ProjectTarget.find(session, services: services)
        let (containers, selected) = try target.containers(session, services: services, oneOffs: oneOffs)
        if target.project == nil, containers.isEmpty {
            throw Failure("no container found for project \"\(target.name)\": not found")
        }
        return (target, containers, selected)
    }
}

struct StartCommand: Command {
    static let about = CommandConfiguration(
        commandName: "start", abstract: "Start services", usage: "swcompose start [SERVICE...]")

    @Argument var services: [String] = []

    func run(_ flags: GlobalFlags) async throws {
        let session = try Session(flags)
        let (target, containers, selected) = try Existing.find(session, services: services)
        let wanted = selected.isEmpty ? target.project?.services.keys.sorted() ?? [] : selected
        for service in wanted where !containers.contains(where: { $0.service == service }) {
            if let replicas = target.project?.services[service]?.replicas, replicas == 0 { continue }
            throw Failure("service \"\(service)\" has no container to start")
        }
        try await Conversation.run(.start(target.project, services: selected), of: target.name, session)
    }
}

struct StopCommand: Command {
    static let about = CommandConfiguration(
        commandName: "stop", abstract: "Stop services", usage: "swcompose stop [OPTIONS] [SERVICE...]")

    @OptionGroup var stopTimeout: TimeoutOption
    @Argument var services: [String] = []

    func run(_ flags: GlobalFlags) async throws {
        let session = try Session(flags)
        let (target, containers, selected) = try Existing.find(session, services: services)
        if containers.isEmpty { return }
        try await Conversation.run(
            .stop(target.project, services: selected, timeout: stopTimeout.duration), of: target.name, session,
            title: "Stopping")
    }
}

struct RestartCommand: Command {
    static let about = CommandConfiguration(
        commandName: "restart", abstract: "Restart service containers",
        usage: "swcompose restart [OPTIONS] [SERVICE...]")

    @Flag(help: "Don't restart dependent services")
    var noDeps = false
    @OptionGroup var stopTimeout: TimeoutOption
    @Argument var services: [String] = []

    func run(_ flags: GlobalFlags) async throws {
        let session = try Session(flags)
        let (target, containers, selected) = try Existing.find(session, services: services)
        if containers.isEmpty { return }
        try await Conversation.run(
            .restart(target.project, services: selected, timeout: stopTimeout.duration, noDeps: noDeps),
            of: target.name, session, title: "Restarting")
    }
}

struct KillCommand: Command {
    static let about = CommandConfiguration(
        commandName: "kill", abstract: "Force stop service containers",
        usage: "swcompose kill [OPTIONS] [SERVICE...]")

    @OptionGroup var orphans: OrphanOption
    @Option(
        name: [.customShort("s", allowingJoined: true), .customLong("signal")], parsing: .unconditional,
        help: "SIGNAL to send to the container")
    var signal = "SIGKILL"
    @Argument var services: [String] = []

    func run(_ flags: GlobalFlags) async throws {
        let session = try Session(flags)
        let orphans = try orphans.resolve(session)
        let target = try ProjectTarget.find(session, services: services)
        let (containers, selected) = try target.containers(session, services: services, oneOffs: true)
        guard containers.contains(where: { $0.state == .running || $0.state == .paused || $0.state == .restarting })
        else {
            Report.note("no container to kill")
            return
        }
        try await Conversation.run(
            .kill(target.project, services: selected, signal: signal, removeOrphans: orphans.remove),
            of: target.name, session, title: "Killing")
    }
}

struct RmCommand: Command {
    static let about = CommandConfiguration(
        commandName: "rm", abstract: "Removes stopped service containers",
        usage: "swcompose rm [OPTIONS] [SERVICE...]")

    @Flag(name: .shortAndLong, help: "Don't ask to confirm removal")
    var force = false
    @Flag(name: .shortAndLong, help: "Stop the containers, if required, before removing")
    var stop = false
    @Flag(name: .shortAndLong, help: "Remove any anonymous volumes attached to containers")
    var volumes = false
    @Flag(name: [.customShort("a"), .customLong("all")], help: .hidden)
    var all = false
    @Argument var services: [String] = []

    func run(_ flags: GlobalFlags) async throws {
        let session = try Session(flags)
        if all { Report.note("flag --all is deprecated: one-off containers are not removed") }
        let target = try ProjectTarget.find(session, services: services)
        let (found, selected) = try target.containers(session, services: services)
        let containers = found.filter { container in
            guard let project = target.project, let service = container.service else { return true }
            return project.services[service] != nil
        }
        let doomed =
            stop ? containers : containers.filter { $0.state == .exited || $0.state == .created || $0.state == .dead }
        guard !doomed.isEmpty else {
            Report.note("No stopped containers")
            return
        }
        let question = "Going to remove \(doomed.map(\.spec.name).sorted().joined(separator: ", "))"
        let output = OutputBuffer(1)
        if force {
            output.write(question + "\n")
        } else {
            output.write("? \(question) (y/N) ")
            output.flush()
            guard ["y", "yes"].contains((readLine() ?? "").lowercased()) else { return }
        }
        output.flush()
        try await Conversation.run(
            .remove(target.project, services: selected, stop: stop, volumes: volumes), of: target.name, session,
            title: "Removing")
    }
}
