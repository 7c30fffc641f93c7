internal import ArgumentParser
internal import ComposeFile
internal import Orchestration

/// `--timeout`, which counts seconds.
struct TimeoutOption: ParsableArguments {
    @Option(
        name: [.customShort("t", allowingJoined: true), .customLong("timeout")], parsing: .unconditional,
        help: "Specify a shutdown timeout in seconds")
    var timeout: Int?

    var duration: Duration? { timeout.map { .seconds($0) } }

    func validate() throws {
        if let timeout, timeout < -1 {
            throw ValidationError("invalid argument \"\(timeout)\" for \"-t, --timeout\" flag: must not be negative")
        }
    }
}

struct OrphanOption: ParsableArguments {
    @Flag(help: "Remove containers for services not defined in the Compose file")
    var removeOrphans = false

    /// With what COMPOSE_REMOVE_ORPHANS and COMPOSE_IGNORE_ORPHANS say.
    /// - Throws: ``Failure`` where they contradict each other.
    func resolve(_ session: Session) throws -> (remove: Bool, ignore: Bool) {
        let remove = removeOrphans || session.flag("COMPOSE_REMOVE_ORPHANS")
        let ignore = session.flag("COMPOSE_IGNORE_ORPHANS")
        if remove, ignore {
            throw Failure("cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans")
        }
        return (remove, ignore)
    }
}

/// What `up` and `create` have in common.
struct CreationOptions: ParsableArguments {
    @Flag(help: "Build images before starting containers (not done yet)")
    var build = false
    @Flag(help: "Don't build an image, even if it's policy")
    var noBuild = false
    @Option(parsing: .unconditional, help: "Pull image before running (\"always\"|\"missing\"|\"never\"|\"build\")")
    var pull: String?
    @Flag(help: "Pull without printing progress information")
    var quietPull = false
    @Flag(help: "Recreate containers even if their configuration and image haven't changed")
    var forceRecreate = false
    @Flag(help: "If containers already exist, don't recreate them. Incompatible with --force-recreate.")
    var noRecreate = false
    @Option(
        parsing: .unconditionalSingleValue,
        help: "Scale SERVICE to NUM instances. Overrides the `scale` setting in the Compose file if present.")
    var scale: [String] = []
    @Flag(name: [.customShort("y"), .customLong("yes")], help: "Assume \"yes\" as answer to all prompts")
    var yes = false
    @OptionGroup var orphans: OrphanOption

    func validate() throws {
        if build, noBuild { throw ValidationError("--build and --no-build are incompatible") }
        if forceRecreate, noRecreate { throw ValidationError("--force-recreate and --no-recreate are incompatible") }
        if build { throw ValidationError("--build is not done yet") }
        switch pull {
        case nil, "always", "missing", "never", "policy": break
        case "build": throw ValidationError("--pull build is not done yet")
        case let other?:
            throw ValidationError(
                "invalid --pull option \"\(other)\" (known: always, missing, never, build)")
        }
        _ = try scales()
    }

    /// `policy` is what each service says, as is no flag at all.
    func images(_ session: Session, _ project: Project) -> ImagePreparation {
        ImagePreparation(
            session: session, project: project, policy: pull.flatMap(PullPolicy.init), quiet: quietPull)
    }

    /// - Throws: `ValidationError`.
    func scales() throws -> [String: Int] {
        var result: [String: Int] = [:]
        for argument in scale {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, let number = Int(parts[1]), number >= 0 else {
                throw ValidationError("invalid --scale option \"\(argument)\". Should be SERVICE=NUM")
            }
            result[String(parts[0])] = number
        }
        return result
    }

    /// - Throws: ``NoSuchService`` for `--scale` of what is not there; `ValidationError`.
    func upOptions(
        _ session: Session, _ project: Project, selected: [String], orphans: (remove: Bool, ignore: Bool)
    ) throws -> UpOptions {
        var options = UpOptions()
        options.services = selected
        options.recreate = forceRecreate ? .force : noRecreate ? .never : .diverged
        options.recreateDependencies = noRecreate ? .never : .diverged
        options.removeOrphans = orphans.remove
        options.ignoreOrphans = orphans.ignore
        options.scale = try scales()
        for service in options.scale.keys.sorted() where project.services[service] == nil {
            throw NoSuchService(name: service, known: project.services.keys)
        }
        options.compatibilityNames = session.loadOptions().compatibility
        return options
    }
}
