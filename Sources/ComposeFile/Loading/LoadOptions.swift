/// What to load and how: the global flags of the command line, and the process' surroundings.
public struct LoadOptions: Sendable {
    /// Files in the order in which they are merged; `-` is standard input. Empty: `COMPOSE_FILE`, else discovery.
    public var files: [String] = []
    /// `-p`.
    public var projectName: String?
    /// `--project-directory`.
    public var projectDirectory: String?
    /// `--env-file`; empty: `COMPOSE_ENV_FILES`, else `.env` of the project directory.
    public var envFiles: [String] = []
    /// `--profile`; empty: `COMPOSE_PROFILES`.
    public var profiles: [String] = []
    /// The process' environment.
    public var environment: [String: String]
    /// The process' working directory, absolute.
    public var workingDirectory: String
    /// Services named on the command line: their profiles are enabled.
    public var services: [String] = []
    /// Keep networks, volumes, secrets and configs that no active service uses.
    public var allResources = false
    public var noInterpolate = false
    public var noNormalize = false
    public var noPathResolution = false
    public var noEnvResolution = false
    public var noConsistency = false
    /// Where files are read from.
    public var reader: any FileReader = HostFiles()
    /// `--compatibility`: names are joined with `_`.
    public var compatibility = false

    public init(environment: [String: String], workingDirectory: String) {
        self.environment = environment
        self.workingDirectory = workingDirectory
    }
}

/// A project as loaded, with what was remarked on the way and the tree that `config` prints.
public struct LoadedProject: Sendable {
    public var project: Project
    public var warnings: [Diagnostic]
    public var document: ConfigDocument
    /// What interpolation had to draw on: the process' environment over the env files.
    public var environment: [String: String]
    /// Every document read, as written.
    let documents: [Node]

    /// Variables that the files use, each use of one.
    public var variables: [TemplateVariable] {
        var result: [TemplateVariable] = []
        func note(_ node: Node) {
            switch node.value {
            case .string(let text):
                Template.variables(in: text) { variable in
                    result.append(
                        TemplateVariable(
                            name: variable.name, isRequired: variable.isRequired, defaultValue: variable.defaultValue,
                            alternateValue: variable.alternate))
                }
            case .sequence(let items): items.forEach(note)
            case .mapping(let mapping): for entry in mapping { note(entry.value) }
            default: return
            }
        }
        documents.forEach(note)
        return result
    }
}

/// A variable as a Compose file uses it.
public struct TemplateVariable: Sendable, Equatable {
    public var name: String
    public var isRequired: Bool
    public var defaultValue: String
    public var alternateValue: String
}
