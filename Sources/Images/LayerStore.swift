internal import CLinux
internal import Crypto
internal import LinuxSystem
internal import OCI
internal import SystemPackage

/// Unpacked layers: one directory each, named by chain ID, read-only to everybody once it has its name.
struct LayerStore: Sendable {
    let directory: String
    /// Locks of layers being unpacked; empty files, gone after a reboot.
    private let lockDirectory: String
    let limits: LayerLimits

    init(_ paths: HostPaths, limits: LayerLimits) {
        directory = paths.layers
        lockDirectory = "\(paths.run)/locks"
        self.limits = limits
    }

    /// Where layers are unpacked before they get their names.
    var ingest: String { "\(directory)/.ingest" }
    /// The name is without `sha256:`: mount options give the colon a meaning.
    func path(_ chainID: String) -> String { "\(directory)/\(chainID.dropFirst("sha256:".count))" }

    /// The directories are for root alone: setuid programs of an image must not be run outside of containers.
    func create() throws {
        try Files.makeDirectories(directory, mode: 0o700)
        try Files.makeDirectories(ingest, mode: 0o700)
    }

    /// Held while a layer is unpacked, so that others wait for it and do not repeat the work.
    func lock(_ chainID: String) throws -> FileLock {
        try FileLock("\(lockDirectory)/layer-\(chainID.dropFirst("sha256:".count))")
    }

    /// The same, without waiting: nil where another holds it.
    func tryLock(_ chainID: String) throws -> FileLock? {
        try FileLock(trying: "\(lockDirectory)/layer-\(chainID.dropFirst("sha256:".count))")
    }

    /// Held while a blob is downloaded; taken after the layer's, where both are needed.
    func tryLock(blob digest: String) throws -> FileLock? {
        try FileLock(trying: "\(lockDirectory)/blob-\(digest.dropFirst("sha256:".count))")
    }

    /// A chain ID names a layer together with all that lie below it: the base's is its diff ID, every other's is the
    /// digest of the chain ID below and its own diff ID. Base first.
    static func chainIDs(_ diffIDs: [String]) -> [String] {
        var chain: [String] = []
        for diffID in diffIDs {
            guard let below = chain.last else {
                chain.append(diffID)
                continue
            }
            chain.append(SHA256.hash(data: Array("\(below) \(diffID)".utf8)).digestString)
        }
        return chain
    }

    /// Unpacks a layer and checks that it is the one that `diffID` names.
    /// - Parameter source: the archive as the blob has it, compressed or not; it is read to its end.
    /// - Returns: what ``inheritAttributes(of:in:lower:)`` is to be called with.
    func unpack(
        _ source: any ByteSource, diffID: String, into target: OwnedDescriptor
    ) throws -> [TreePath] {
        let subject = "layer \(diffID)"
        let hashing = HashingSource(try Compression.decompressed(PeekableSource(source), subject: subject))
        var unpacker = LayerUnpacker(into: target, subject: subject, limits: limits)
        try unpacker.unpack(try PrefetchSource(hashing))
        let digest = hashing.digest
        guard digest == diffID else {
            throw ImageError.digestMismatch(subject: subject, expected: diffID, actual: digest)
        }
        return unpacker.impliedDirectories
    }

    /// Gives directories that a layer has only because of what is in them the attributes they have below.
    /// - Parameter lower: the unpacked layers below, top first.
    func inheritAttributes(of paths: [TreePath], in directory: OwnedDescriptor, lower: [String]) throws {
        if paths.isEmpty || lower.isEmpty { return }
        let own = TreeRoot(directory)
        let below = try lower.map { TreeRoot(try OwnedDescriptor.open($0, O_RDONLY | O_DIRECTORY)) }
        for path in paths {
            // The topmost layer that has anything under the name decides.
            for layer in below {
                let attributes: TreeAttributes
                do { attributes = try layer.attributes(ofDirectory: path) } catch let error as SystemError {
                    if error.errno == .noSuchFileOrDirectory { continue }
                    break
                }
                try own.setAttributes(ofDirectory: path, attributes)
                break
            }
        }
    }

    /// Takes a layer away. It loses its name first, so that no half of it is ever seen.
    func remove(_ chainID: String) throws {
        let doomed = "\(ingest)/removed-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        if rename(path(chainID), doomed) != 0 {
            if swc_errno() == ENOENT { return }
            throw SystemError.last("rename", path(chainID))
        }
        try TreeRemoval.remove(doomed)
    }
}
