internal import NIOCore
internal import NIOHTTP1
internal import OCI

/// A manifest or an index as a registry gave it, its digest checked.
public struct RegistryManifest: Sendable, Equatable {
    public var bytes: [UInt8]
    public var mediaType: String
    public var digest: String

    public init(bytes: [UInt8], mediaType: String, digest: String) {
        self.bytes = bytes
        self.mediaType = mediaType
        self.digest = digest
    }
}

extension RegistryRepository {
    /// More than this is no manifest.
    private static let manifestLimit = 8 << 20
    private static let accepted = [
        MediaType.index, MediaType.dockerIndex, MediaType.manifest, MediaType.dockerManifest,
    ].joined(separator: ", ")

    /// Fetches a manifest or an index.
    /// - Parameter version: a tag or a digest.
    /// - Throws: ``RegistryError``.
    public func manifest(_ version: String) async throws -> RegistryManifest {
        let isDigest = ImageReference.isDigest(version)
        let subject = "manifest for \(name)\(isDigest ? "@" : ":")\(version)"
        return try await fromSources { endpoint in
            var request = request(.GET, "manifests/\(version)", subject: subject)
            request.headers = [("Accept", Self.accepted)]
            var attempt = 0
            while true {
                attempt += 1
                let answer = try await client.connection.perform(request, at: endpoint, expecting: [200])
                do {
                    let bytes = try await answer.collect(limit: Self.manifestLimit)
                    return try Self.checked(
                        bytes, answer, expected: isDigest ? version : nil, subject: subject)
                } catch let failure as HTTPFailure {
                    guard let delay = client.connection.transport.delay(after: attempt, failure) else {
                        throw failure.registryError
                    }
                    try await Task.sleep(for: delay)
                }
            }
        }
    }

    /// The digest that a tag has now, without fetching what it names.
    /// - Returns: nil where the registry does not say.
    /// - Throws: ``RegistryError``.
    public func digest(of version: String) async throws -> String? {
        try await fromSources { endpoint in
            var request = request(.HEAD, "manifests/\(version)", subject: "manifest for \(name):\(version)")
            request.headers = [("Accept", Self.accepted)]
            let answer = try await client.connection.perform(request, at: endpoint, expecting: [200])
            await answer.discard()
            return answer.headers.first(name: "Docker-Content-Digest").flatMap {
                ImageReference.isDigest($0) ? $0 : nil
            }
        }
    }

    private static func checked(
        _ bytes: [UInt8], _ answer: HTTPAnswer, expected: String?, subject: String
    ) throws(RegistryError) -> RegistryManifest {
        let digest = ContentDigest.of(bytes)
        // What we asked for counts; what the registry says of its answer only tells whether that arrived whole.
        let told = answer.headers.first(name: "Docker-Content-Digest")
        if let wanted = expected ?? told, wanted.hasPrefix("sha256:"), wanted != digest {
            throw .digestMismatch(subject: subject, expected: wanted, actual: digest)
        }
        let type = answer.headers.first(name: "Content-Type").map { String($0.prefix { $0 != ";" && $0 != " " }) } ?? ""
        if type == MediaType.dockerManifestV1 || type == MediaType.dockerManifestV1Signed {
            throw .malformed(
                subject: subject,
                reason: "it is of Docker's first format (schema 1), which nobody makes any more: push the image anew")
        }
        return RegistryManifest(bytes: bytes, mediaType: type, digest: digest)
    }

    /// Puts a manifest or an index into the registry.
    /// - Parameter version: a tag or its digest.
    /// - Throws: ``RegistryError``.
    public func putManifest(_ bytes: [UInt8], mediaType: String, as version: String) async throws {
        let endpoint = try await client.endpoints.endpoint(of: registry)
        var request = request(.PUT, "manifests/\(version)", push: true, subject: "manifest for \(name):\(version)")
        request.headers = [("Content-Type", mediaType)]
        request.body = .bytes(bytes)
        let answer = try await client.connection.perform(request, at: endpoint, expecting: [200, 201, 202])
        await answer.discard()
        let digest = ContentDigest.of(bytes)
        if let told = answer.headers.first(name: "Docker-Content-Digest"), told.hasPrefix("sha256:"), told != digest {
            throw RegistryError.digestMismatch(subject: request.subject, expected: digest, actual: told)
        }
    }
}
