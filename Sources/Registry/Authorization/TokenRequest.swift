internal import NIOCore
internal import NIOHTTP1

/// A request to the token server that a registry's challenge names.
struct TokenRequest: Sendable {
    let realm: WebAddress
    private let service: String?
    private let scopes: [String]
    private let endpoint: RegistryEndpoint

    /// - Throws: ``RegistryError/malformed(subject:reason:)`` where the challenge names no server, or one that a
    ///   password must not be shown to.
    init(_ challenge: Challenge, _ endpoint: RegistryEndpoint, scopes: [String]) throws(RegistryError) {
        let subject = "registry \(endpoint.registry)"
        guard let text = challenge.parameters["realm"], let realm = WebAddress(text) else {
            throw .malformed(subject: subject, reason: "its challenge names no token server")
        }
        guard realm.scheme == .https || endpoint.base.scheme == .http || HostName.isLoopback(realm.host) else {
            throw .malformed(
                subject: subject, reason: "its token server \(realm) is not reached by https, so nothing is sent to it")
        }
        self.realm = realm
        self.endpoint = endpoint
        self.scopes = scopes
        service = challenge.parameters["service"]
    }

    /// - Parameter offline: whether a token is wanted that can be exchanged for others later.
    /// - Throws: ``RegistryError``.
    func send(
        _ credential: RegistryCredential?, over transport: HTTPTransport, offline: Bool = false
    ) async throws -> TokenAnswer {
        let request =
            switch credential?.secret {
            case .identityToken(let token): exchange(token)
            case .password, nil: get(credential, offline: offline)
            }
        let answer = try await transport.sendPatiently(request)
        let body = try await answer.collect()
        let subject = "token server \(realm.authority)"
        switch answer.status {
        case 200: return try TokenAnswer.decode(body, subject: subject)
        case 400, 401, 403:
            let reason =
                AnswerText.read(body, answer.headers)
                ?? (credential == nil ? "it wants a user name and password" : "wrong user name, password or token")
            throw RegistryError.denied(subject: "registry \(endpoint.registry)", reason: reason)
        default: throw AnswerText.error(answer, body, subject: subject, host: realm.authority)
        }
    }

    private func get(_ credential: RegistryCredential?, offline: Bool) -> HTTPRequest {
        var items: [(name: String, value: String)] = []
        if let user = credential?.user, !user.isEmpty { items.append(("account", user)) }
        if offline { items += [("client_id", Self.clientID), ("offline_token", "true")] }
        if let service { items.append(("service", service)) }
        items += scopes.map { ("scope", $0) }
        var request = HTTPRequest(.GET, realm.adding(items), tls: endpoint.tls(for: realm))
        if let basic = credential?.basic { request.headers.append(("Authorization", basic)) }
        return request
    }

    private func exchange(_ token: String) -> HTTPRequest {
        var fields = [("grant_type", "refresh_token"), ("client_id", Self.clientID), ("refresh_token", token)]
        if let service { fields.append(("service", service)) }
        if !scopes.isEmpty { fields.append(("scope", scopes.joined(separator: " "))) }
        let form = fields.map { "\($0)=\(WebAddress.escaped($1))" }.joined(separator: "&")
        var request = HTTPRequest(.POST, realm, tls: endpoint.tls(for: realm))
        request.headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        request.body = .bytes(Array(form.utf8))
        return request
    }

    private static let clientID = "swcompose"
}
