extension Schema {
    private static let contexts = Rule(
        .init(uniqueItems: true, merge: .keyValues, identity: .key), item: .text, values: .text.keepingZero())
    private static let attestation = Rule(.init(scalars: [.string, .boolean], meaning: .text))

    static let build = Rule(
        .init(scalars: .string, merge: .build),
        fields: .init([
            ("context", .text),
            ("dockerfile", .text),
            ("dockerfile_inline", .text),
            ("entitlements", .list(.text)),
            ("args", .variables),
            ("provenance", attestation),
            ("sbom", attestation),
            ("ssh", .keys),
            ("labels", .pairs),
            ("cache_from", .list(.text)),
            ("cache_to", .list(.text)),
            ("no_cache", .flag),
            ("no_cache_filter", .stringOrList),
            ("additional_contexts", contexts),
            ("pull", .flag),
            ("extra_hosts", .hosts),
            ("isolation", .text),
            ("network", .text),
            ("target", .text),
            ("secrets", .list(fileReference)),
            ("shm_size", .wholeBytes),
            ("tags", .list(.text).identified(by: .key)),
            ("ulimits", ulimits),
            ("platforms", .list(.text)),
            ("privileged", .flag),
        ]))

    static let develop = Rule.object([
        (
            "watch",
            .list(
                .object(
                    [
                        ("path", .text),
                        (
                            "action",
                            .text.choice(of: ["rebuild", "sync", "restart", "sync+restart", "sync+exec"])
                        ),
                        ("target", .text),
                        ("exec", hook.keepingZeroInJSON()),
                        ("include", .stringOrList.unique()),
                        ("ignore", .stringOrList.unique()),
                        ("initial_sync", .flagWithoutText),
                    ], required: ["path", "action"]))
        )
    ]).alsoNull()
}
