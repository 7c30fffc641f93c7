internal import ComposeFile
internal import LocalEngine
internal import Orchestration
internal import Rendering
internal import Supervision

/// The project that a command is about: loaded from files, or known by name only.
struct ProjectTarget: Sendable {
    let name: String
    let project: Project?

    /// For commands that need the files.
    /// - Throws: ``ComposeFileError``; ``NoSuchService``.
    static func load(_ session: Session, services: [String]) throws -> (project: Project, services: [String]) {
        let loaded = try ProjectLoader.load(session.loadOptions(services: services))
        for warning in loaded.warnings { Report.diagnostic(warning) }
        let names = try ServiceSelection.expand(services, among: Array(loaded.project.services.keys))
        return (loaded.project, names)
    }

    /// Refuses, each by its name, what the runtime cannot do of the services that are going to be made.
    /// - Throws: ``ExitStatus`` after printing them.
    static func refuseUnsupported(_ project: Project, services: Set<String>) throws {
        let refused = project.unsupported.filter { $0.service.map(services.contains) ?? true }
        for attribute in refused { Report.error(attribute.rendered) }
        if !refused.isEmpty { throw ExitStatus(code: 1) }
    }

    /// For commands that work on what exists: with `-p` alone the files are left alone.
    /// - Throws: ``ComposeFileError``.
    static func find(_ session: Session, services: [String] = []) throws -> ProjectTarget {
        let options = session.loadOptions(services: services)
        if options.files.isEmpty, let name = options.projectName {
            return ProjectTarget(name: try checked(name), project: nil)
        }
        do {
            let loaded = try ProjectLoader.load(options)
            for warning in loaded.warnings { Report.diagnostic(warning) }
            return ProjectTarget(name: loaded.project.name, project: loaded.project)
        } catch {
            // A name in the environment will do, where no files are found.
            guard let name = session.environment["COMPOSE_PROJECT_NAME"], !name.isEmpty else { throw error }
            return ProjectTarget(name: try checked(name), project: nil)
        }
    }

    /// The containers of the services asked for, replicas in their order.
    /// - Parameter services: globs; empty: all.
    /// - Throws: ``NoSuchService``; errors of the store.
    func containers(
        _ session: Session, services: [String], oneOffs: Bool = false
    ) throws -> (containers: [ObservedContainer], services: [String]) {
        let all = try session.store.containers(of: name)
        Self.lookAfter(all, of: name, session)
        let known = project.map { Array($0.services.keys) } ?? Array(Set(all.compactMap(\.service)))
        let selected = try ServiceSelection.expand(services, among: known)
        let containers = all.filter { container in
            (oneOffs || !container.isOneOff)
                && (selected.isEmpty || container.service.map(selected.contains) ?? false)
        }
        return (Self.ordered(containers), selected)
    }

    /// Commands that ask no supervisor see to it all the same that what runs has one.
    static func lookAfter(_ containers: [ObservedContainer], of project: String, _ session: Session) {
        guard containers.contains(where: { $0.state == .running || $0.state == .restarting }) else { return }
        do { try SupervisorClient.wake(project: project, paths: session.paths) } catch {
            Report.warning(
                "the containers of project \"\(project)\" have no supervisor, and none can be started: \(error)")
        }
    }

    static func ordered(_ containers: [ObservedContainer]) -> [ObservedContainer] {
        containers.sorted {
            ($0.service ?? "", $0.number ?? .max, $0.spec.name) < ($1.service ?? "", $1.number ?? .max, $1.spec.name)
        }
    }

    /// Compose takes a name that is given as it is, or not at all.
    private static func checked(_ name: String) throws -> String {
        let first = name.unicodeScalars.first
        let valid = name.unicodeScalars.allSatisfy {
            ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "_" || $0 == "-"
        }
        guard valid, let first, first != "_", first != "-" else {
            throw Failure(
                "invalid project name \"\(name)\": must consist only of lowercase alphanumeric characters, hyphens, "
                    + "and underscores as well as start with a letter or number")
        }
        return name
    }
}

/// Service arguments, which may be patterns.
enum ServiceSelection {
    /// - Returns: names, sorted; empty where nothing was asked for, which means all.
    /// - Throws: ``NoSuchService``.
    static func expand(_ arguments: [String], among known: [String]) throws(NoSuchService) -> [String] {
        var selected: Set<String> = []
        for argument in arguments {
            if known.contains(argument) {
                selected.insert(argument)
                continue
            }
            let matches = known.filter { Glob.matches(argument, $0) ?? false }
            if matches.isEmpty { throw NoSuchService(name: argument) }
            selected.formUnion(matches)
        }
        return selected.sorted()
    }

    /// `services` and all that they depend on; all of the project's where empty.
    static func withDependencies(_ services: [String], in project: Project) -> Set<String> {
        guard !services.isEmpty else { return Set(project.services.keys) }
        var found: Set<String> = []
        var open = services
        while let name = open.popLast() {
            guard let service = project.services[name], found.insert(name).inserted else { continue }
            open += service.dependsOn.keys
        }
        return found
    }
}

struct NoSuchService: Error, Equatable, CustomStringConvertible {
    let name: String
    var description: String { "no such service: \(name)" }
}
