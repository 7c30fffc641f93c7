internal import NIOCore
internal import NIOHTTP1

/// One repository of a registry.
public struct RegistryRepository: Sendable {
    let client: RegistryClient
    /// `HOST[:PORT]` as image names begin with it.
    public let registry: String
    /// Such as `library/nginx`.
    public let path: String

    /// As users call it.
    var name: String {
        guard registry == ImageHub.domain else { return "\(registry)/\(path)" }
        return path.hasPrefix("library/") ? String(path.dropFirst("library/".count)) : path
    }

    /// Asks one server after the other, until one has an answer. What the last one says counts.
    func fromSources<T>(_ body: (RegistryEndpoint) async throws -> T) async throws -> T {
        let endpoints = try await client.endpoints.sources(of: registry)
        for endpoint in endpoints.dropLast() {
            do { return try await body(endpoint) } catch is RegistryError {
                // A mirror may lack what it has not seen yet, or be down: the registry itself decides.
                try Task.checkCancellation()
            }
        }
        return try await body(endpoints.last!)
    }

    func request(_ method: HTTPMethod, _ target: String, push: Bool = false, subject: String) -> RegistryRequest {
        RegistryRequest(
            method, "/v2/\(path)/\(target)", scopes: [push ? .push(path) : .pull(path)], subject: subject)
    }
}
