internal import LinuxSystem
public import OCI
public import Registry

/// What a pull did.
public struct PulledImage: Sendable {
    public var image: StoredImage
    /// Of the manifest or index that the name stands for at the registry.
    public var digest: String
    /// Whether the name stood for it before.
    public var isUpToDate: Bool
}

extension ImageStore {
    /// Gets an image from its registry. Layers are downloaded and unpacked at once, each verified before it appears in
    /// the store; those that are there already are not fetched again, and a pull that was cut off is gone on with.
    /// - Parameters:
    ///   - platform: nil: what runs here.
    ///   - slots: shared by pulls that run at once.
    ///   - report: what happens to each layer.
    /// - Throws: ``RegistryError``, ``ImageError``, ``SystemError``, `CancellationError`; the store is then valid, and
    ///   has the name no other than before.
    public func pull(
        _ reference: ImageReference, from client: RegistryClient, platform: ImagePlatform? = nil,
        slots: TransferSlots = TransferSlots(), report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> PulledImage {
        let repository = client.repository(reference)
        // Held to the end: nobody clears up what has no name yet.
        let ingest = try await OwnThread.run { [layout, layerStore] in try Ingest(layout, layerStore) }
        let remote = try await RemoteImage.fetch(reference, platform: platform, from: repository) { [layout] digest in
            layout.hasBlob(digest) ? try Files.read(layout.blobPath(digest)) : nil
        }
        try checkLayerCount(remote.manifest, remote.configuration, subject: reference.familiar)
        if remote.configuration.rootfs.diffIDs.isEmpty {
            throw ImageError.unsupported(subject: reference.familiar, reason: "it has no layers")
        }
        for layer in remote.manifest.layers where layer.size > layerStore.limits.bytes {
            throw ImageError.limit(
                subject: "layer \(layer.digest) of \(reference.familiar)",
                reason: "it has \(layer.size) bytes; the limit is \(layerStore.limits.bytes)")
        }
        try await pullLayers(of: remote, from: repository, slots, report)

        let before = try resolve(reference.description)
        let names = Self.names(reference, digest: remote.top.digest)
        let result = try await OwnThread.run { [self] in
            for document in remote.documents { _ = try ingest.addDocument(document) }
            try ingest.publish()
            try enter([(remote.top, names)])
            return try image(of: remote.top, in: try layout.index())
        }
        withExtendedLifetime(ingest) {}
        return PulledImage(
            image: result, digest: remote.top.digest,
            isUpToDate: before?.id == result.id && before?.manifestDigest == result.manifestDigest)
    }

    /// A pulled image is known by its tag and by its digest; one that was asked for by digest, by that alone.
    private static func names(_ reference: ImageReference, digest: String) -> [ImageReference] {
        reference.digest == nil ? [reference, reference.pinned(to: digest)] : [reference.pinned(to: digest)]
    }

    private func pullLayers(
        of remote: RemoteImage, from repository: RegistryRepository, _ slots: TransferSlots,
        _ report: @escaping @Sendable (TransferEvent) -> Void
    ) async throws {
        let chain = LayerStore.chainIDs(remote.configuration.rootfs.diffIDs)
        let layers = remote.manifest.layers.enumerated().map { index, descriptor in
            LayerPull(
                layout: layout, layerStore: layerStore, repository: repository, descriptor: descriptor,
                diffID: remote.configuration.rootfs.diffIDs[index], chainID: chain[index], report: report)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            // A layer needs those below it only to be published, so that is done in order, and all else is not.
            var gates: [AsyncGate] = []
            for (index, layer) in layers.enumerated() {
                await slots.acquire()
                if gates.contains(where: \.hasFailed) {
                    await slots.release()
                    break
                }
                let (below, gate) = (gates.last, AsyncGate())
                gates.append(gate)
                group.addTask {
                    defer { gate.open(succeeded: false) }
                    let prepared: LayerPull.Prepared?
                    do { prepared = try await layer.prepare() } catch {
                        await slots.release()
                        throw error
                    }
                    await slots.release()
                    guard await below?.pass() ?? true else { return }
                    if let prepared { try await layer.publish(prepared, lower: Array(chain[..<index])) }
                    gate.open(succeeded: true)
                }
            }
            // The first error withdraws all others.
            while try await group.next() != nil {}
        }
    }
}
