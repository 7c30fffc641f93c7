internal import NIOCore
internal import NIOHTTP1

/// A request to a registry, before it is known whose server gets it and with what authorisation.
struct RegistryRequest: Sendable {
    var method: HTTPMethod
    /// Path and query.
    var target: String
    /// Where the registry said to go on, in place of the above.
    var address: WebAddress?
    var headers: [(String, String)] = []
    var body = HTTPRequest.Body.none
    var scopes: Set<AccessScope> = []
    /// What it is about, in errors.
    var subject: String

    init(_ method: HTTPMethod, _ target: String, scopes: Set<AccessScope>, subject: String) {
        self.method = method
        self.target = target
        self.scopes = scopes
        self.subject = subject
    }
}

/// Exchanges with registries as they are to be done: authorised, redirected, repeated.
struct RegistryConnection: Sendable {
    let transport: HTTPTransport
    let authorizer: Authorizer
    private static let longestRedirection = 10

    /// Sends a request until it gets an answer that is meant to be final.
    /// - Parameter expected: statuses that the caller takes; every other one is an error.
    /// - Throws: ``RegistryError``; `CancellationError`.
    func perform(
        _ request: RegistryRequest, at endpoint: RegistryEndpoint, expecting expected: Set<Int>
    ) async throws -> HTTPAnswer {
        var attempt = 0
        while true {
            attempt += 1
            do {
                let answer = try await once(request, at: endpoint)
                if expected.contains(answer.status) { return answer }
                if RetryPolicy.isTransient(answer.status), let delay = transport.delay(after: attempt, answer) {
                    await answer.discard()
                    try await Task.sleep(for: delay)
                    continue
                }
                throw await error(answer, request)
            } catch let failure as HTTPFailure {
                guard let delay = transport.delay(after: attempt, failure) else {
                    throw failure.registryError
                }
                try await Task.sleep(for: delay)
            }
        }
    }

    /// The error that an answer stands for.
    func error(_ answer: HTTPAnswer, _ request: RegistryRequest) async -> RegistryError {
        let body = (try? await answer.collect()) ?? []
        return AnswerText.error(answer, body, subject: request.subject, host: answer.address.authority)
    }

    /// Sends a request once, but for what authorisation and redirections need.
    /// - Throws: ``HTTPFailure``; ``RegistryError``; `CancellationError`.
    func once(_ request: RegistryRequest, at endpoint: RegistryEndpoint) async throws -> HTTPAnswer {
        guard var address = request.address ?? endpoint.base.at(request.target) else {
            throw RegistryError.malformed(subject: request.subject, reason: "\"\(request.target)\" is no path")
        }
        var method = request.method
        var authorization = await authorizer.header(for: endpoint, request.scopes)
        var isChallenged = false
        for _ in 0..<Self.longestRedirection {
            var message = HTTPRequest(method, address, tls: endpoint.tls(for: address))
            message.headers = request.headers
            message.body = method == request.method ? request.body : .none
            // A registry's blobs often lie on somebody else's server, whom its tokens are no business of.
            let isRegistry = address.isSameServer(as: endpoint.base)
            if isRegistry, let authorization { message.headers.append(("Authorization", authorization)) }
            let answer = try await transport.send(message)
            switch answer.status {
            case 401 where isRegistry && !isChallenged:
                isChallenged = true
                let challenges = Challenge.parse(answer.headers["WWW-Authenticate"])
                guard
                    let better = try await authorizer.answer(
                        challenges, from: endpoint, request.scopes, refused: authorization)
                else { return answer }
                await answer.discard()
                authorization = better
            case 301, 302, 303, 307, 308:
                guard let location = answer.headers.first(name: "Location"), let next = address.resolving(location)
                else {
                    throw RegistryError.malformed(
                        subject: request.subject, reason: "\(address.authority) redirects to nowhere")
                }
                guard next.scheme == .https || address.scheme == .http else {
                    throw RegistryError.malformed(
                        subject: request.subject,
                        reason: "\(address.authority) redirects from https to \(next.authority) by plain http")
                }
                await answer.discard()
                if answer.status == 303 { method = .GET }
                address = next
            default: return answer
            }
        }
        throw RegistryError.malformed(
            subject: request.subject, reason: "\(endpoint.base.authority) redirects in circles")
    }
}
