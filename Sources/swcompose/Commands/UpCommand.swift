internal import ArgumentParser
internal import ComposeFile
internal import Orchestration
internal import Rendering

struct UpCommand: Command {
    static let about = CommandConfiguration(
        commandName: "up", abstract: "Create and start containers", usage: "swcompose up [OPTIONS] [SERVICE...]")

    @OptionGroup var creation: CreationOptions
    @OptionGroup var stopTimeout: TimeoutOption

    @Flag(name: .shortAndLong, help: "Detached mode: Run containers in the background")
    var detach = false
    @Flag(help: "Stops all containers if any container was stopped. Incompatible with -d")
    var abortOnContainerExit = false
    @Flag(help: "Stops all containers if any container exited with failure. Incompatible with -d")
    var abortOnContainerFailure = false
    @Option(
        parsing: .unconditional,
        help: "Return the exit code of the selected service container. Implies --abort-on-container-exit")
    var exitCodeFrom: String?
    @Flag(help: "Recreate dependent containers. Incompatible with --no-recreate.")
    var alwaysRecreateDeps = false
    @Option(
        parsing: .unconditionalSingleValue,
        help: "Restrict attaching to the specified services. Incompatible with --attach-dependencies.")
    var attach: [String] = []
    @Flag(help: "Automatically attach to log output of dependent services")
    var attachDependencies = false
    @Option(parsing: .unconditionalSingleValue, help: "Do not attach (stream logs) to the specified services")
    var noAttach: [String] = []
    @Flag(
        inversion: .prefixedNo,
        help: ArgumentHelp("Enable interactive shortcuts when running attached (not done yet)", visibility: .hidden))
    var menu: Bool?
    @Flag(help: "Produce monochrome output")
    var noColor = false
    @Flag(help: "Don't start linked services")
    var noDeps = false
    @Flag(help: "Don't print prefix in logs")
    var noLogPrefix = false
    @Flag(help: "Don't start the services after creating them")
    var noStart = false
    @Flag(help: "Suppress the build output")
    var quietBuild = false
    @Flag(
        name: [.customShort("V"), .customLong("renew-anon-volumes")],
        help: "Recreate anonymous volumes instead of retrieving data from the previous containers")
    var renewAnonVolumes = false
    @Flag(help: "Show timestamps")
    var timestamps = false
    @Flag(help: "Wait for services to be running|healthy. Implies detached mode.")
    var wait = false
    @Option(parsing: .unconditional, help: "Maximum duration in seconds to wait for the project to be running|healthy")
    var waitTimeout: Int?
    @Flag(name: .shortAndLong, help: "Watch source code and refresh containers when files are updated (not done yet)")
    var watch = false
    @Argument(help: "Services; all of the project's where none is named")
    var services: [String] = []

    /// The abort flag that is in effect: `--exit-code-from` implies one.
    private var abortOnExit: Bool { abortOnContainerExit || (exitCodeFrom != nil && !abortOnContainerFailure) }

    func validate() throws {
        func refuse(_ text: String) throws { throw ValidationError(text) }
        if abortOnContainerExit, abortOnContainerFailure {
            try refuse("--abort-on-container-failure cannot be combined with --abort-on-container-exit")
        }
        if wait, attachDependencies || abortOnExit || !attach.isEmpty {
            try refuse("--wait cannot be combined with --abort-on-container-exit, --attach or --attach-dependencies")
        }
        if detach || wait,
            attachDependencies || abortOnExit || abortOnContainerFailure || !attach.isEmpty || watch
        {
            try refuse(
                "--detach cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, "
                    + "--attach-dependencies or --watch")
        }
        if renewAnonVolumes, creation.noRecreate {
            try refuse("--no-recreate and --renew-anon-volumes are incompatible")
        }
        if alwaysRecreateDeps, creation.noRecreate {
            try refuse("--always-recreate-deps and --no-recreate are incompatible")
        }
        if creation.noBuild, watch { try refuse("--no-build and --watch are incompatible") }
        if !attach.isEmpty, attachDependencies { try refuse("cannot combine --attach and --attach-dependencies") }
        if watch { try refuse("--watch is not done yet") }
        if menu == true { try refuse("--menu is not done yet") }
        if let waitTimeout, waitTimeout < 0 { try refuse("--wait-timeout must not be negative") }
    }

    func run(_ flags: GlobalFlags) async throws {
        let session = try Session(flags)
        let orphans = try creation.orphans.resolve(session)
        let (project, selected) = try ProjectTarget.load(session, services: services)
        guard flags.allResources || !project.services.isEmpty else { throw Failure("no service selected") }
        let options = try upOptions(session, project, selected, orphans)
        let involved =
            noDeps && !selected.isEmpty ? Set(selected) : ServiceSelection.withDependencies(selected, in: project)
        try ProjectTarget.refuseUnsupported(project, services: involved)
        try await creation.images(session, project).run(services: involved.filter { options.scale[$0] != 0 })

        if noStart {
            try await Conversation.run(.create(project, options), of: project.name, session, title: "Creating")
        } else if detach || wait {
            try await Conversation.run(.up(project, options), of: project.name, session)
        } else {
            let attached = try attachedServices(project, selected)
            let plan = AttachedPlan(
                services: selected, attached: attached, abort: abort, exitCodeFrom: try exitService(project))
            try await AttachedUp(
                session: session, project: project, options: options, plan: plan, printer: printerOptions(session)
            ).run()
        }
    }

    private func upOptions(
        _ session: Session, _ project: Project, _ selected: [String], _ orphans: (remove: Bool, ignore: Bool)
    ) throws -> UpOptions {
        var options = try creation.upOptions(session, project, selected: selected, orphans: orphans)
        options.noDeps = noDeps
        options.noStart = noStart
        if renewAnonVolumes { options.recreate = .force }
        if alwaysRecreateDeps { options.recreateDependencies = .force }
        options.renewAnonymousVolumes = renewAnonVolumes
        options.timeout = stopTimeout.duration
        options.wait = wait
        options.waitTimeout = waitTimeout.flatMap { $0 > 0 ? .seconds($0) : nil }
        return options
    }

    private var abort: AttachedPlan.Abort {
        abortOnExit ? .anyExit : abortOnContainerFailure ? .failure : .never
    }

    private func exitService(_ project: Project) throws -> String? {
        guard let exitCodeFrom, !exitCodeFrom.isEmpty else { return nil }
        guard project.services[exitCodeFrom] != nil else {
            throw NoSuchService(name: exitCodeFrom, known: project.services.keys)
        }
        return exitCodeFrom
    }

    /// Services whose output is shown.
    private func attachedServices(_ project: Project, _ selected: [String]) throws -> Set<String> {
        var result: Set<String>
        if attach.isEmpty {
            let candidates =
                attachDependencies
                ? ServiceSelection.withDependencies(selected, in: project)
                : selected.isEmpty ? Set(project.services.keys) : Set(selected)
            result = candidates.filter { project.services[$0]?.attach ?? true }
        } else {
            result = Set(attach)
            let unknown = result.subtracting(project.services.keys)
            if !unknown.isEmpty {
                throw Failure(
                    "cannot attach to services not included in up: \(unknown.sorted().joined(separator: ", "))")
            }
        }
        result.subtract(noAttach)
        return result
    }

    private func printerOptions(_ session: Session) -> LogPrinter.Options {
        var options = LogPrinter.Options()
        options.colour = session.colour && !noColor
        options.prefix = !noLogPrefix
        options.timestamps = timestamps
        options.joinStreams = false
        return options
    }
}
