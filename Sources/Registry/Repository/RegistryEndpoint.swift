internal import NIOSSL

/// A server that is asked for images.
struct RegistryEndpoint: Sendable {
    /// What credentials for it are found by: `docker.io`, or the server's name.
    let registry: String
    /// Its path is `/`.
    let base: WebAddress
    private let configuration: RegistryConfiguration
    private let ownSettings: TLSConfiguration?

    init(
        registry: String, base: WebAddress, _ configuration: RegistryConfiguration, settings: TLSConfiguration?
    ) {
        self.registry = registry
        self.base = base
        self.configuration = configuration
        ownSettings = settings
    }

    /// What connections to `address` are made with: this endpoint's settings for itself, and for where it redirects to,
    /// what is configured there.
    func tls(for address: WebAddress) -> TLSConfiguration? {
        if address.isSameServer(as: base) { return ownSettings }
        if let settings = try? RegistryCertificates.settings(
            for: address.authority, in: configuration.certificateDirectories)
        {
            return settings
        }
        return configuration.isInsecure(address.authority) ? RegistryCertificates.unverified : nil
    }
}

/// Finds out where and how a registry is reached, once for each.
actor EndpointDirectory {
    private let configuration: RegistryConfiguration
    private let transport: HTTPTransport
    private var known: [String: RegistryEndpoint] = [:]

    init(_ configuration: RegistryConfiguration, _ transport: HTTPTransport) {
        self.configuration = configuration
        self.transport = transport
    }

    /// The servers to ask for images of `registry`, in this order: mirrors first, the registry itself last.
    func sources(of registry: String) async throws -> [RegistryEndpoint] {
        var result: [RegistryEndpoint] = []
        if registry == ImageHub.domain { result = try configuration.mirrors.map(mirror) }
        return result + [try await endpoint(of: registry)]
    }

    /// The registry itself.
    /// - Throws: ``RegistryError``.
    func endpoint(of registry: String) async throws -> RegistryEndpoint {
        if let endpoint = known[registry] { return endpoint }
        let endpoint = try await find(registry)
        known[registry] = endpoint
        return endpoint
    }

    private func mirror(_ address: WebAddress) throws -> RegistryEndpoint {
        if let endpoint = known[address.description] { return endpoint }
        var settings: TLSConfiguration?
        if address.scheme == .https { settings = try secureSettings(address.authority) }
        let endpoint = RegistryEndpoint(
            registry: address.authority, base: address, configuration, settings: settings)
        known[address.description] = endpoint
        return endpoint
    }

    private func secureSettings(_ server: String) throws -> TLSConfiguration? {
        try RegistryCertificates.settings(for: server, in: configuration.certificateDirectories)
            ?? (configuration.isInsecure(server) ? RegistryCertificates.unverified : nil)
    }

    private func find(_ registry: String) async throws -> RegistryEndpoint {
        let server = registry == ImageHub.domain ? ImageHub.server : registry
        guard let secure = WebAddress(scheme: .https, authority: server, target: "/"),
            let plain = WebAddress(scheme: .http, authority: server, target: "/")
        else { throw RegistryError.configuration(subject: registry, reason: "it is no registry's name (HOST[:PORT])") }
        let own = try RegistryCertificates.settings(for: server, in: configuration.certificateDirectories)
        let endpoint = RegistryEndpoint(
            registry: registry, base: secure, configuration, settings: try secureSettings(server))
        // Who has certificates for a registry wants them to be used.
        guard own == nil, configuration.isInsecure(server) else { return endpoint }
        do {
            let answer = try await transport.send(
                HTTPRequest(.GET, secure.at("/v2/")!, tls: RegistryCertificates.unverified))
            await answer.discard()
            return endpoint
        } catch let failure as HTTPFailure {
            do {
                let answer = try await transport.send(HTTPRequest(.GET, plain.at("/v2/")!, tls: nil))
                await answer.discard()
                return RegistryEndpoint(registry: registry, base: plain, configuration, settings: nil)
            } catch let other as HTTPFailure {
                // Where TLS came to a connection at all, that it went wrong says more.
                throw (failure.isTLS && !other.isTransient ? failure : other).registryError
            }
        }
    }
}
