/// What a bearer token is to allow, as Docker's token servers understand it.
struct AccessScope: Sendable, Hashable, CustomStringConvertible {
    /// Such as `library/nginx`.
    var repository: String
    var actions: [String]

    static func pull(_ repository: String) -> AccessScope { AccessScope(repository: repository, actions: ["pull"]) }
    static func push(_ repository: String) -> AccessScope {
        AccessScope(repository: repository, actions: ["pull", "push"])
    }

    /// `repository:library/nginx:pull`
    var description: String { "repository:\(repository):\(actions.joined(separator: ","))" }
}
