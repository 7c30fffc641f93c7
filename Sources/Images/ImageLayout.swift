internal import CLinux
internal import FoundationEssentials
internal import LinuxSystem
internal import OCI
internal import Synchronization

/// The files of an OCI image layout, and what was read of them. Blobs never change, so they are read once; the index
/// is read again whenever it was replaced.
final class ImageLayout: Sendable {
    let directory: String
    private let cache = Mutex(Cache())

    private struct Cache {
        var indexIdentity: FileIdentity?
        var index = ImageIndex()
        /// By digest.
        var manifests: [String: ImageManifest] = [:]
        var configurations: [String: ImageConfiguration] = [:]
    }

    /// Manifests, configurations and indexes larger than this are no such things.
    static let maximumDocumentSize: Int64 = 8 << 20

    init(_ directory: String) { self.directory = directory }

    var indexPath: String { "\(directory)/index.json" }
    /// Locked while the index is changed.
    var indexLock: String { "\(directory)/index.lock" }
    /// Held together by those who add blobs and layers, alone by who removes some.
    var contentLock: String { "\(directory)/content.lock" }
    /// Blobs that are being downloaded, or were when their pull was cut off.
    var downloads: String { "\(directory)/downloads" }
    /// Where blobs are written before they get their names.
    var ingest: String { "\(directory)/ingest" }
    /// `digest` must have been checked to be one.
    func blobPath(_ digest: String) -> String { "\(directory)/blobs/sha256/\(digest.dropFirst("sha256:".count))" }

    /// Makes the directories and the file that says what this is.
    func create() throws {
        try Files.makeDirectories("\(directory)/blobs/sha256")
        try Files.makeDirectories(ingest, mode: 0o700)
        try Files.makeDirectories(downloads, mode: 0o700)
        let marker = "\(directory)/oci-layout"
        if !Files.exists(marker) { try Files.replace(marker, with: Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)) }
    }

    // MARK: The index

    /// Empty where there is no store yet.
    func index() throws -> ImageIndex {
        guard let identity = FileIdentity(indexPath) else { return ImageIndex() }
        if let index = cache.withLock({ $0.indexIdentity == identity ? $0.index : nil }) { return index }
        let bytes = try Files.read(indexPath)
        let index = try Self.decode(ImageIndex.self, bytes, subject: indexPath)
        cache.withLock {
            $0.index = index
            $0.indexIdentity = identity
        }
        return index
    }

    /// Changes the index under its lock; the change is on disk when this returns.
    func updateIndex<T>(_ change: (inout ImageIndex) throws -> T) throws -> T {
        let lock = try FileLock(indexLock)
        defer { withExtendedLifetime(lock) {} }
        var index = try index()
        let before = index
        let result = try change(&index)
        if index != before {
            try Files.replace(indexPath, with: try Self.encode(index), durable: true)
        }
        return result
    }

    // MARK: Blobs

    func hasBlob(_ digest: String) -> Bool { Files.exists(blobPath(digest)) }

    func manifest(_ digest: String) throws -> ImageManifest {
        if let manifest = cache.withLock({ $0.manifests[digest] }) { return manifest }
        let manifest = try Self.decode(
            ImageManifest.self, try document(digest), subject: "manifest \(digest)")
        try Self.check(manifest, subject: "manifest \(digest)")
        cache.withLock { $0.manifests[digest] = manifest }
        return manifest
    }

    func configuration(_ digest: String) throws -> ImageConfiguration {
        if let configuration = cache.withLock({ $0.configurations[digest] }) { return configuration }
        let configuration = try Self.decode(
            ImageConfiguration.self, try document(digest), subject: "image configuration \(digest)")
        try Self.check(configuration, subject: "image configuration \(digest)")
        cache.withLock { $0.configurations[digest] = configuration }
        return configuration
    }

    /// The manifest that an entry of the index stands for: itself, or, of an image for several platforms, that of the
    /// platform the entry names, or this one's.
    func manifestDescriptor(of descriptor: ImageDescriptor) throws -> ImageDescriptor {
        guard MediaType.isIndex(descriptor.mediaType) else { return descriptor }
        let index = try Self.decode(
            ImageIndex.self, try document(descriptor.digest), subject: "image index \(descriptor.digest)")
        return try Self.choose(
            from: index, for: descriptor.platform, subject: "image index \(descriptor.digest)", isThere: hasBlob)
    }

    func forget(_ digest: String) {
        cache.withLock {
            $0.manifests[digest] = nil
            $0.configurations[digest] = nil
        }
    }

    private func document(_ digest: String) throws -> [UInt8] {
        guard ImageReference.isDigest(digest) else {
            throw ImageError.malformed(subject: indexPath, reason: "\"\(digest)\" is no digest")
        }
        return try Files.read(blobPath(digest))
    }

    // MARK: Reading and checking documents

    static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8], subject: String) throws -> T {
        guard bytes.count <= maximumDocumentSize else {
            throw ImageError.limit(subject: subject, reason: "it is larger than \(maximumDocumentSize) bytes")
        }
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch let error as DecodingError {
            throw ImageError.malformed(subject: subject, reason: error.reason)
        }
    }

    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    static func check(_ manifest: ImageManifest, subject: String) throws {
        for descriptor in [manifest.config] + manifest.layers {
            guard ImageReference.isDigest(descriptor.digest), descriptor.size >= 0 else {
                throw ImageError.malformed(subject: subject, reason: "\"\(descriptor.digest)\" is no digest")
            }
        }
        // Users of the manifest add these up.
        var total = manifest.config.size
        for layer in manifest.layers {
            let (sum, overflow) = total.addingReportingOverflow(layer.size)
            if overflow { throw ImageError.malformed(subject: subject, reason: "its sizes are out of range") }
            total = sum
        }
    }

    static func check(_ configuration: ImageConfiguration, subject: String) throws {
        guard configuration.rootfs.type == "layers" else {
            throw ImageError.malformed(
                subject: subject, reason: "rootfs type \"\(configuration.rootfs.type)\" is unknown")
        }
        if let diffID = configuration.rootfs.diffIDs.first(where: { !ImageReference.isDigest($0) }) {
            throw ImageError.malformed(subject: subject, reason: "\"\(diffID)\" is no digest")
        }
        let defaults = configuration.config
        let strings = [
            defaults?.environment, defaults?.entrypoint, defaults?.command, defaults?.shell, defaults?.volumes?.names,
            defaults?.exposedPorts?.names, [defaults?.workingDirectory, defaults?.user].compactMap { $0 },
        ]
        if strings.contains(where: { $0?.contains { $0.utf8.contains(0) } ?? false }) {
            throw ImageError.malformed(subject: subject, reason: "a value contains a NUL character")
        }
    }

    /// The manifest for `platform` (nil: this one), or the nearest to it, among those that are there.
    static func choose(
        from index: ImageIndex, for platform: ImagePlatform? = nil, subject: String,
        isThere: (String) throws -> Bool = { _ in true }
    ) throws -> ImageDescriptor {
        if let choice = try best(in: index, for: platform, isThere: isThere) { return choice }
        let manifests = index.manifests.filter { MediaType.isManifest($0.mediaType) }
        let platforms = Set(manifests.compactMap { $0.platform }.filter { $0.os != "unknown" }.map(\.description))
        let list = platforms.sorted().joined(separator: ", ")
        throw ImageError.unsupported(
            subject: subject,
            reason: "no image for \(platform ?? .current) (there is: \(list.isEmpty ? "none" : list))")
    }

    /// nil where there is none for the platform.
    static func best(
        in index: ImageIndex, for platform: ImagePlatform?, isThere: (String) throws -> Bool = { _ in true }
    ) throws -> ImageDescriptor? {
        let manifests = index.manifests.filter { MediaType.isManifest($0.mediaType) }
        let wanted = platform ?? .current
        // Who does not say what it is for comes after all that do.
        let fitting = manifests.compactMap { descriptor -> (descriptor: ImageDescriptor, rank: Int)? in
            guard let platform = descriptor.platform else { return (descriptor, .max) }
            return wanted.rank(of: platform).map { (descriptor, $0) }
        }
        var best: (descriptor: ImageDescriptor, rank: Int)?
        for candidate in fitting where candidate.rank < best?.rank ?? .max || best == nil {
            if try isThere(candidate.descriptor.digest) { best = candidate }
        }
        return best?.descriptor
    }
}

/// What tells one version of a replaced file from another.
private struct FileIdentity: Equatable {
    var inode: UInt
    var size: Int
    var seconds: Int
    var nanoseconds: Int

    init?(_ path: String) {
        var info = stat()
        guard lstat(path, &info) == 0 else { return nil }
        inode = UInt(info.st_ino)
        size = Int(info.st_size)
        seconds = info.st_mtim.tv_sec
        nanoseconds = info.st_mtim.tv_nsec
    }
}

extension DecodingError {
    /// Where and what, in one line.
    var reason: String {
        let context: Context
        let problem: String
        switch self {
        case .keyNotFound(let key, let at): (context, problem) = (at, "\(key.stringValue) is missing")
        case .valueNotFound(_, let at): (context, problem) = (at, "null is not allowed")
        case .typeMismatch(let type, let at): (context, problem) = (at, "not of type \(type)")
        case .dataCorrupted(let at): (context, problem) = (at, at.debugDescription)
        @unknown default: return "\(self)"
        }
        let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
        return (path.isEmpty ? "" : "at \(path.joined(separator: ".")): ") + problem
    }
}
