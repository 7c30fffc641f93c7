internal import LinuxSystem

/// Knows what to put into `Authorization` headers: learns from a registry's challenges, gets tokens, and keeps them as
/// long as they are good.
actor Authorizer {
    private struct Key: Hashable {
        var server: String
        var scopes: Set<AccessScope>
    }
    private struct Held {
        var header: String
        var expires: ContinuousClock.Instant?
    }

    private let transport: HTTPTransport
    private let credentials: @Sendable (String) async throws -> RegistryCredential?
    private var held: [Key: Held] = [:]
    /// Servers that take the same header for everything.
    private var basic: [String: String] = [:]
    /// Token requests under way, so that layers that are asked for at once share one.
    private var running: [Key: Task<Held, any Error>] = [:]
    private let clock = ContinuousClock()

    /// - Parameter credentials: finds the credential for a registry by its name (`HOST[:PORT]`).
    init(
        _ transport: HTTPTransport, credentials: @escaping @Sendable (String) async throws -> RegistryCredential?
    ) {
        self.transport = transport
        self.credentials = credentials
    }

    /// What is known to be good for this; nil: nothing yet, so ask without.
    func header(for endpoint: RegistryEndpoint, _ scopes: Set<AccessScope>) -> String? {
        if let header = basic[endpoint.base.authority] { return header }
        guard let token = held[Key(server: endpoint.base.authority, scopes: scopes)] else { return nil }
        if let expires = token.expires, expires <= clock.now { return nil }
        return token.header
    }

    /// Answers the challenge of a 401.
    /// - Parameter refused: the header that was just not good enough.
    /// - Returns: the header to try again with; nil where there is none better than the one refused.
    /// - Throws: ``RegistryError``.
    func answer(
        _ challenges: [Challenge], from endpoint: RegistryEndpoint, _ scopes: Set<AccessScope>, refused: String?
    ) async throws -> String? {
        let server = endpoint.base.authority
        let key = Key(server: server, scopes: scopes)
        // Another request may have been faster.
        if let header = header(for: endpoint, scopes), header != refused { return header }
        if let challenge = challenges.first(where: { $0.scheme == "bearer" }) {
            let task =
                running[key]
                ?? Task { try await self.token(for: challenge, endpoint, scopes) }
            running[key] = task
            defer { running[key] = nil }
            let token = try await task.value
            held[key] = token
            return token.header == refused ? nil : token.header
        }
        if challenges.contains(where: { $0.scheme == "basic" }) {
            guard let header = try await credentials(endpoint.registry)?.basic, header != refused else {
                basic[server] = nil
                return nil
            }
            basic[server] = header
            return header
        }
        return nil
    }

    private func token(
        for challenge: Challenge, _ endpoint: RegistryEndpoint, _ scopes: Set<AccessScope>
    ) async throws -> Held {
        let credential = try await credentials(endpoint.registry)
        // What the registry asks for counts beside what we know that we are going to need.
        var wanted = Set(scopes.map(\.description))
        if let scope = challenge.parameters["scope"] {
            let missing = scope.split(separator: " ").filter { asked in
                !scopes.contains { $0.description.hasPrefix(asked.prefix { $0 != "," }) }
            }
            wanted.formUnion(missing.map(String.init))
        }
        let request = try TokenRequest(challenge, endpoint, scopes: wanted.sorted())
        let answer = try await request.send(credential, over: transport)
        guard let token = answer.value else {
            throw RegistryError.malformed(subject: "token server \(request.realm)", reason: "its answer has no token")
        }
        return Held(header: "Bearer \(token)", expires: clock.now + answer.lifetime)
    }
}
