internal import OCI
internal import Orchestration

/// How image and service together say what is executed and in which environment, by Docker's rules.
enum ProcessResolution {
    static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// An entry point given by the service drops the image's CMD.
    /// - Throws: ``EngineError/startFailed(container:reason:code:)`` where nothing is left to execute.
    static func arguments(_ spec: ContainerSpec, image: ImageConfiguration.Defaults) throws -> [String] {
        let entrypoint = spec.entrypoint ?? image.entrypoint ?? []
        let command = spec.command ?? (spec.entrypoint == nil ? image.command ?? [] : [])
        let arguments = entrypoint + command
        guard !arguments.isEmpty else {
            throw EngineError.startFailed(
                container: spec.name,
                reason: "no command specified: neither the service nor image \(spec.image) has one", code: 127)
        }
        return arguments
    }

    /// `NAME=value` in the order: defaults, image, service. HOME is the user's where nobody sets it.
    static func environment(
        _ spec: ContainerSpec, image: ImageConfiguration.Defaults, hostname: String, home: String
    ) -> [String] {
        var variables = OrderedVariables()
        variables.set("PATH", defaultPath)
        variables.set("HOSTNAME", hostname)
        if spec.tty { variables.set("TERM", "xterm") }
        for pair in image.environment ?? [] { variables.set(pair: pair) }
        variables.apply(spec.environment)
        if spec.environment["HOME"] == nil { variables.setDefault("HOME", home) }
        return variables.pairs
    }

    /// Variables in the order in which they were first set.
    struct OrderedVariables {
        private var order: [String] = []
        private var values: [String: String] = [:]

        init(pairs: [String] = []) {
            for pair in pairs { set(pair: pair) }
        }

        mutating func set(_ name: String, _ value: String) {
            if values.updateValue(value, forKey: name) == nil, !order.contains(name) { order.append(name) }
        }

        subscript(name: String) -> String? { values[name] }

        mutating func set(pair: String) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            set(String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }

        mutating func setDefault(_ name: String, _ value: String) {
            if values[name] == nil { set(name, value) }
        }

        /// nil removes. By name, so that the result does not depend on a dictionary's order.
        mutating func apply(_ changes: [String: String?]) {
            for (name, value) in changes.sorted(by: { $0.key < $1.key }) {
                if let value { set(name, value) } else { values[name] = nil }
            }
        }

        var pairs: [String] { order.compactMap { name in values[name].map { "\(name)=\($0)" } } }
    }
}
