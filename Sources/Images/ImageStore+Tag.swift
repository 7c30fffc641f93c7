public import OCI

extension ImageStore {
    /// Gives an image one more name, which is taken from whatever had it.
    /// - Parameter name: with a tag, or `latest` is meant; a digest cannot be given.
    /// - Throws: ``ImageError/notFound(_:)``, ``ImageError/malformed(subject:reason:)``, ``SystemError``.
    public func tag(_ source: String, as name: ImageReference) throws {
        guard name.digest == nil else {
            throw ImageError.malformed(subject: name.familiar, reason: "an image cannot be given a name with a digest")
        }
        guard let image = try resolve(source) else { throw ImageError.notFound(source) }
        let index = try layout.index()
        let entry = try index.manifests.first { entry in
            try layout.manifestDescriptor(of: entry).digest == image.manifestDigest
        }
        guard let entry else { throw ImageError.notFound(source) }
        try enter([(entry, [name])])
    }

    /// When a name was last given to what it stands for now, by a pull or otherwise; seconds since 1970.
    /// - Returns: nil where that is not known, or there is no such name.
    public func taggedAt(_ reference: String) throws -> Double? {
        let name = try ImageReference(reference)
        let entry = try layout.index().manifests.first { try matches($0, name) }
        return entry?.annotations?[ImageAnnotation.taggedAt].flatMap(Timestamp.seconds)
    }
}
