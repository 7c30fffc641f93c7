public import OCI

/// An image in the store.
public struct StoredImage: Sendable, Equatable {
    /// Digest of the configuration: what the image is, whatever it is called and however its layers are compressed.
    public var id: String
    public var manifestDigest: String
    /// In complete form (`docker.io/library/nginx:latest`), sorted; empty for an image that lost its names.
    public var names: [String]
    /// Bytes that its configuration and layers take in the store, compressed as they came.
    public var size: Int64
    /// Seconds since 1970; 0 where the image does not say.
    public var createdAt: Double
    public var config: ImageConfiguration
    public var platform: ImagePlatform { config.platform }

    /// The first 12 digits of ``id``, as users see it.
    public var shortID: String { String(id.dropFirst("sha256:".count).prefix(12)) }
    /// Names with tags, as users see them.
    public var tags: [String] {
        references.compactMap { name in name.tag.map { "\(name.familiarRepository):\($0)" } }
    }
    /// Names with digests, as users see them.
    public var repositoryDigests: [String] {
        references.compactMap { name in name.digest.map { "\(name.familiarRepository)@\($0)" } }
    }
    /// ``names`` taken apart.
    var references: [ImageReference] { names.compactMap { try? ImageReference($0) } }
}

/// One line of what a removal did, worded as Docker words it.
public enum ImageRemoval: Sendable, Equatable, CustomStringConvertible {
    /// The name in familiar form.
    case untagged(String)
    /// An image's ID or a layer's chain ID.
    case deleted(String)

    public var description: String {
        switch self {
        case .untagged(let name): "Untagged: \(name)"
        case .deleted(let id): "Deleted: \(id)"
        }
    }
}
