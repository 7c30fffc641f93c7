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
    }

    func run(_ flags: GlobalFlags) throws {
        let session = try Session(flags)
        var options = session.loadOptions(services: service)
        options.noConsistency = noConsistency
        options.noEnvResolution = noEnvResolution
        options.noInterpolate = noInterpolate
        // The older form of names is printed as the files have it.
        options.noNormalize = noNormalize || options.compatibility
        options.noPathResolution = noPathResolution
        if volumes || networks || models { options.allResources = true }
        let loaded = try ProjectLoader.load(options)
        for warning in loaded.warnings { Report.diagnostic(warning) }
        if quiet { return }
        try write(try text(loaded))
    }

    private func text(_ loaded: LoadedProject) throws -> String {
        func lines(_ names: [String]) -> String { names.map { $0 + "\n" }.joined() }
        var document = loaded.document
        if !service.isEmpty {
            document = try document.selecting(
                ServiceSelection.expand(service, among: document.names(of: .services)))
        }
        if services { return lines(document.names(of: .services)) }
        if volumes { return lines(document.names(of: .volumes)) }
        if networks { return lines(document.names(of: .networks)) }
        if models { return lines(document.names(of: .models)) }
        if images { return lines(document.images()) }
        if profiles { return lines(profileNames(loaded.project)) }
        if environment { return lines(loaded.environment.map { "\($0.key)=\($0.value)" }.sorted()) }
        if variables { return variableTable(loaded.variables) }
        if let hash { return try lines(hashes(hash, loaded.project)) }
        return format == .json ? document.json() : document.yaml()
    }

    private func profileNames(_ project: Project) -> [String] {
        let all = Array(project.services.values) + Array(project.disabledServices.values)
        return Set(all.flatMap(\.profiles)).sorted()
    }

    private func hashes(_ wanted: String, _ project: Project) throws -> [String] {
        let all = project.services.keys.sorted()
        let names = wanted == "*" ? all : wanted.split(separator: ",").map(String.init)
        return try names.map { name in
            guard let service = project.services[name] else { throw NoSuchService(name: name) }
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
