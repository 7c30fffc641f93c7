internal import ArgumentParser
internal import ComposeFile
internal import LinuxSystem
internal import Orchestration
internal import Rendering

struct ConfigCommand: Command {
    static let about = CommandConfiguration(
        commandName: "config", abstract: "Parse, resolve and render compose file in canonical format",
        usage: "swcompose config [OPTIONS] [SERVICE...]")

    enum Format: String, ExpressibleByArgument { case yaml, json }

    enum DiagnosticFormat: String, ExpressibleByArgument { case text, json }

    @Option(
        parsing: .unconditional,
        help: """
            Form of errors and warnings. Values: [text | json]. json prints one document in place of the configuration: \
            {"diagnostics": [{severity, code, message, help, file, line, column, endLine, endColumn, related}], \
            "omitted": N}
            """)
    var diagnostics = DiagnosticFormat.text
    @Flag(help: "Print environment used for interpolation")
    var environment = false
    @Option(parsing: .unconditional, help: "Format the output. Values: [yaml | json]")
    var format = Format.yaml
    @Option(parsing: .unconditional, help: "Print the service config hash, one per line (\"*\": all services)")
    var hash: String?
    @Flag(help: "Print the image names, one per line")
    var images = false
    @Flag(help: "Produces an override file with image digests (not done yet)")
    var lockImageDigests = false
    @Flag(help: "Print the model names, one per line")
    var models = false
    @Flag(help: "Print the network names, one per line")
    var networks = false
    @Flag(help: "Don't check model consistency - warning: may produce invalid Compose output")
    var noConsistency = false
    @Flag(help: "Don't resolve service env files")
    var noEnvResolution = false
    @Flag(help: "Don't interpolate environment variables")
    var noInterpolate = false
    @Flag(help: "Don't normalize compose model")
    var noNormalize = false
    @Flag(help: "Don't resolve file paths")
    var noPathResolution = false
    @Flag(
        help: """
            Say which file, line and column set each value: as comments, or with --format json as an object of paths
            """)
    var origin = false
    @Option(
        name: [.customShort("o", allowingJoined: true), .customLong("output")], parsing: .unconditional,
        help: "Save to file (default to stdout)")
    var output: String?
    @Flag(help: "Print the profile names, one per line")
    var profiles = false
    @Flag(name: .shortAndLong, help: "Only validate the configuration, don't print anything")
    var quiet = false
    @Flag(help: "Pin image tags to digests (not done yet)")
    var resolveImageDigests = false
    @Flag(help: "Print the service names, one per line")
    var services = false
    @Flag(help: "Print model variables and default values")
    var variables = false
    @Flag(help: "Print the volume names, one per line")
    var volumes = false
    @Argument var service: [String] = []

    func validate() throws {
        if lockImageDigests { throw ValidationError("--lock-image-digests is not done yet") }
        if resolveImageDigests { throw ValidationError("--resolve-image-digests is not done yet") }
        let listing =
            images || models || networks || profiles || services || variables || volumes || environment || hash != nil
        if origin, listing || quiet { throw ValidationError("--origin cannot be combined with --quiet or with a list") }
        if diagnostics == .json, listing || origin {
            throw ValidationError("--diagnostics json cannot be combined with --origin or with a list")
        }
    }

    func run(_ flags: GlobalFlags) throws {
        guard diagnostics == .json else {
            let (loaded, separator) = try load(flags)
            return try print(loaded, separator: separator)
        }
        do {
            try write(DiagnosticDocument.json(try load(flags).loaded.warnings) + "\n")
        } catch let error as ComposeFileError {
            try write(DiagnosticDocument.json(error.diagnostics + error.warnings, omitted: error.omitted) + "\n")
            throw ExitStatus(code: 1)
        }
    }

    /// - Returns: the project, and what joins the parts of the names of its images.
    /// - Throws: ``ComposeFileError`` and what ``Session`` throws.
    private func load(_ flags: GlobalFlags) throws -> (loaded: LoadedProject, separator: String) {
        let session = try Session(flags)
        var options = session.loadOptions(services: service)
        options.noConsistency = noConsistency
        options.noEnvResolution = noEnvResolution
        // What is hashed has values; which resources are used is known of values only.
        options.noInterpolate = (noInterpolate || variables) && hash == nil && !volumes && !networks && !images
        // The older form of names is printed as the files have it.
        options.noNormalize = noNormalize || flags.compatibility
        options.noPathResolution = noPathResolution
        return (try ProjectLoader.load(options), options.compatibility ? "_" : "-")
    }

    private func print(_ loaded: LoadedProject, separator: String) throws {
        for warning in loaded.warnings { Report.diagnostic(warning) }
        let text = try text(loaded, separator: separator)
        if !quiet { try write(text) }
    }

    private func text(_ loaded: LoadedProject, separator: String) throws -> String {
        func lines(_ names: [String]) -> String { names.map { $0 + "\n" }.joined() }
        var document = loaded.document
        if !service.isEmpty, !noInterpolate {
            document = try document.selecting(
                ServiceSelection.expand(service, among: document.names(of: .services)))
        }
        if services { return lines(document.names(of: .services)) }
        if volumes { return lines(document.names(of: .volumes)) }
        if networks { return lines(document.names(of: .networks)) }
        if models { return lines(document.modelReferences()) }
        if images { return lines(document.images(separator: separator)) }
        if profiles { return lines(noInterpolate ? document.profiles() : profileNames(loaded.project)) }
        if environment { return lines(loaded.environment.map { "\($0.key)=\($0.value)" }.sorted()) }
        if variables { return variableTable(loaded.variables) }
        if let hash { return try lines(hashes(hash, loaded.project)) }
        if origin { return format == .json ? document.originsJSON() + "\n" : document.yamlWithOrigins() }
        return format == .json ? try document.json() : document.yaml()
    }

    private func profileNames(_ project: Project) -> [String] {
        let all = Array(project.services.values) + Array(project.disabledServices.values)
        return Set(all.flatMap(\.profiles)).sorted()
    }

    private func hashes(_ wanted: String, _ project: Project) throws -> [String] {
        let all = project.services.keys.sorted()
        let names = wanted == "*" ? all : wanted.split(separator: ",").map(String.init)
        return try names.map { name in
            guard let service = project.services[name] else { throw NoSuchService(name: name, known: all) }
            return "\(name) \(service.configHash)"
        }
    }

    private func variableTable(_ variables: [TemplateVariable]) -> String {
        let sorted = variables.sorted { $0.name < $1.name }
        if format == .json {
            let members = sorted.map { variable -> (String, JSONText) in
                (
                    variable.name,
                    .object([
                        ("Name", .string(variable.name)), ("DefaultValue", .string(variable.defaultValue)),
                        ("PresenceValue", .string(variable.alternateValue)),
                        ("Required", .boolean(variable.isRequired)),
                    ])
                )
            }
            return JSONText.object(members).text + "\n"
        }
        var table = TextTable(
            header: ["NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"], minimumWidth: 20)
        for variable in sorted {
            table.add([variable.name, String(variable.isRequired), variable.defaultValue, variable.alternateValue])
        }
        return table.text
    }

    private func write(_ text: String) throws {
        if let output, !output.isEmpty {
            try Files.replace(output, with: Array(text.utf8))
        } else {
            let stdout = OutputBuffer(1)
            stdout.write(text)
            stdout.flush()
        }
    }
}
