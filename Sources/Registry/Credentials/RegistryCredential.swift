/// What a registry is told about who asks. Its description does not tell.
public struct RegistryCredential: Sendable, Equatable, CustomStringConvertible {
    /// What the user proves their name with.
    public enum Secret: Sendable, Equatable {
        case password(String)
        /// A token that the registry's token server gave at login, and exchanges for others.
        case identityToken(String)
    }
    public var user: String
    public var secret: Secret

    public init(user: String, password: String) {
        self.user = user
        secret = .password(password)
    }

    public init(user: String, identityToken: String) {
        self.user = user
        secret = .identityToken(identityToken)
    }

    public var description: String { "credential of \(user)" }

    /// The value of an `Authorization` header; nil where there is no password.
    var basic: String? {
        guard case .password(let password) = secret else { return nil }
        return "Basic \(Base64.encode("\(user):\(password)"))"
    }
}
