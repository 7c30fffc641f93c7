internal import LinuxSystem
public import OCI
public import Registry

extension ImageStore {
    /// Puts an image into the registry that its name begins with. Of an image for several platforms, what is here of it
    /// goes there: one manifest.
    /// - Parameters:
    ///   - slots: shared by transfers that go on at once.
    ///   - report: what happens to each layer.
    /// - Returns: the manifest's digest.
    /// - Throws: ``ImageError/notFound(_:)``, ``RegistryError``, ``SystemError``, `CancellationError`.
    public func push(
        _ reference: ImageReference, to client: RegistryClient, slots: TransferSlots = TransferSlots(),
        report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> String {
        guard let tag = reference.tag, reference.digest == nil else {
            throw ImageError.unsupported(
                subject: reference.familiar, reason: "an image is pushed by a name with a tag, not by its digest")
        }
        guard let image = try resolve(reference.description) else { throw ImageError.notFound(reference.familiar) }
        let repository = client.repository(reference)
        let manifest = try layout.manifest(image.manifestDigest)
        let document = try Files.read(layout.blobPath(image.manifestDigest))
        let layers = manifest.layers.filter { layer in
            if MediaType.isForeignLayer(layer.mediaType) { report(TransferEvent(layer.digest, .skipped)) }
            return !MediaType.isForeignLayer(layer.mediaType)
        }
        // A layer may be there more than once.
        var seen: Set<String> = []
        let blobs = ([manifest.config] + layers).filter { seen.insert($0.digest).inserted }
        let silent: @Sendable (TransferEvent) -> Void = { _ in }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for blob in blobs {
                let tell = blob.digest == manifest.config.digest ? silent : report
                let sources = try repositories(holding: blob.digest, beside: reference)
                await slots.acquire()
                group.addTask { [layout] in
                    do {
                        try await Self.send(
                            blob, at: layout.blobPath(blob.digest), to: repository, mountingFrom: sources, report: tell)
                    } catch {
                        await slots.release()
                        throw error
                    }
                    await slots.release()
                }
            }
            while try await group.next() != nil {}
        }
        // The manifest comes last: what it refers to must be there.
        try await repository.putManifest(
            document, mediaType: manifest.mediaType ?? MediaType.manifest, as: tag)
        try enter([
            (
                ImageDescriptor(
                    mediaType: manifest.mediaType ?? MediaType.manifest, digest: image.manifestDigest,
                    size: Int64(document.count)), [reference.pinned(to: image.manifestDigest)]
            )
        ])
        return image.manifestDigest
    }

    private static func send(
        _ blob: ImageDescriptor, at path: String, to repository: RegistryRepository, mountingFrom sources: [String],
        report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws {
        let file = BlobFile(path: path, digest: blob.digest, size: blob.size)
        let pace = Pace()
        report(TransferEvent(blob.digest, .waiting))
        let result = try await repository.upload(file, mountingFrom: sources) { done in
            if pace.isTime() {
                report(TransferEvent(blob.digest, .uploading(done: done, total: blob.size)))
            }
        }
        switch result {
        case .alreadyThere: report(TransferEvent(blob.digest, .alreadyThere))
        case .mounted(let source): report(TransferEvent(blob.digest, .mounted(from: source)))
        case .uploaded: report(TransferEvent(blob.digest, .pushed))
        }
    }

    /// Other repositories of the same registry that images here come from which have this blob: the registry probably
    /// has it there, and need not be sent it again. A digest in a name says that the registry was seen to have it.
    private func repositories(holding digest: String, beside target: ImageReference) throws -> [String] {
        var found: Set<String> = []
        for entry in try layout.index().manifests {
            guard let name = entry.storedName, name.digest != nil, name.domain == target.domain,
                name.path != target.path, !found.contains(name.path)
            else { continue }
            let manifest = try layout.manifest(try layout.manifestDescriptor(of: entry).digest)
            if manifest.layers.contains(where: { $0.digest == digest }) { found.insert(name.path) }
        }
        return found.sorted()
    }
}
