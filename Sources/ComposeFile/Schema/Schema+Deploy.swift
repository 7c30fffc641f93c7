extension Schema {
    private static let oneHost = "has no meaning on one host"
    private static let rolling = "is not supported yet: containers are replaced one by one, stop first"

    static let deploy = Rule.object([
        ("mode", .text),
        ("replicas", .integer.keepingZero()),
        ("labels", .pairs),
        ("update_config", update.later(rolling)),
        ("rollback_config", update.later(rolling)),
        ("resources", resources.keepingZeroInJSON()),
        ("restart_policy", restartPolicy),
        ("placement", placement.keepingZeroInJSON()),
        ("endpoint_mode", .text),
    ]).alsoNull()

    private static let update = Rule.object([
        ("parallelism", .integer.within(0 ... .max).keepingZero()),
        ("delay", .duration),
        ("failure_action", .text),
        ("monitor", .duration),
        ("max_failure_ratio", .number),
        ("order", .text.choice(of: ["start-first", "stop-first"])),
    ])

    private static let resources = Rule.object([
        (
            "limits",
            .object([
                ("cpus", .number),
                ("memory", Rule(.init(scalars: .string, meaning: .bytes))),
                ("pids", .integer),
            ]).keepingZero()
        ),
        (
            "reservations",
            .object([
                ("cpus", .number),
                ("memory", Rule(.init(scalars: .string, meaning: .bytes))),
                ("devices", .list(deviceRequest).later("needs a GPU runtime, which is not there")),
                ("generic_resources", .list(genericResource).later(oneHost)),
            ]).keepingZero()
        ),
    ])

    private static let genericResource = Rule.object([
        (
            "discrete_resource_spec",
            .object([
                ("kind", .text.keepingZero().keepingZeroInJSON()),
                ("value", .looseInteger.keepingZero().keepingZeroInJSON()),
            ])
        )
    ])

    private static let restartPolicy = Rule.object([
        ("condition", .text),
        ("delay", .duration.keepingZero()),
        ("max_attempts", .integer.within(0 ... .max).keepingZero()),
        ("window", .duration.keepingZero()),
    ])

    private static let placement = Rule.object([
        ("constraints", .list(.text).later(oneHost)),
        ("preferences", .list(.object([("spread", .text)])).later(oneHost)),
        ("max_replicas_per_node", .integer.within(0 ... .max).later(oneHost)),
    ])
}
