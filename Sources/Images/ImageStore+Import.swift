internal import CLinux
public import OCI
internal import LinuxSystem

extension ImageStore {
    /// Makes an image of one layer from a root file system in a tar archive, gzip-compressed or plain.
    ///
    /// The archive is read once: the blob is stored as given while its content is unpacked.
    /// - Parameters:
    ///   - path: the archive; `-` is standard input.
    ///   - name: the image's name; empty for none.
    ///   - changes: Dockerfile instructions such as `CMD ["nginx"]`; see ``ImageChanges``.
    ///   - message: put into the image's history.
    /// - Throws: ``ImageError``, ``ImageReferenceError``, ``SystemError``; the store is then as it was.
    public func importRootfs(
        from path: String, name: String, changes: [String] = [], message: String? = nil,
        platform: ImagePlatform = .current
    ) throws -> StoredImage {
        let reference = name.isEmpty ? nil : try ImageReference(name)
        if reference?.digest != nil {
            throw ImageError.malformed(subject: name, reason: "an image cannot be named by a digest when it is made")
        }
        var configuration = ImageConfiguration(platform: platform)
        configuration.config = try ImageChanges.apply(changes, to: .init())

        let subject = path == "-" ? "standard input" : path
        let file = try Self.openArchive(path)
        let input = PeekableSource(DescriptorSource(file, subject: subject))
        let compression = try Compression(head: try input.peek(Compression.headLength), subject: subject)
        let ingest = try Ingest(layout, layerStore)
        let blob = try ingest.makeBlob()
        let target = try ingest.makeLayerDirectory()
        var unpacker = LayerUnpacker(into: target.descriptor, subject: subject, limits: layerStore.limits)
        let stored = PeekableSource(StoringSource(input, into: blob))
        let content = HashingSource(try Compression.decompressed(stored, subject: subject))
        try unpacker.unpack(try PrefetchSource(content))
        let layer = blob.finish()
        let diffID = content.digest
        ingest.add(layer)
        ingest.addLayer(diffID, at: target.path)

        let now = Timestamp.now()
        configuration.created = now
        configuration.rootfs.diffIDs = [diffID]
        configuration.history = [
            .init(created: now, createdBy: "swcompose image import", comment: message ?? "imported from \(subject)")
        ]
        let document = try ingest.addDocument(try ImageLayout.encode(configuration))
        let manifest = ImageManifest(
            config: ImageDescriptor(mediaType: MediaType.config, digest: document.digest, size: document.size),
            layers: [
                ImageDescriptor(
                    mediaType: compression.layerType, digest: layer.digest, size: layer.size)
            ])
        let manifestBlob = try ingest.addDocument(try ImageLayout.encode(manifest))
        try ingest.publish()
        let descriptor = ImageDescriptor(
            mediaType: MediaType.manifest, digest: manifestBlob.digest, size: manifestBlob.size, platform: platform)
        try enter([(descriptor, reference.map { [$0] } ?? [])])
        withExtendedLifetime(ingest) {}
        return try image(of: descriptor, in: try layout.index())
    }

    /// `-` is standard input.
    static func openArchive(_ path: String) throws -> OwnedDescriptor {
        guard path != "-" else {
            return OwnedDescriptor(try check("dup", "standard input") { swc_fcntl_int(0, F_DUPFD_CLOEXEC, 3) })
        }
        let file = try OwnedDescriptor.open(path, O_RDONLY)
        var info = stat()
        try check("fstat", path) { fstat(file.raw, &info) }
        if TreeEntryKind(mode: info.st_mode) == .directory {
            throw ImageError.malformed(subject: path, reason: "it is a directory, not a tar archive")
        }
        return file
    }
}
