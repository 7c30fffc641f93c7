extension Schema {
    static let port = Rule.object([
        ("name", .text),
        ("mode", .text),
        ("host_ip", .text),
        ("target", .integer.within(0...4_294_967_295)),
        ("published", Rule(.init(scalars: [.integer, .string], meaning: .text)).whole()),
        ("protocol", .text),
        ("app_protocol", .text),
    ]).or([.string, .number])

    static let mount = Rule.object(
        [
            ("type", .text.choice(of: ["bind", "volume", "tmpfs", "cluster", "npipe", "image"])),
            ("source", .text),
            ("target", .text),
            ("read_only", .flag),
            ("consistency", .text),
            (
                "bind",
                .object([
                    ("selinux", .text.choice(of: ["z", "Z"])),
                    ("propagation", .text),
                    ("create_host_path", .flag),
                    ("recursive", .text.choice(of: ["enabled", "disabled", "writable", "readonly"])),
                ]).keepingZero()
            ),
            (
                "volume",
                .object([
                    ("labels", .pairs),
                    ("nocopy", .flag),
                    ("subpath", .text),
                ]).keepingZero()
            ),
            (
                "tmpfs",
                .object([
                    ("size", .wholeBytes.within(0 ... .max)),
                    ("mode", Rule(.init(scalars: [.number, .string], meaning: .integer, range: 0...4_294_967_295))),
                ]).keepingZero()
            ),
            ("image", .object([("subpath", .text)]).keepingZero()),
        ], required: ["type"]
    ).orText()

    /// A service's use of a secret or config.
    static let fileReference = Rule.object([
        ("source", .text),
        ("target", .text),
        ("uid", .text),
        ("gid", .text),
        ("mode", .fileMode),
    ]).orText()

    static let device = Rule.object(
        [("source", .text), ("target", .text), ("permissions", .text)], required: ["source"]
    ).orText()

    static let ulimits = Rule.map(
        of: Rule(
            .init(scalars: [.integer, .string], meaning: .integer, cast: .integer, merge: .replace, keepsZero: true),
            fields: .init(
                [
                    ("soft", .integer.keepingZeroInYAML()),
                    ("hard", .integer.keepingZeroInYAML()),
                ], required: ["soft", "hard"])))

    private static let deviceFields: [(String, Rule)] = [
        ("capabilities", .strings),
        ("driver", .text),
        ("count", Rule(.init(scalars: [.string, .integer], meaning: .integer)).whole()),
        ("device_ids", .strings),
        ("options", .pairs),
    ]
    static let gpus = Rule(
        .init(scalars: .string, choices: ["all"]),
        item: .object(deviceFields, open: true))
    static let deviceRequest = Rule.object(deviceFields)

    private static let path = Rule.text.inJSON("Path").keepingZeroInJSON()
    private static let weight = Rule(.init(scalars: .integer, meaning: .integer)).within(0...65535)
    private static let weights = Rule.list(
        .object(
            [("path", path), ("weight", weight.inJSON("Weight").keepingZeroInJSON())], extensions: false)
    ).later()
    private static let rates = Rule.list(
        .object(
            [("path", path), ("rate", .wholeBytes.inJSON("Rate").keepingZero().keepingZeroInJSON())], extensions: false)
    ).later()

    static let blkio = Rule.object(
        [
            ("weight", weight),
            ("weight_device", weights),
            ("device_read_bps", rates),
            ("device_read_iops", rates),
            ("device_write_bps", rates),
            ("device_write_iops", rates),
        ], extensions: false)
}
