/// The project's name: `-p`, `COMPOSE_PROJECT_NAME`, `name:` of the last file that has one, the directory's name.
enum ProjectName {
    static func resolve(
        _ options: LoadOptions, _ surroundings: Surroundings, documents: [Node], reporter: Reporter
    ) throws(ComposeFileError) -> String {
        if let explicit = options.projectName ?? surroundings.environment["COMPOSE_PROJECT_NAME"], !explicit.isEmpty {
            guard isValid(explicit) else {
                throw reporter.fatal(
                    "invalid project name \"\(explicit)\": must consist only of lowercase alphanumeric characters, "
                        + "hyphens, and underscores as well as start with a letter or number",
                    hint: normalised(explicit).isEmpty ? nil : "`\(normalised(explicit))` would be valid",
                    code: .invalidProjectName)
            }
            return explicit
        }
        var name = ""
        var isGiven = false
        for document in documents {
            guard let node = document["name"], let text = node.string, !text.isEmpty else { continue }
            isGiven = true
            if options.noInterpolate {
                name = text
            } else {
                let interpolator = Interpolator(environment: surroundings.environment, reporter: reporter)
                name = interpolator.substitute(text, at: node.mark, path: ["name"]) ?? ""
            }
        }
        if options.noNormalize, isGiven { return name }
        name = normalised(name)
        if name.isEmpty, !isGiven { name = normalised(Paths.name(of: surroundings.projectDirectory)) }
        if name.isEmpty {
            throw reporter.fatal(
                "project name must not be empty", hint: "give one with -p or `name:`", code: .invalidProjectName)
        }
        return name
    }

    static func isValid(_ name: String) -> Bool { !name.isEmpty && normalised(name) == name }

    /// Lower case, other characters than `a-z0-9_-` left out, none of `_-` in front.
    static func normalised(_ name: String) -> String {
        let kept = name.lowercased().utf8.filter {
            ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F || $0 == 0x2D
        }
        return String(decoding: kept.drop { $0 == 0x5F || $0 == 0x2D }, as: UTF8.self)
    }
}
