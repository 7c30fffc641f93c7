internal import LinuxSystem
internal import OCI

extension ImageStore {
    /// Removes a name, and with an image's last name the image. An ID removes all names, if they are of one repository.
    /// - Parameters:
    ///   - force: also where an ID has names in several repositories, or a container uses the image, which then stays
    ///     without a name.
    ///   - isInUse: whether a container uses the image with this ID. The caller sees to it that none is made meanwhile.
    /// - Returns: what was done, in order.
    /// - Throws: ``ImageError/notFound(_:)``, ``ImageError/conflict(_:)``, ``SystemError``.
    public func remove(
        _ reference: String, force: Bool = false, isInUse: (String) -> Bool = { _ in false }
    ) throws -> [ImageRemoval] {
        guard let image = try resolve(reference) else { throw ImageError.notFound(reference) }
        let byID = Self.idPrefix(reference).map(image.id.hasPrefix) ?? false
        let used = isInUse(image.id)
        var removals: [ImageRemoval] = []
        var forgotten = false
        try layout.updateIndex { index in
            let all = try self.all(of: image, in: index)
            let doomed = byID ? all.names : try named(reference, all.names)
            if byID, !force, Set(doomed.map(\.repository)).count > 1 {
                throw ImageError.conflict(
                    "unable to delete \(image.shortID) (must be forced) - image is referenced in multiple repositories")
            }
            let isLast = doomed.count == all.names.count
            if isLast, used, !force {
                throw ImageError.conflict(
                    "unable to remove repository reference \"\(reference)\" (must force) - a container is using its "
                        + "referenced image \(image.shortID)")
            }
            if isLast, used, doomed.isEmpty {
                throw ImageError.conflict("unable to delete \(image.shortID) - image is being used by a container")
            }
            for name in doomed {
                if let position = index.manifests.firstIndex(where: { $0.storedName == name }) {
                    index.dropName(at: position)
                }
                removals.append(.untagged(name.familiar))
            }
            if isLast, !used {
                index.manifests.removeAll { all.digests.contains($0.digest) && $0.storedName == nil }
                forgotten = true
            }
        }
        guard forgotten else { return removals }
        return removals + [.deleted(image.id)] + (try removeContent(of: image))
    }

    /// All names of an image, and the digests of the index's entries for it, which may be several.
    private func all(
        of image: StoredImage, in index: ImageIndex
    ) throws -> (names: [ImageReference], digests: Set<String>) {
        var names: [ImageReference] = []
        var digests: Set<String> = []
        for entry in index.manifests {
            let manifest = try layout.manifest(try layout.manifestDescriptor(of: entry).digest)
            guard manifest.config.digest == image.id else { continue }
            digests.insert(entry.digest)
            if let name = entry.storedName { names.append(name) }
        }
        return (names.sorted { $0.description < $1.description }, digests)
    }

    /// Those of `names` that `reference` means. Docker: with a tag also the digest names of the repository, where no
    /// other tag of it is left.
    private func named(_ reference: String, _ names: [ImageReference]) throws -> [ImageReference] {
        let wanted = try ImageReference(reference)
        let inRepository = names.filter { $0.repository == wanted.repository }
        if wanted.digest != nil { return inRepository.filter { $0.digest == wanted.digest } }
        let others = inRepository.filter { $0.tag != nil && $0.tag != wanted.tag }
        return inRepository.filter { $0.tag == wanted.tag || ($0.digest != nil && others.isEmpty) }
    }

    /// Deletes blobs and layers of an image that is in the index no more, but those that others have too. While
    /// somebody adds images, which may be about to use them, all of it is left to ``collectGarbage()``.
    private func removeContent(of image: StoredImage) throws -> [ImageRemoval] {
        guard let alone = try TreeLock(tryingAlone: layout.contentLock) else { return [] }
        defer { withExtendedLifetime(alone) {} }
        return try removeUnreferenced()
    }

    /// Deletes blobs and layers that no image in the index refers to, and what crashes left behind.
    /// - Returns: the chain IDs of the layers deleted; nothing is done while somebody adds images.
    public func collectGarbage() throws -> [ImageRemoval] {
        guard Files.exists(layout.directory), let alone = try TreeLock(tryingAlone: layout.contentLock) else {
            return []
        }
        defer { withExtendedLifetime(alone) {} }
        try Ingest.removeRemains(layout, layerStore)
        try Ingest.removeDownloads(layout)
        return try removeUnreferenced()
    }

    /// For a caller that holds the content lock alone.
    private func removeUnreferenced() throws -> [ImageRemoval] {
        var blobs: Set<String> = []
        var layers: Set<String> = []
        // A damaged image stops this: what it refers to is not known.
        for entry in try layout.index().manifests {
            let descriptor = try layout.manifestDescriptor(of: entry)
            let manifest = try layout.manifest(descriptor.digest)
            let configuration = try layout.configuration(manifest.config.digest)
            blobs.formUnion([entry.digest, descriptor.digest, manifest.config.digest] + manifest.layers.map(\.digest))
            layers.formUnion(LayerStore.chainIDs(configuration.rootfs.diffIDs))
        }
        for name in try Files.list("\(layout.directory)/blobs/sha256") {
            let digest = "sha256:\(name)"
            guard ImageReference.isDigest(digest), !blobs.contains(digest) else { continue }
            layout.forget(digest)
            try TreeRemoval.remove(layout.blobPath(digest))
        }
        var removals: [ImageRemoval] = []
        for name in try Files.list(layerStore.directory) {
            let chainID = "sha256:\(name)"
            guard ImageReference.isDigest(chainID), !layers.contains(chainID) else { continue }
            try layerStore.remove(chainID)
            removals.append(.deleted(chainID))
        }
        return removals
    }
}
