internal import CLinux
internal import LinuxSystem
internal import OCI

extension ImageStore {
    /// Reads all of the store and compares it with what it says it is: every name leads to a manifest, every manifest to
    /// its configuration and layers, every blob has the digest and size it is known by, every layer's blob unpacks to
    /// its diff ID. What is unpacked already is not compared file by file.
    /// - Parameter report: told of each thing that is wrong, in one line.
    /// - Returns: how many images and blobs were looked at.
    /// - Throws: ``SystemError`` where the store cannot be read at all.
    public func verify(report: (String) -> Void) throws -> (images: Int, blobs: Int) {
        guard Files.exists(layout.directory) else { return (0, 0) }
        // Nobody clears up meanwhile.
        let lock = try TreeLock(shared: layout.contentLock)
        defer { withExtendedLifetime(lock) {} }
        var good: Set<String> = []
        let names = try Files.list("\(layout.directory)/blobs/sha256")
        for name in names {
            let digest = "sha256:\(name)"
            guard ImageReference.isDigest(digest) else {
                report("blobs/sha256/\(name): it is called by no digest")
                continue
            }
            let actual = try self.digest(of: layout.blobPath(digest), decompressed: false)
            if actual == digest { good.insert(digest) } else { report("blob \(digest): its digest is \(actual)") }
        }
        var images: Set<String> = []
        var layers: Set<String> = []
        for entry in try layout.index().manifests {
            let name = entry.storedName?.familiar ?? entry.digest
            do { try verify(entry, good, &images, &layers) { report("image \(name): \($0)") } } catch {
                report("image \(name): \(error)")
            }
        }
        return (images.count, names.count)
    }

    private func verify(
        _ entry: ImageDescriptor, _ good: Set<String>, _ images: inout Set<String>, _ layers: inout Set<String>,
        _ report: (String) -> Void
    ) throws {
        guard good.contains(entry.digest) else { return report("\(entry.digest) is missing or damaged") }
        let descriptor = try layout.manifestDescriptor(of: entry)
        guard good.contains(descriptor.digest) else { return report("\(descriptor.digest) is missing or damaged") }
        guard images.insert(descriptor.digest).inserted else { return }
        let manifest = try layout.manifest(descriptor.digest)
        guard good.contains(manifest.config.digest) else {
            return report("configuration \(manifest.config.digest) is missing or damaged")
        }
        let configuration = try layout.configuration(manifest.config.digest)
        try checkLayerCount(manifest, configuration, subject: "manifest \(descriptor.digest)")
        for (layer, diffID) in zip(manifest.layers, configuration.rootfs.diffIDs) {
            guard good.contains(layer.digest) else {
                report("layer \(layer.digest) is missing or damaged")
                continue
            }
            guard layers.insert("\(layer.digest) \(diffID)").inserted else { continue }
            let actual = try digest(of: layout.blobPath(layer.digest), decompressed: true)
            if actual != diffID { report("layer \(layer.digest): its diff ID is \(actual), but must be \(diffID)") }
        }
    }

    private func digest(of path: String, decompressed: Bool) throws -> String {
        let file = DescriptorSource(try OwnedDescriptor.open(path, O_RDONLY), subject: path)
        let content: any ByteSource =
            decompressed ? try Compression.decompressed(PeekableSource(file), subject: path) : file
        let hashing = HashingSource(content)
        try hashing.drain()
        return hashing.digest
    }
}
