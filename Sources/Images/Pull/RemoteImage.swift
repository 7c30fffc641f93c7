internal import FoundationEssentials
internal import OCI
internal import Registry

/// What a registry says of an image, before anything of its content is here: all digests checked.
struct RemoteImage: Sendable {
    /// What the reference names: a manifest, or an index.
    var top: ImageDescriptor
    var manifestDigest: String
    var manifest: ImageManifest
    var configuration: ImageConfiguration
    /// Index, manifest, configuration, as they came.
    var documents: [[UInt8]]

    /// - Parameter platform: nil: this machine's.
    /// - Throws: ``RegistryError``, ``ImageError``.
    static func fetch(
        _ reference: ImageReference, platform: ImagePlatform?, from repository: RegistryRepository,
        cached: @Sendable (String) throws -> [UInt8]?
    ) async throws -> RemoteImage {
        let subject = reference.familiar
        var found = try await repository.manifest(reference.digest ?? reference.tag ?? "latest")
        var documents = [found.bytes]
        var top = try descriptor(found, subject)
        if MediaType.isIndex(top.mediaType) {
            let index = try ImageLayout.decode(ImageIndex.self, found.bytes, subject: "\(subject): image index")
            let choice = try ImageLayout.choose(from: index, for: platform, subject: subject)
            guard ImageReference.isDigest(choice.digest) else {
                throw ImageError.malformed(subject: subject, reason: "\"\(choice.digest)\" is no digest")
            }
            if let bytes = try cached(choice.digest) {
                found = RegistryManifest(bytes: bytes, mediaType: choice.mediaType, digest: choice.digest)
            } else {
                found = try await repository.manifest(choice.digest)
            }
            documents.append(found.bytes)
            // The store finds this machine's platform by itself.
            let here = try ImageLayout.best(in: index, for: nil)
            if here?.digest != choice.digest { top.platform = choice.platform ?? platform }
            guard try MediaType.isManifest(descriptor(found, subject).mediaType) else {
                throw ImageError.malformed(subject: subject, reason: "its index leads to another index")
            }
        }
        let manifest = try ImageLayout.decode(ImageManifest.self, found.bytes, subject: "\(subject): manifest")
        try ImageLayout.check(manifest, subject: "\(subject): manifest")
        guard [MediaType.config, MediaType.dockerConfig].contains(manifest.config.mediaType) else {
            throw ImageError.unsupported(
                subject: subject, reason: "it is no image, but of type \(manifest.config.mediaType)")
        }
        let config: [UInt8]
        if let bytes = try cached(manifest.config.digest) {
            config = bytes
        } else {
            config = try await repository.document(manifest.config, limit: ImageLayout.maximumDocumentSize)
        }
        documents.append(config)
        let configuration = try ImageLayout.decode(
            ImageConfiguration.self, config, subject: "\(subject): configuration")
        try ImageLayout.check(configuration, subject: "\(subject): configuration")
        if let platform, !platform.accepts(configuration.platform) {
            throw ImageError.unsupported(
                subject: subject, reason: "it is for \(configuration.platform), not for \(platform)")
        }
        return RemoteImage(
            top: top, manifestDigest: found.digest, manifest: manifest, configuration: configuration,
            documents: documents)
    }

    /// What a document is says its own media type, or its content; the registry's word is only for those that do not.
    private static func descriptor(_ found: RegistryManifest, _ subject: String) throws -> ImageDescriptor {
        let members = try ImageLayout.decode(Members.self, found.bytes, subject: "\(subject): manifest")
        guard members.schemaVersion == 2 else {
            throw ImageError.unsupported(
                subject: subject,
                reason: "its manifest is of version \(members.schemaVersion.map(String.init) ?? "none") "
                    + "(2 is supported): push the image anew")
        }
        // One that is both would be read as the one thing here and as the other elsewhere.
        guard (members.manifests == nil) != (members.layers == nil && members.config == nil) else {
            throw ImageError.malformed(subject: subject, reason: "its manifest is neither an image's nor an index")
        }
        let told = members.mediaType ?? found.mediaType
        let isIndex = members.manifests != nil
        let fits = isIndex ? MediaType.isIndex(told) : MediaType.isManifest(told)
        guard fits || members.mediaType == nil else {
            throw ImageError.malformed(
                subject: subject, reason: "its manifest is not of the type that it says it is (\(told))")
        }
        return ImageDescriptor(
            mediaType: fits ? told : isIndex ? MediaType.index : MediaType.manifest, digest: found.digest,
            size: Int64(found.bytes.count))
    }

    private struct Members: Decodable {
        struct Anything: Decodable { init(from decoder: any Decoder) throws {} }
        var schemaVersion: Int?
        var mediaType: String?
        var manifests: [Anything]?
        var layers: [Anything]?
        var config: Anything?
    }
}
