extension Schema {
    private static let windowsOnly = "has no meaning on Linux: it is for Windows containers"

    static let service = Rule.object([
        ("profiles", .strings.identified(by: .key)),
        ("annotations", .pairs),
        ("attach", .flag.keepingZero()),
        ("build", build),
        ("develop", develop),
        ("blkio_config", blkio),
        ("cap_add", .strings.identified(by: .key)),
        ("cap_drop", .strings.identified(by: .key)),
        ("cgroup_parent", .text),
        ("cgroup", .text.choice(of: ["host", "private"])),
        ("cpu_count", .integer.within(0 ... .max).later(windowsOnly)),
        (
            "cpu_percent",
            Rule(.init(scalars: [.integer, .string], meaning: .number, cast: .number)).within(0...100).later(
                windowsOnly)
        ),
        ("cpu_period", .looseInteger),
        ("cpu_quota", .looseInteger),
        ("cpu_rt_period", .looseInteger.later("needs real-time group scheduling, which cgroup v2 does not have")),
        ("cpu_rt_runtime", .looseInteger.later("needs real-time group scheduling, which cgroup v2 does not have")),
        ("cpus", .number),
        ("cpuset", .text),
        ("cpu_shares", .looseInteger),
        ("command", .command.keepingZeroInJSON()),
        ("configs", .list(fileReference).identified(by: .mount(""))),
        (
            "container_name",
            .text.matching(
                "at least two characters of a-z, A-Z, 0-9, `_`, `.` and `-`", "[a-zA-Z0-9][a-zA-Z0-9_.-]",
                containsContainerName)
        ),
        ("credential_spec", credentialSpec.later(windowsOnly)),
        ("depends_on", dependsOn),
        ("deploy", deploy),
        ("device_cgroup_rules", .strings),
        ("devices", .list(device).identified(by: .device)),
        ("dns", .stringOrList.identified(by: .key)),
        ("dns_opt", .strings.identified(by: .key)),
        ("dns_search", .stringOrList.identified(by: .key)),
        ("domainname", .text),
        ("entrypoint", .command.keepingZeroInJSON()),
        ("provider", provider.later()),
        ("environment", .variables),
        ("env_file", envFile),
        ("expose", .list(.textOrNumber.whole()).identified(by: .number)),
        ("extends", extends),
        ("external_links", .strings.later()),
        ("extra_hosts", .hosts),
        ("group_add", .list(.textOrNumber.whole()).unique()),
        ("gpus", gpus.later("needs a GPU runtime, which is not there")),
        ("hostname", .text),
        ("healthcheck", healthcheck),
        ("image", .text),
        ("init", .flag.keepingZero()),
        ("ipc", .text),
        ("isolation", .text),
        ("labels", .pairs),
        ("label_file", .stringOrList),
        ("links", .strings.identified(by: .key)),
        ("logging", logging),
        ("mem_limit", .bytes),
        ("mem_reservation", .wholeBytes),
        ("memswap_limit", .bytes),
        ("mem_swappiness", .wholeBytes.later("exists in cgroup v1 only")),
        ("mac_address", .text),
        ("models", models.later("needs a model runner, which is not there")),
        ("network_mode", .text),
        ("networks", networks),
        ("oom_kill_disable", .flag.later("exists in cgroup v1 only")),
        ("oom_score_adj", .integer.within(-1000...1000)),
        ("pid", .text.alsoNull()),
        ("pids_limit", .looseInteger),
        ("platform", .text),
        ("ports", .list(port).unique().identified(by: .port)),
        ("privileged", .flag),
        ("pull_policy", .text.matching(pullPolicies, pullPolicyExpression, containsPullPolicy)),
        (
            "pull_refresh_after",
            .text.hidden().later("has no effect in any known tool; use pull_policy: every_<duration>")
        ),
        ("read_only", .flag),
        ("restart", .text),
        ("runtime", .text),
        ("scale", .integer.keepingZero()),
        ("secrets", .list(fileReference).identified(by: .mount("/run/secrets"))),
        ("security_opt", .strings),
        ("shm_size", .bytes),
        ("stdin_open", .flag),
        ("stop_grace_period", .duration.keepingZero()),
        ("stop_signal", .text),
        (
            "storage_opt",
            .map(
                of: Rule(
                    .init(scalars: [.string, .integer, .null], meaning: .text, keepsZero: true, nullIsText: true))
            ).later()
        ),
        ("sysctls", .pairs),
        ("tmpfs", .stringOrList.identified(by: .key)),
        ("tty", .flag),
        ("ulimits", ulimits),
        ("use_api_socket", .flagWithoutText.later("needs the Docker API, which this runtime does not have")),
        ("user", .text),
        ("userns_mode", .text),
        ("uts", .text),
        ("volumes", .list(mount).unique().identified(by: .volume)),
        ("volumes_from", .strings),
        ("working_dir", .text),
        ("pre_start", .list(preStartHook).later()),
        ("post_start", .list(hook)),
        ("pre_stop", .list(hook)),
    ])

    private static let pullPolicyExpression =
        "always|never|build|if_not_present|missing|refresh|daily|weekly|^every_[0-9]+[wdhms]"
    private static let pullPolicies = "always, never, missing, if_not_present, build, daily, weekly, every_<duration>"

    /// A whole name is not asked for: the reference finds the pattern anywhere in the text.
    private static func containsContainerName(_ text: String) -> Bool {
        let isFirst = { (byte: UInt8) in
            (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39)
        }
        let bytes = Array(text.utf8)
        return zip(bytes, bytes.dropFirst()).contains { first, second in
            isFirst(first) && (isFirst(second) || second == 0x5F || second == 0x2E || second == 0x2D)
        }
    }

    private static func containsPullPolicy(_ text: String) -> Bool {
        let fixed = ["always", "never", "build", "if_not_present", "missing", "refresh", "daily", "weekly"]
        if fixed.contains(where: text.contains) { return true }
        guard text.hasPrefix("every_") else { return false }
        let duration = text.dropFirst(6).utf8
        let digits = duration.prefix { $0 >= 48 && $0 <= 57 }
        guard !digits.isEmpty, let unit = duration.dropFirst(digits.count).first else { return false }
        return "wdhms".utf8.contains(unit)
    }

    private static let dependsOn = Rule(
        .init(uniqueItems: true, namedKeys: true, merge: .dependsOn), item: .text,
        values: .object(
            [
                (
                    "condition",
                    .text.choice(of: ["service_started", "service_healthy", "service_completed_successfully"])
                ),
                ("restart", .flag),
                ("required", .flagWithoutText.keepingZero()),
            ], required: ["condition"]))

    private static let networks = Rule(
        .init(uniqueItems: true, namedKeys: true, merge: .names), item: .text,
        values: Rule.object([
            ("aliases", .strings.identified(by: .key)),
            ("driver_opts", .options.later()),
            ("gw_priority", Rule(.init(scalars: .number, meaning: .integer))),
            ("interface_name", .text),
            ("ipv4_address", .text),
            ("ipv6_address", .text),
            ("link_local_ips", .strings.identified(by: .key).later()),
            ("mac_address", .text),
            ("priority", Rule(.init(scalars: .number, meaning: .integer))),
        ]).alsoNull())

    private static let models = Rule(
        .init(uniqueItems: true, namedKeys: true, merge: .names), item: .text,
        values: Rule.object([("endpoint_var", .text), ("model_var", .text)]).alsoNull())

    private static let healthcheck = Rule.object([
        ("test", Rule(.init(scalars: .string, merge: .replace), item: .text)),
        ("timeout", .duration.keepingZero()),
        ("interval", .duration.keepingZero()),
        ("retries", .looseInteger.within(0 ... .max).keepingZero()),
        ("start_period", .duration.keepingZero()),
        ("start_interval", .duration.keepingZero()),
        ("disable", .flag),
    ])

    private static let logging = Rule(
        .init(merge: .logging),
        fields: .init([
            ("driver", .text),
            (
                "options",
                .map(
                    of: Rule(
                        .init(scalars: [.string, .number, .null], meaning: .text, keepsZero: true, nullIsText: true)))
            ),
        ]))

    private static let envFile = Rule(
        .init(scalars: .string, merge: .concatenate, identity: .envFile),
        item: Rule.object(
            [
                ("path", .text),
                ("required", .flag.keepingZero().omittingTrue()),
                ("format", .text),
            ], required: ["path"], extensions: false
        ).orText())

    private static let extends = Rule.object(
        [("file", .text), ("service", .text)], required: ["service"], extensions: false
    ).orText()

    private static let provider = Rule.object(
        [
            ("type", .text),
            (
                "options",
                .map(of: Rule(.init(scalars: [.string, .number, .boolean]), item: .textOrNumber.or(.boolean)))
            ),
        ], required: ["type"])

    private static let credentialSpec = Rule.object([("config", .text), ("file", .text), ("registry", .text)])

    static let hookFields: [(String, Rule)] = [
        ("command", .command.keepingZeroInJSON()),
        ("user", .text),
        ("privileged", .flag),
        ("working_dir", .text),
        ("environment", .variables),
    ]
    static let hook = Rule.object(hookFields, required: ["command"])
    private static let preStartHook = Rule.object(
        hookFields + [("image", .text), ("per_replica", .flag)], required: ["command"])
}
