internal import FoundationEssentials
internal import NIOHTTP1

/// What an answer that is no success says.
enum AnswerText {
    /// One line of the body; nil where there is nothing to be read.
    static func read(_ body: [UInt8], _ headers: HTTPHeaders) -> String? {
        if let errors = try? JSONDecoder().decode(RegistryErrorBody.self, from: Data(body)), let text = errors.text {
            return text
        }
        guard headers.first(name: "Content-Type")?.hasPrefix("text/plain") ?? false else { return nil }
        let line = String(decoding: body.prefix(400), as: UTF8.self).split(whereSeparator: \.isNewline).first
        return line.map { String($0.prefix(200)) }
    }

    /// The error that an answer stands for.
    static func error(_ answer: HTTPAnswer, _ body: [UInt8], subject: String, host: String) -> RegistryError {
        let said = read(body, answer.headers)
        switch answer.status {
        case 401: return .denied(subject: subject, reason: said ?? "authentication required")
        case 403: return .denied(subject: subject, reason: said ?? "forbidden")
        case 404: return .notFound(subject: subject, reason: said ?? "HTTP 404")
        case 429:
            let wait = answer.headers.first(name: "Retry-After")
                .flatMap { RetryAfter.parse($0, now: WallClock.seconds()) }
            return .rateLimited(
                host: host, reason: said ?? "too many requests", wait: wait.map { Int($0.components.seconds) })
        default:
            let reason = said ?? HTTPResponseStatus(statusCode: answer.status).reasonPhrase
            return .refused(subject: subject, status: answer.status, reason: reason)
        }
    }
}
