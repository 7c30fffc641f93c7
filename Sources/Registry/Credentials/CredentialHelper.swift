internal import FoundationEssentials
internal import LinuxSystem

/// A program `docker-credential-NAME` that keeps credentials, by the protocol of Docker's credential helpers: a verb as
/// its argument, a request on its standard input, an answer in JSON on its standard output.
struct CredentialHelper: Sendable {
    let name: String
    let environment: [String: String]

    private struct Answer: Codable {
        var serverURL: String
        var username: String
        var secret: String
        private enum CodingKeys: String, CodingKey {
            case serverURL = "ServerURL"
            case username = "Username"
            case secret = "Secret"
        }
    }
    /// The user's name that says that the secret is an identity token.
    private static let tokenUser = "<token>"

    private var program: String { "docker-credential-\(name)" }

    /// nil where the helper has none for this registry.
    /// - Throws: ``RegistryError/credentials(_:)``.
    func get(_ key: String) throws -> RegistryCredential? {
        let result = try run("get", key)
        guard result.status == 0 else {
            if result.text.lowercased().hasPrefix("credentials not found") { return nil }
            throw failure("get", result)
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(result.output)) else {
            throw RegistryError.credentials("\(program) get: its answer is not what helpers answer")
        }
        if answer.username == Self.tokenUser { return RegistryCredential(user: "", identityToken: answer.secret) }
        return answer.username.isEmpty ? nil : RegistryCredential(user: answer.username, password: answer.secret)
    }

    func store(_ credential: RegistryCredential, for key: String) throws {
        let answer =
            switch credential.secret {
            case .password(let password): Answer(serverURL: key, username: credential.user, secret: password)
            case .identityToken(let token): Answer(serverURL: key, username: Self.tokenUser, secret: token)
            }
        let request = try JSONEncoder().encode(answer)
        let result = try run("store", String(decoding: request, as: UTF8.self))
        guard result.status == 0 else { throw failure("store", result) }
    }

    /// That there is nothing to erase is no error.
    func erase(_ key: String) throws {
        let result = try run("erase", key)
        guard result.status == 0 || result.text.lowercased().hasPrefix("credentials not found") else {
            throw failure("erase", result)
        }
    }

    private func run(_ verb: String, _ input: String) throws -> HelperProcess.Result {
        // The name comes from a file, and is to name a program in PATH and none elsewhere.
        guard !name.contains("/") else {
            throw RegistryError.credentials("\"\(name)\" is no name of a credential helper")
        }
        do { return try HelperProcess.run([program, verb], input: Array(input.utf8), environment: environment) } catch {
            throw RegistryError.credentials("cannot run credential helper \(program) (\(error))")
        }
    }

    private func failure(_ verb: String, _ result: HelperProcess.Result) -> RegistryError {
        .credentials("\(program) \(verb) failed with exit code \(result.status): \(result.text)")
    }
}
