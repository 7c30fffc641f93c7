internal import NIOCore
internal import NIOHTTP1

extension RegistryClient {
    /// Tries a name and a password at a registry.
    /// - Returns: what to keep: an identity token where the registry's token server gives one, else the password.
    /// - Throws: ``RegistryError/credentials(_:)`` where they are wrong; ``RegistryError`` else.
    public func login(_ registry: String, as credential: RegistryCredential) async throws -> RegistryCredential {
        do { return try await attempt(registry, credential) } catch RegistryError.denied(_, let reason) {
            throw RegistryError.credentials("login to \(registry) as \(credential.user) failed: \(reason)")
        }
    }

    private func attempt(
        _ registry: String, _ credential: RegistryCredential
    ) async throws -> RegistryCredential {
        let endpoint = try await endpoints.endpoint(of: registry)
        let subject = "registry \(registry)"
        guard let address = endpoint.base.at("/v2/") else {
            throw RegistryError.malformed(subject: subject, reason: "it has no address")
        }
        var request = HTTPRequest(.GET, address, tls: endpoint.tls(for: address))
        let transport = connection.transport
        let first = try await transport.sendPatiently(request)
        let challenges = Challenge.parse(first.headers["WWW-Authenticate"])
        await first.discard()
        guard first.status == 401 else {
            // It lets everybody in, or is none: the specification knows no other answer.
            if first.status == 200 { return credential }
            throw RegistryError.refused(
                subject: subject, status: first.status, reason: "it does not answer as registries do")
        }
        if let challenge = challenges.first(where: { $0.scheme == "bearer" }) {
            let token = try TokenRequest(challenge, endpoint, scopes: [])
            let answer = try await token.send(credential, over: transport, offline: true)
            if let refresh = answer.refreshToken, !refresh.isEmpty {
                return RegistryCredential(user: credential.user, identityToken: refresh)
            }
            request.headers = [("Authorization", "Bearer \(answer.value ?? "")")]
        } else if challenges.contains(where: { $0.scheme == "basic" }), let basic = credential.basic {
            request.headers = [("Authorization", basic)]
        } else {
            throw RegistryError.malformed(
                subject: subject, reason: "it asks for an authorisation that is not known here (basic and bearer are)")
        }
        let second = try await transport.sendPatiently(request)
        let body = try await second.collect()
        guard second.status == 200 else {
            throw AnswerText.error(second, body, subject: subject, host: endpoint.base.authority)
        }
        return credential
    }
}
