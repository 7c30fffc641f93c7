internal import FoundationEssentials

/// What a token server answers (the distribution project's "Token Authentication Specification", and its OAuth 2 form).
struct TokenAnswer: Decodable {
    var token: String?
    var accessToken: String?
    /// Seconds.
    var expiresIn: Double?
    var refreshToken: String?

    private enum CodingKeys: String, CodingKey {
        case token
        case accessToken = "access_token"
        case expiresIn = "expires_in"
        case refreshToken = "refresh_token"
    }

    /// The token to show; nil where the answer has none.
    var value: String? { [token, accessToken].compactMap { $0 }.first { !$0.isEmpty } }

    /// How long it may be used: what the specification says where the server says nothing, and some seconds less than
    /// either, so that a token does not end on its way.
    var lifetime: Duration { .seconds(max(expiresIn ?? 60, 60) - 10) }

    /// - Throws: ``RegistryError/malformed(subject:reason:)``.
    static func decode(_ bytes: [UInt8], subject: String) throws(RegistryError) -> TokenAnswer {
        guard let answer = try? JSONDecoder().decode(TokenAnswer.self, from: Data(bytes)) else {
            throw .malformed(subject: subject, reason: "its answer is not what token servers answer")
        }
        return answer
    }
}
