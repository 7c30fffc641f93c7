internal import ArgumentParser

/// What the flags before the command say.
struct GlobalFlags: Sendable {
    var files: [String] = []
    var projectName: String?
    var projectDirectory: String?
    var envFiles: [String] = []
    var profiles: [String] = []
    var ansi: String?
    var progress: String?
    var parallel: Int?
    var compatibility = false
    var allResources = false
    var noAnsi = false
    var workdir: String?
}

/// The flags before the command, as ArgumentParser is to understand them. Most command lines have none, and then it is
/// not asked: it takes longer than what many commands do.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: [.customShort("f", allowingJoined: true), .customLong("file")], parsing: .unconditionalSingleValue,
        help: "Compose configuration files")
    var files: [String] = []
    @Option(
        name: [.customShort("p", allowingJoined: true), .customLong("project-name")], parsing: .unconditional,
        help: "Project name")
    var projectName: String?
    @Option(
        parsing: .unconditional,
        help: "Specify an alternate working directory (default: the path of the first specified Compose file)")
    var projectDirectory: String?
    @Option(
        name: .customLong("env-file"), parsing: .unconditionalSingleValue, help: "Specify an alternate environment file"
    )
    var envFiles: [String] = []
    @Option(name: .customLong("profile"), parsing: .unconditionalSingleValue, help: "Specify a profile to enable")
    var profiles: [String] = []
    @Option(
        parsing: .unconditional, help: "Control when to print ANSI control characters (\"never\"|\"always\"|\"auto\")")
    var ansi: String?
    @Option(parsing: .unconditional, help: "Set type of progress output (auto, tty, plain, json, quiet)")
    var progress: String?
    @Option(parsing: .unconditional, help: "Control max parallelism, -1 for unlimited")
    var parallel: Int?
    @Flag(help: "Run compose in backward compatibility mode")
    var compatibility = false
    @Flag(help: "Include all resources, even those not used by services")
    var allResources = false
    @Flag(help: "Execute command in dry run mode")
    var dryRun = false
    @Flag(name: [.customShort("v"), .long], help: "Show the version information")
    var version = false
    @Flag(help: .hidden)
    var verbose = false
    @Flag(help: .hidden)
    var noAnsi = false
    @Option(parsing: .unconditional, help: .hidden)
    var workdir: String?

    func validate() throws {
        if dryRun { throw ValidationError("--dry-run is not done yet") }
        if verbose { throw ValidationError("--verbose is not done yet") }
        if let ansi, !["auto", "always", "never"].contains(ansi) {
            throw ValidationError("unsupported --ansi value \"\(ansi)\" (known: auto, always, never)")
        }
        if noAnsi, ansi != nil {
            throw ValidationError("cannot specify DEPRECATED \"--no-ansi\" and \"--ansi\". Please use only \"--ansi\"")
        }
        if workdir != nil, projectDirectory != nil {
            throw ValidationError(
                "cannot specify DEPRECATED \"--workdir\" and \"--project-directory\". "
                    + "Please use only \"--project-directory\" instead")
        }
    }
    /// Of parsed options.
    var flags: GlobalFlags {
        GlobalFlags(
            files: files, projectName: projectName, projectDirectory: projectDirectory, envFiles: envFiles,
            profiles: profiles, ansi: ansi, progress: progress, parallel: parallel, compatibility: compatibility,
            allResources: allResources, noAnsi: noAnsi, workdir: workdir)
    }
}
