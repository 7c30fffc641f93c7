/// What can go wrong between here and a registry. The text is meant for the user.
public enum RegistryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no such manifest or blob.
    case notFound(subject: String, reason: String)
    /// The registry wants other credentials, or any at all.
    case denied(subject: String, reason: String)
    /// The registry takes no more requests for now. `wait`: seconds until it will, where it says so.
    case rateLimited(host: String, reason: String, wait: Int?)
    /// An answer that the request was not made for.
    case refused(subject: String, status: Int, reason: String)
    /// No connection, or one that broke, and trying again did not help.
    case unreachable(host: String, reason: String)
    /// An answer that is not by the specification.
    case malformed(subject: String, reason: String)
    case digestMismatch(subject: String, expected: String, actual: String)
    /// Docker's configuration or a credential helper cannot be used.
    case credentials(String)
    /// A file or variable that says how to reach registries is wrong.
    case configuration(subject: String, reason: String)

    public var description: String {
        switch self {
        case .notFound(let subject, let reason): "\(subject) not found: \(reason)"
        case .denied(let subject, let reason):
            "access to \(subject) is denied: \(reason) (it may not exist, or need \"swcompose login\")"
        case .rateLimited(let host, let reason, let wait):
            "\(host) takes no more requests for now: \(reason)"
                + (wait.map { "; it asks to try again in \($0) s" } ?? "; try again later, or log in")
        case .refused(let subject, let status, let reason): "\(subject): HTTP \(status): \(reason)"
        case .unreachable(let host, let reason): "cannot reach \(host): \(reason)"
        case .malformed(let subject, let reason): "\(subject): \(reason)"
        case .digestMismatch(let subject, let expected, let actual):
            "\(subject): its digest is \(actual), but must be \(expected)"
        case .credentials(let text): text
        case .configuration(let subject, let reason): "\(subject): \(reason)"
        }
    }
}

/// The errors that a registry lists in the body of an answer.
struct RegistryErrorBody: Decodable {
    struct Entry: Decodable {
        var code: String?
        var message: String?
    }
    var errors: [Entry]?
    /// Token servers and proxies say it in their own ways.
    var message: String?
    var details: String?
    var error: String?
    var errorDescription: String?

    private enum CodingKeys: String, CodingKey {
        case errors, message, details, error
        case errorDescription = "error_description"
    }

    /// One line; nil where nothing was said.
    var text: String? {
        let listed = (errors ?? []).compactMap { entry -> String? in
            let code = entry.code.map { String($0.lowercased().map { $0 == "_" ? " " : $0 }) }
            switch (code, entry.message) {
            case (let code?, let message?) where !message.isEmpty && message.lowercased() != code:
                return "\(code): \(message)"
            case (let code?, _): return code
            case (nil, let message): return message
            }
        }
        if !listed.isEmpty { return listed.joined(separator: "; ") }
        return [errorDescription, details, message, error].compactMap { $0 }.first { !$0.isEmpty }
    }
}
