public import LinuxSystem
internal import OCI
internal import CLinux

/// The images on this host: an OCI image layout, whose index names each image by its complete reference, and the
/// unpacked layers. Any number of processes may use it at once. All methods block.
public struct ImageStore: Sendable {
    let layout: ImageLayout
    let layerStore: LayerStore

    public init(paths: HostPaths, limits: LayerLimits = LayerLimits()) {
        layout = ImageLayout(paths.images)
        layerStore = LayerStore(paths, limits: limits)
    }

    /// Finds an image by name (`latest` where no tag is given), `name@digest`, ID, or at least 12 digits of it.
    /// - Returns: nil where there is none.
    /// - Throws: ``ImageReferenceError``; ``ImageError/ambiguous(_:)``; errors of a damaged store.
    public func resolve(_ reference: String) throws -> StoredImage? {
        if let prefix = Self.idPrefix(reference) {
            let matches = try list().filter { $0.id.hasPrefix(prefix) }
            if matches.count > 1 { throw ImageError.ambiguous(reference) }
            if let match = matches.first { return match }
            // A name may look like the beginning of an ID.
            if reference.hasPrefix("sha256:") || reference.utf8.count == 64 { return nil }
        }
        let name = try ImageReference(reference)
        let index = try layout.index()
        guard let descriptor = try index.manifests.first(where: { try matches($0, name) }) else { return nil }
        return try image(of: descriptor, in: index)
    }

    /// All images, newest first.
    public func list() throws -> [StoredImage] {
        let index = try layout.index()
        var seen: [String: Int] = [:]
        var images: [StoredImage] = []
        for descriptor in index.manifests {
            let image = try image(of: descriptor, in: index)
            // Two manifests of one configuration (layers compressed differently) are one image to users.
            if let known = seen[image.id] {
                images[known].names = Set(images[known].names + image.names).sorted()
            } else {
                seen[image.id] = images.count
                images.append(image)
            }
        }
        return images.sorted { ($0.createdAt, $1.id) > ($1.createdAt, $0.id) }
    }

    /// The directories of an image's unpacked layers, top first, as overlayfs takes them. Unpacks those that are
    /// missing; a layer that another process is unpacking is waited for.
    /// - Throws: ``ImageError``; ``SystemError``.
    public func layers(of image: StoredImage) throws -> [String] {
        let chain = LayerStore.chainIDs(image.config.rootfs.diffIDs)
        guard !chain.isEmpty else {
            throw ImageError.malformed(subject: "image \(image.shortID)", reason: "it has no layers")
        }
        let paths = chain.map(layerStore.path)
        if !paths.allSatisfy(Files.exists) {
            let manifest = try layout.manifest(image.manifestDigest)
            try checkLayerCount(manifest, image.config, subject: "image \(image.shortID)")
            for (index, layer) in manifest.layers.enumerated() where !Files.exists(paths[index]) {
                let lock = try layerStore.lock(chain[index])
                defer { withExtendedLifetime(lock) {} }
                if Files.exists(paths[index]) { continue }
                let ingest = try Ingest(layout, layerStore)
                try unpackLayer(
                    index, of: image.config, chain, blob: layout.blobPath(layer.digest), ingest)
                try ingest.publish()
            }
        }
        return paths.reversed()
    }

    // MARK: Shared by the parts of the store

    /// Unpacks one layer into `ingest`, where not there already.
    func unpackLayer(
        _ index: Int, of configuration: ImageConfiguration, _ chain: [String], blob: String, _ ingest: Ingest
    ) throws {
        if ingest.path(ofLayer: chain[index]) != nil { return }
        let target = try ingest.makeLayerDirectory()
        let lower = chain[..<index].reversed().compactMap { ingest.path(ofLayer: $0) }
        let source = DescriptorSource(try OwnedDescriptor.open(blob, O_RDONLY), subject: blob)
        let implied = try layerStore.unpack(
            source, diffID: configuration.rootfs.diffIDs[index], into: target.descriptor)
        try layerStore.inheritAttributes(of: implied, in: target.descriptor, lower: lower)
        ingest.addLayer(chain[index], at: target.path)
    }

    func checkLayerCount(_ manifest: ImageManifest, _ configuration: ImageConfiguration, subject: String) throws {
        let count = configuration.rootfs.diffIDs.count
        guard manifest.layers.count == count else {
            throw ImageError.malformed(
                subject: subject,
                reason: "its manifest has \(manifest.layers.count) layers, but its configuration \(count)")
        }
        guard count <= layerStore.limits.layers else {
            throw ImageError.limit(
                subject: subject, reason: "it has \(count) layers; at most \(layerStore.limits.layers) are possible")
        }
    }

    /// What an entry of the index stands for, with all names that the index has for it.
    func image(of entry: ImageDescriptor, in index: ImageIndex) throws -> StoredImage {
        let descriptor = try layout.manifestDescriptor(of: entry)
        let manifest = try layout.manifest(descriptor.digest)
        let configuration = try layout.configuration(manifest.config.digest)
        let names = index.manifests.filter { $0.digest == entry.digest }.compactMap { $0.storedName?.description }
        return StoredImage(
            id: manifest.config.digest, manifestDigest: descriptor.digest,
            names: names.sorted(),
            size: manifest.layers.reduce(manifest.config.size) { $0 + $1.size },
            createdAt: configuration.created.flatMap(Timestamp.seconds) ?? 0, config: configuration)
    }

    /// Whether an entry of the index is what `name` means: by digest where one is given, whatever the tag.
    func matches(_ entry: ImageDescriptor, _ name: ImageReference) throws -> Bool {
        guard let stored = entry.storedName, stored.repository == name.repository else { return false }
        guard let digest = name.digest else { return stored.tag == name.tag && stored.digest == nil }
        return try entry.digest == digest || stored.digest == digest
            || layout.manifestDescriptor(of: entry).digest == digest
    }

    /// `sha256:` and digits where `text` is an ID or the beginning of one.
    static func idPrefix(_ text: String) -> String? {
        let digits = text.hasPrefix("sha256:") ? text.dropFirst("sha256:".count) : Substring(text)
        guard (12...64).contains(digits.utf8.count), ImageReference.isHex(digits) else { return nil }
        return "sha256:\(digits)"
    }

    /// Writes images into the index: each name is taken from whatever had it, which stays without a name if it was its
    /// last.
    func enter(_ images: [(descriptor: ImageDescriptor, names: [ImageReference])]) throws {
        let now = Timestamp.now()
        try layout.updateIndex { index in
            for (descriptor, names) in images {
                var bare = descriptor
                bare.annotations = nil
                let taken = Set(names.map(\.description))
                for position in index.manifests.indices.reversed() {
                    let entry = index.manifests[position]
                    if let name = entry.storedName?.description, taken.contains(name) {
                        index.dropName(at: position)
                    }
                }
                if names.isEmpty {
                    if !index.manifests.contains(where: { $0.digest == bare.digest }) { index.manifests.append(bare) }
                    continue
                }
                index.manifests.removeAll { $0.digest == bare.digest && $0.storedName == nil }
                for name in names {
                    var entry = bare
                    entry.annotations = [
                        ImageAnnotation.referenceName: name.description, ImageAnnotation.taggedAt: now,
                    ]
                    index.manifests.append(entry)
                }
            }
        }
    }
}

extension ImageDescriptor {
    /// The name an entry of the store's index has; nil for one without.
    var storedName: ImageReference? {
        annotations?[ImageAnnotation.referenceName].flatMap { try? ImageReference($0) }
    }
}

extension ImageIndex {
    /// Takes the name of one entry away. The entry stays without one where it is the last for its image.
    mutating func dropName(at position: Int) {
        let digest = manifests[position].digest
        if manifests.indices.contains(where: { $0 != position && manifests[$0].digest == digest }) {
            manifests.remove(at: position)
        } else {
            manifests[position].annotations = nil
        }
    }
}
