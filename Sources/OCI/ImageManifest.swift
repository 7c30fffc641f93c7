/// What a blob is, how long, and its digest: the image specification's content descriptor.
public struct ImageDescriptor: Codable, Sendable, Equatable {
    public var mediaType: String
    public var digest: String
    /// In bytes.
    public var size: Int64
    public var annotations: [String: String]?
    public var platform: ImagePlatform?

    public init(
        mediaType: String, digest: String, size: Int64, annotations: [String: String]? = nil,
        platform: ImagePlatform? = nil
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.annotations = annotations
        self.platform = platform
    }
}

/// An image manifest: configuration and layers, base first.
public struct ImageManifest: Codable, Sendable, Equatable {
    public var schemaVersion = 2
    public var mediaType: String? = MediaType.manifest
    public var config: ImageDescriptor
    public var layers: [ImageDescriptor]
    public var annotations: [String: String]?

    public init(config: ImageDescriptor, layers: [ImageDescriptor]) {
        self.config = config
        self.layers = layers
    }
}

/// An image index: one image for several platforms, or the table of contents of an image layout.
public struct ImageIndex: Codable, Sendable, Equatable {
    public var schemaVersion = 2
    public var mediaType: String? = MediaType.index
    public var manifests: [ImageDescriptor]
    public var annotations: [String: String]?

    public init(manifests: [ImageDescriptor] = []) { self.manifests = manifests }
}

/// Media types of the image specification, and Docker's for the same things.
public enum MediaType {
    public static let index = "application/vnd.oci.image.index.v1+json"
    public static let manifest = "application/vnd.oci.image.manifest.v1+json"
    public static let config = "application/vnd.oci.image.config.v1+json"
    public static let layer = "application/vnd.oci.image.layer.v1.tar"
    public static let layerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
    public static let dockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json"
    public static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    public static let layerZstd = "application/vnd.oci.image.layer.v1.tar+zstd"
    public static let dockerConfig = "application/vnd.docker.container.image.v1+json"
    public static let dockerLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    /// Docker's manifests of before 2015, with the image's history and no configuration.
    public static let dockerManifestV1 = "application/vnd.docker.distribution.manifest.v1+json"
    public static let dockerManifestV1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws"

    public static func isIndex(_ type: String) -> Bool { type == index || type == dockerIndex }
    public static func isManifest(_ type: String) -> Bool { type == manifest || type == dockerManifest }
    /// Layers that their makers do not let registries hand on: they are not pushed.
    public static func isForeignLayer(_ type: String) -> Bool {
        type.hasPrefix("application/vnd.docker.image.rootfs.foreign.")
            || type.hasPrefix("application/vnd.oci.image.layer.nondistributable.")
    }
}

/// Annotations that are read or written here.
public enum ImageAnnotation {
    /// In an image layout's index: the image's name. Written here in its complete form.
    public static let referenceName = "org.opencontainers.image.ref.name"
    /// In the store's index: when the image got this name, RFC 3339.
    public static let taggedAt = "io.swcompose.image.tagged-at"
    /// What containerd and Docker write beside it: always the complete form.
    public static let containerdName = "io.containerd.image.name"
}
