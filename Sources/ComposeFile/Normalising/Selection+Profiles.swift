extension Selection {
    /// Tells of profiles asked for that no service has. The reference says nothing of them, and starts nothing.
    ///
    /// A name in `COMPOSE_PROFILES` may be for another project: it is told only where it looks like a misspelling.
    func warnUnknownProfiles(_ options: LoadOptions, _ environment: [String: String], _ reporter: Reporter) {
        let isExplicit = !options.profiles.isEmpty
        let wanted =
            isExplicit
            ? options.profiles
            : (environment["COMPOSE_PROFILES"] ?? "").split(separator: ",").map { String($0.filter { $0 != " " }) }
        guard !wanted.isEmpty else { return }
        var known: Set<String> = []
        for services in [self.services, disabled] {
            for entry in services {
                for profile in entry.value["profiles"]?.sequence ?? [] {
                    if let text = profile.string { known.insert(text) }
                }
            }
        }
        for name in wanted where name != "*" && !name.isEmpty && !known.contains(name) {
            let near = Suggestion.nearest(to: name, among: known.sorted())
            guard isExplicit || near != nil else { continue }
            reporter.warn(
                "no service has the profile \"\(name)\"",
                hint: near.map { "did you mean `\($0)`?" }
                    ?? Advice.spelling(name, among: known.sorted(), kind: "profiles"),
                code: .undefinedProfile)
        }
    }
}
