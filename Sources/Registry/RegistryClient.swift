internal import NIOCore
internal import NIOHTTP1
public import OCI

/// A client of registries (OCI distribution specification 1.1). Nothing is opened before the first request; what is open
/// by then is closed by ``shutdown()``, which must be called in the end. ``with(_:configuration:credentials:body:)`` sees
/// to that.
public final class RegistryClient: Sendable {
    let connection: RegistryConnection
    let endpoints: EndpointDirectory
    private let transport: HTTPTransport

    /// How patient a client is.
    public struct Patience: Sendable, Equatable {
        public var retry = RetryPolicy()
        /// To reach a server.
        public var connect: Duration = .seconds(15)
        /// How long an answer may make no progress.
        public var idle: Duration = .seconds(90)
        public init() {}
    }

    /// - Parameter credentials: finds the credential for a registry by its name (`HOST[:PORT]`, `docker.io`).
    public init(
        configuration: RegistryConfiguration, patience: Patience = Patience(),
        credentials: @escaping @Sendable (String) async throws -> RegistryCredential?
    ) {
        transport = HTTPTransport(
            proxies: configuration.proxies, retry: patience.retry, agent: "swcompose", connect: patience.connect,
            idle: patience.idle)
        endpoints = EndpointDirectory(configuration, transport)
        connection = RegistryConnection(
            transport: transport, authorizer: Authorizer(transport, credentials: credentials))
    }

    /// Closes all connections. The client cannot be used afterwards.
    public func shutdown() async { await transport.shutdown() }

    /// The repository that `reference` names.
    public func repository(_ reference: ImageReference) -> RegistryRepository {
        RegistryRepository(client: self, registry: reference.domain, path: reference.path)
    }
}
