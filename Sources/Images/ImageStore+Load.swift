internal import CLinux
internal import LinuxSystem
internal import OCI

extension ImageStore {
    /// Takes in the images of an archive made by `docker save`, or of an OCI layout in a tar archive; gzip-compressed or
    /// plain. Every digest is checked and every layer unpacked before any of it appears in the store.
    /// - Parameter path: `-` is standard input.
    /// - Throws: ``ImageError``, ``SystemError``; the store is then as it was.
    public func load(from path: String) throws -> [StoredImage] {
        let subject = path == "-" ? "standard input" : path
        let input = PeekableSource(DescriptorSource(try Self.openArchive(path), subject: subject))
        let source = try Compression.decompressed(input, subject: subject)
        let ingest = try Ingest(layout, layerStore)
        let archive = try ImageArchive(source, subject: subject, limits: layerStore.limits, ingest)
        let loaded: [LoadedImage]
        if archive.contains("index.json") {
            loaded = try loadLayout(archive, ingest)
        } else if archive.contains("manifest.json") {
            loaded = try loadDockerArchive(archive, ingest)
        } else {
            throw ImageError.malformed(
                subject: subject,
                reason: "it holds neither manifest.json nor index.json, so it is no image archive "
                    + "(a root file system is taken by \"image import\")")
        }
        try ingest.publish()
        try enter(loaded.map { ($0.descriptor, $0.names) })
        withExtendedLifetime(ingest) {}
        let index = try layout.index()
        return try loaded.map { try image(of: $0.descriptor, in: index) }
    }

    private struct LoadedImage {
        var descriptor: ImageDescriptor
        var names: [ImageReference]
    }

    // MARK: docker save

    private struct DockerManifest: Decodable {
        var config: String
        var repoTags: [String]?
        var layers: [String]?
        private enum CodingKeys: String, CodingKey {
            case config = "Config"
            case repoTags = "RepoTags"
            case layers = "Layers"
        }
    }

    private func loadDockerArchive(_ archive: ImageArchive, _ ingest: Ingest) throws -> [LoadedImage] {
        try archive.document([DockerManifest].self, "manifest.json").map { entry in
            let config = try archive.file(entry.config)
            // The file is named by its digest: `<hex>.json` or `blobs/sha256/<hex>`.
            let stem = entry.config.split(separator: "/").last.map { $0.hasSuffix(".json") ? $0.dropLast(5) : $0 } ?? ""
            if ImageReference.isHex(stem, count: 64), config.digest != "sha256:\(stem)" {
                throw ImageError.digestMismatch(
                    subject: "\(archive.subject): \(entry.config)", expected: "sha256:\(stem)", actual: config.digest)
            }
            let layers = try (entry.layers ?? []).map { try archive.file($0) }
            let manifest = ImageManifest(
                config: ImageDescriptor(mediaType: MediaType.config, digest: config.digest, size: config.size),
                layers: try layers.map { layer in
                    ImageDescriptor(mediaType: try layerType(layer), digest: layer.digest, size: layer.size)
                })
            let platform = try take(
                manifest, config: entry.config, archive, ingest, blobs: [config] + layers)
            let document = try ingest.addDocument(try ImageLayout.encode(manifest))
            return LoadedImage(
                descriptor: ImageDescriptor(
                    mediaType: MediaType.manifest, digest: document.digest, size: document.size, platform: platform),
                names: try (entry.repoTags ?? []).map { try ImageReference($0) })
        }
    }

    private func layerType(_ layer: IngestedBlob) throws -> String {
        let file = PeekableSource(
            DescriptorSource(try OwnedDescriptor.open(layer.path, O_RDONLY), subject: layer.path))
        let compression = try Compression(
            head: try file.peek(Compression.headLength), subject: "layer \(layer.digest)")
        return compression.layerType
    }

    // MARK: OCI layouts

    private func loadLayout(_ archive: ImageArchive, _ ingest: Ingest) throws -> [LoadedImage] {
        let index = try archive.document(ImageIndex.self, "index.json")
        var loaded: [LoadedImage] = []
        for entry in index.manifests {
            let isIndex = MediaType.isIndex(entry.mediaType)
            // Signatures and the like lie beside images in some layouts.
            guard isIndex || MediaType.isManifest(entry.mediaType) else { continue }
            var descriptor = entry
            descriptor.annotations = nil
            let top = try archive.blob(entry)
            var manifest = entry
            if isIndex {
                let platforms = try archive.document(ImageIndex.self, ImageArchive.blobName(entry.digest))
                manifest = try ImageLayout.choose(
                    from: platforms, subject: "\(archive.subject): image index \(entry.digest)"
                ) { archive.contains(ImageArchive.blobName($0)) }
                ingest.add(top)
            }
            try takeManifest(manifest, archive, ingest)
            let names = try name(of: entry, archive).map { [$0] } ?? []
            if let known = loaded.firstIndex(where: { $0.descriptor.digest == descriptor.digest }) {
                loaded[known].names += names
            } else {
                loaded.append(LoadedImage(descriptor: descriptor, names: names))
            }
        }
        if loaded.isEmpty { throw ImageError.malformed(subject: archive.subject, reason: "there is no image in it") }
        return loaded
    }

    private func takeManifest(_ descriptor: ImageDescriptor, _ archive: ImageArchive, _ ingest: Ingest) throws {
        let blob = try archive.blob(descriptor)
        let subject = "\(archive.subject): manifest \(descriptor.digest)"
        let manifest = try archive.document(ImageManifest.self, ImageArchive.blobName(descriptor.digest))
        try ImageLayout.check(manifest, subject: subject)
        let blobs = try ([manifest.config] + manifest.layers).map { try archive.blob($0) }
        _ = try take(
            manifest, config: ImageArchive.blobName(manifest.config.digest), archive, ingest, blobs: [blob] + blobs)
    }

    /// The complete name where an annotation gives one; a mere tag is taken for a name.
    private func name(of entry: ImageDescriptor, _ archive: ImageArchive) throws -> ImageReference? {
        let annotations = entry.annotations ?? [:]
        guard let name = annotations[ImageAnnotation.containerdName] ?? annotations[ImageAnnotation.referenceName]
        else {
            return nil
        }
        do { return try ImageReference(name) } catch {
            throw ImageError.malformed(subject: archive.subject, reason: error.description)
        }
    }

    // MARK: Both

    /// Checks an image's configuration against its layers, unpacks these, and takes its blobs.
    private func take(
        _ manifest: ImageManifest, config: String, _ archive: ImageArchive, _ ingest: Ingest, blobs: [IngestedBlob]
    ) throws -> ImagePlatform {
        let subject = "\(archive.subject): \(config)"
        let configuration = try archive.document(ImageConfiguration.self, config)
        try ImageLayout.check(configuration, subject: subject)
        try checkLayerCount(manifest, configuration, subject: subject)
        for blob in blobs { ingest.add(blob) }
        let chain = LayerStore.chainIDs(configuration.rootfs.diffIDs)
        for (index, layer) in manifest.layers.enumerated() {
            guard let path = ingest.path(ofBlob: layer.digest) else { continue }
            try unpackLayer(index, of: configuration, chain, blob: path, ingest)
        }
        return configuration.platform
    }
}
