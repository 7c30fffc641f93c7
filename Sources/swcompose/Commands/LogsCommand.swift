internal import ArgumentParser
internal import ComposeFile
internal import LocalEngine
internal import Orchestration
internal import Rendering

struct LogsCommand: Command {
    static let about = CommandConfiguration(
        commandName: "logs", abstract: "View output from containers", usage: "swcompose logs [OPTIONS] [SERVICE...]")

    @Flag(name: .shortAndLong, help: "Follow log output")
    var follow = false
    @Option(parsing: .unconditional, help: "Index of the container if service has multiple replicas")
    var index: Int?
    @Flag(help: "Produce monochrome output")
    var noColor = false
    @Flag(help: "Don't print prefix in logs")
    var noLogPrefix = false
    @Option(
        parsing: .unconditional,
        help: "Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)")
    var since: String?
    @Option(
        name: [.customShort("n", allowingJoined: true), .customLong("tail")], parsing: .unconditional,
        help: "Number of lines to show from the end of the logs for each container")
    var tail = "all"
    @Flag(name: .shortAndLong, help: "Show timestamps")
    var timestamps = false
    @Option(
        parsing: .unconditional,
        help: "Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)")
    var until: String?
    @Argument var services: [String] = []

    func validate() throws {
        if index != nil, services.count != 1 { throw ValidationError("--index requires one service to be selected") }
        _ = try selection(now: HostClock.now())
    }

    /// - Throws: ``InvalidTime``, `ValidationError`.
    private func selection(now: Timestamp) throws -> LogSelection {
        var selection = LogSelection()
        if tail != "all" {
            guard let lines = Int(tail) else {
                throw ValidationError("invalid argument \"\(tail)\" for \"-n, --tail\" flag: want a number or \"all\"")
            }
            selection.tail = lines < 0 ? nil : lines
        }
        selection.since = try since.map { try TimeArgument.parse($0, now: now) }
        selection.until = try until.map { try TimeArgument.parse($0, now: now) }
        return selection
    }

    func run(_ flags: GlobalFlags) async throws {
        let session = try Session(flags)
        let target = try ProjectTarget.find(session, services: services)
        let selection = try selection(now: HostClock.now())
        let containers = try chosen(session, target)
        var options = LogPrinter.Options()
        options.colour = session.colour && !noColor
        options.prefix = !noLogPrefix
        options.timestamps = timestamps
        let printer = LogPrinter(options: options, output: OutputBuffer(1), errors: OutputBuffer(2))
        for container in containers { printer.register(ContainerTexts.shortName(of: container)) }
        if follow {
            let names = Set(containers.compactMap(\.service))
            try await LogFollowing(
                session: session, target: target, services: names, index: index, selection: selection
            )
            .run(containers, printer: printer)
        } else {
            try print(containers, session, selection, printer)
        }
    }

    private func chosen(_ session: Session, _ target: ProjectTarget) throws -> [ObservedContainer] {
        let (found, _) = try target.containers(session, services: services)
        var containers = found
        if services.isEmpty, let project = target.project {
            // Orphans and services that want no attention are shown where they are named only.
            containers = containers.filter { container in
                container.service.flatMap { project.services[$0]?.attach } ?? false
            }
        }
        guard let index else { return containers }
        containers = containers.filter { $0.number == index }
        if containers.isEmpty {
            throw Failure("service \"\(services[0])\" has no container #\(index)")
        }
        return containers
    }

    private func print(
        _ containers: [ObservedContainer], _ session: Session, _ selection: LogSelection, _ printer: LogPrinter
    ) throws {
        var merger = LogMerger<String>()
        var readers: [(String, LogReader)] = []
        for container in containers {
            let reader = LogReader(path: session.store.directory(of: container).log, selection: selection)
            let name = ContainerTexts.shortName(of: container)
            merger.add(name, reader)
            readers.append((name, reader))
        }
        try merger.drain { printer.print($1, of: $0) }
        for (name, reader) in readers {
            for line in reader.remainder() { printer.print(line, of: name) }
        }
        printer.flush()
    }
}
