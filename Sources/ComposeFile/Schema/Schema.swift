/// The table of every attribute of the Compose file, in the order in which `config` prints them.
enum Schema {
    static let project = Rule.object([
        ("version", .text.hidden()),
        ("name", .text),
        ("include", .list(include).hidden()),
        ("services", .named(service)),
        ("networks", .map(of: network.emptyForNull())),
        ("volumes", .named(volume.emptyForNull())),
        ("secrets", .named(secret)),
        ("configs", .named(config)),
        ("models", .named(model)),
    ])

    static let include = Rule.object(
        [
            ("path", .stringOrList),
            ("env_file", .stringOrList),
            ("project_directory", .text),
        ], extensions: false
    ).orText()

    private static let external = Rule.object([("name", .text)]).or([.boolean, .string]).casting(.boolean)

    static let network = Rule.object([
        ("name", .text),
        ("driver", .text),
        ("driver_opts", .options),
        ("ipam", ipam.keepingZeroInJSON()),
        ("external", external),
        ("internal", .flag),
        ("attachable", .flag),
        ("labels", .pairs),
        ("enable_ipv4", .flag.keepingZero()),
        ("enable_ipv6", .flag.keepingZero()),
    ])

    private static let ipam = Rule.object([
        ("driver", .text),
        ("config", .list(pool).merging(.pools)),
        ("options", .map(of: .text).hidden().later()),
    ])

    private static let pool = Rule.object([
        ("subnet", .text),
        ("gateway", .text),
        ("ip_range", .text),
        ("aux_addresses", .map(of: .text)),
    ])

    static let volume = Rule.object([
        ("name", .text),
        ("driver", .text),
        ("driver_opts", .options),
        ("external", external),
        ("labels", .pairs),
    ])

    static let secret = Rule.object([
        ("name", .text),
        ("file", .text),
        ("environment", .text),
        ("external", external),
        ("labels", .pairs),
        ("driver", .text.later("needs a secret store, which one host does not have")),
        ("driver_opts", .options.later("needs a secret store, which one host does not have")),
        ("template_driver", .text.later("needs a template engine of Swarm's")),
    ])

    static let config = Rule.object([
        ("name", .text),
        ("file", .text),
        ("environment", .text),
        ("content", .text),
        ("external", external),
        ("labels", .pairs),
        ("template_driver", .text.later("needs a template engine of Swarm's")),
    ])

    private static let model = Rule.object(
        [
            ("name", .text),
            ("model", .text),
            ("context_size", Rule(.init(scalars: .integer, meaning: .integer))),
            ("runtime_flags", .list(.text)),
        ], required: ["model"])
}
