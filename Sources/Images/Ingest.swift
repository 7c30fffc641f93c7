internal import CLinux
internal import Crypto
internal import LinuxSystem
internal import OCI

/// One addition of images to the store: blobs and layers are made in directories of its own and appear in the store
/// only by ``publish()``, when all of them are known to be good. What is not published is removed with this object, or,
/// after a crash, by the next ``Ingest``.
///
/// It may be handed from thread to thread, but is used by one at a time.
final class Ingest: @unchecked Sendable {
    private let layout: ImageLayout
    private let layers: LayerStore
    private let lock: TreeLock
    private let directory: String
    private let layerDirectory: String
    private var blobs: [String: IngestedBlob] = [:]
    private var unpacked: [(chainID: String, path: String)] = []
    private var counter = 0

    init(_ layout: ImageLayout, _ layers: LayerStore) throws {
        self.layout = layout
        self.layers = layers
        try layout.create()
        try layers.create()
        if let alone = try TreeLock(tryingAlone: layout.contentLock) {
            // Nobody is adding: whatever lies here was left by a crash.
            try Self.removeRemains(layout, layers)
            withExtendedLifetime(alone) {}
        }
        lock = try TreeLock(shared: layout.contentLock)
        let name = "\(getpid())-\(UInt64.random(in: 0 ... .max))"
        directory = "\(layout.ingest)/\(name)"
        layerDirectory = "\(layers.ingest)/\(name)"
        try Files.makeDirectories(directory, mode: 0o700)
        try Files.makeDirectories(layerDirectory, mode: 0o700)
    }

    deinit {
        // What cannot be removed now is by the next one.
        try? TreeRemoval.remove(directory)
        try? TreeRemoval.remove(layerDirectory)
        withExtendedLifetime(lock) {}
    }

    /// For a caller that holds the content lock alone.
    static func removeRemains(_ layout: ImageLayout, _ layers: LayerStore) throws {
        try removeRemains(of: [layout.ingest, layers.ingest])
    }

    /// For a caller that holds the content lock alone: what cut-off pulls left, too, which others could go on with.
    static func removeDownloads(_ layout: ImageLayout) throws { try removeRemains(of: [layout.downloads]) }

    private static func removeRemains(of directories: [String]) throws {
        for parent in directories {
            for name in try Files.list(parent) { try TreeRemoval.remove("\(parent)/\(name)") }
        }
    }

    // MARK: Blobs

    func makeBlob() throws -> BlobWriter {
        counter += 1
        return try BlobWriter("\(directory)/\(counter)")
    }

    func add(_ blob: IngestedBlob) { blobs[blob.digest] = blob }

    func addDocument(_ bytes: [UInt8]) throws -> IngestedBlob {
        let writer = try makeBlob()
        try bytes.withUnsafeBytes { try writer.write($0) }
        let blob = writer.finish()
        add(blob)
        return blob
    }

    /// Where a blob's content is now: here or in the store already.
    func path(ofBlob digest: String) -> String? {
        if let blob = blobs[digest] { return blob.path }
        return layout.hasBlob(digest) ? layout.blobPath(digest) : nil
    }

    // MARK: Layers

    /// An empty directory to unpack a layer into.
    func makeLayerDirectory() throws -> (path: String, descriptor: OwnedDescriptor) {
        counter += 1
        let path = "\(layerDirectory)/\(counter)"
        try check("mkdir", path) { mkdir(path, 0o755) }
        return (path, try OwnedDescriptor.open(path, O_RDONLY | O_DIRECTORY))
    }

    func addLayer(_ chainID: String, at path: String) { unpacked.append((chainID, path)) }

    /// Where a layer is unpacked: here or in the store already.
    func path(ofLayer chainID: String) -> String? {
        if let own = unpacked.first(where: { $0.chainID == chainID }) { return own.path }
        let path = layers.path(chainID)
        return Files.exists(path) ? path : nil
    }

    // MARK: Publishing

    /// Gives everything its name in the store. The index is to be changed after this, while the object still lives.
    func publish() throws {
        // A blob or layer is believed to be whole when it has its name, so its content must be on the disk before.
        if unpacked.isEmpty {
            for blob in blobs.values {
                let file = try OwnedDescriptor.open(blob.path, O_RDONLY)
                try check("fsync", blob.path) { fsync(file.raw) }
            }
        } else {
            for path in [directory, layerDirectory] {
                let root = try OwnedDescriptor.open(path, O_RDONLY | O_DIRECTORY)
                try check("syncfs", path) { syncfs(root.raw) }
            }
        }
        for blob in blobs.values {
            try check("rename", blob.path) { rename(blob.path, layout.blobPath(blob.digest)) }
        }
        let blobDirectory = try OwnedDescriptor.open("\(layout.directory)/blobs/sha256", O_RDONLY | O_DIRECTORY)
        try check("fsync", layout.directory) { fsync(blobDirectory.raw) }
        for layer in unpacked {
            let target = layers.path(layer.chainID)
            if rename(layer.path, target) != 0, swc_errno() != EEXIST, swc_errno() != ENOTEMPTY {
                throw SystemError.last("rename", target)
            }
        }
        blobs = [:]
        unpacked = []
    }
}
