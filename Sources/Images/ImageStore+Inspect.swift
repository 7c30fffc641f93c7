public import OCI

extension ImageStore {
    /// What `docker image inspect` shows of an image.
    /// - Throws: ``ImageError/notFound(_:)`` and what ``resolve(_:)`` throws.
    public func inspect(_ reference: String) throws -> ImageInspection {
        guard let image = try resolve(reference) else { throw ImageError.notFound(reference) }
        return ImageInspection(image)
    }
}

/// An image in the form of Docker's JSON, field by field.
public struct ImageInspection: Encodable, Sendable {
    public let id: String
    public let repoTags: [String]
    public let repoDigests: [String]
    public let comment: String
    public let created: String
    public let author: String
    public let config: ImageConfiguration.Defaults
    public let architecture: String
    public let variant: String?
    public let os: String
    /// In bytes, as ``StoredImage/size``.
    public let size: Int64
    public let rootFS: Layers

    public struct Layers: Encodable, Sendable {
        public let type: String
        /// Diff IDs, base first.
        public let layers: [String]
        private enum CodingKeys: String, CodingKey {
            case type = "Type"
            case layers = "Layers"
        }
    }

    public init(_ image: StoredImage) {
        id = image.id
        repoTags = image.tags
        repoDigests = image.repositoryDigests
        comment = image.config.history?.last?.comment ?? ""
        created = image.config.created ?? ""
        author = image.config.author ?? ""
        config = image.config.config ?? .init()
        architecture = image.config.architecture
        variant = image.config.variant
        os = image.config.os
        size = image.size
        rootFS = Layers(type: image.config.rootfs.type, layers: image.config.rootfs.diffIDs)
    }

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case repoTags = "RepoTags"
        case repoDigests = "RepoDigests"
        case comment = "Comment"
        case created = "Created"
        case author = "Author"
        case config = "Config"
        case architecture = "Architecture"
        case variant = "Variant"
        case os = "Os"
        case size = "Size"
        case rootFS = "RootFS"
    }
}
