internal import LinuxSystem
internal import OCI

/// What is in an archive of images: every file of it as a blob of an ``Ingest``, found by the file's name.
struct ImageArchive {
    let subject: String
    private let ingest: Ingest
    private var files: [String: IngestedBlob] = [:]
    /// Older versions of `docker save` put layers that images share in once, with links from the others.
    private var links: [String: String] = [:]

    /// Reads an archive to its end; each file's digest is computed on the way.
    init(_ source: any ByteSource, subject: String, limits: LayerLimits, _ ingest: Ingest) throws {
        self.subject = subject
        self.ingest = ingest
        let reader = TarReader(source, headerLimit: limits.headerBytes)
        do {
            var entries = 0
            var bytes: Int64 = 0
            while let entry = try reader.next() {
                entries += 1
                let (total, overflow) = bytes.addingReportingOverflow(entry.size)
                bytes = total
                if overflow || entries > limits.entries || bytes > limits.bytes {
                    throw ImageError.limit(
                        subject: subject, reason: "it has more than \(limits.entries) entries or \(limits.bytes) bytes")
                }
                try add(entry, reader)
            }
            if entries == 0 { throw TarError("it is empty") }
            try reader.drain()
        } catch let error as TarError {
            throw ImageError.malformed(subject: subject, reason: error.reason)
        }
    }

    private mutating func add(_ entry: TarEntry, _ reader: TarReader) throws {
        let name: String
        do { name = try TreePath(entry.path).description } catch {
            throw ImageError.malformed(subject: subject, reason: error.description)
        }
        switch entry.kind {
        case .file:
            guard entry.extents == nil else {
                throw ImageError.unsupported(subject: subject, reason: "its file \(name) is sparse")
            }
            let blob = try ingest.makeBlob()
            try reader.readContent { try blob.write($0) }
            files[name] = blob.finish()
        case .symbolicLink(let target):
            let parent = name.split(separator: "/").dropLast().joined(separator: "/")
            links[name] = Self.resolve("\(parent)/\(String(decoding: target, as: UTF8.self))")
        case .hardLink(let target): links[name] = Self.resolve(String(decoding: target, as: UTF8.self))
        case .directory: break
        default: throw ImageError.malformed(subject: subject, reason: "\(name) is a device or fifo")
        }
    }

    /// Names inside the archive only: what leads out of it names no file of it.
    private static func resolve(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }

    func contains(_ name: String) -> Bool { find(name) != nil }

    /// - Throws: ``ImageError/malformed(subject:reason:)`` where the archive has no such file.
    func file(_ name: String) throws -> IngestedBlob {
        guard let blob = find(name) else {
            throw ImageError.malformed(subject: subject, reason: "\(name) is missing in it")
        }
        return blob
    }

    private func find(_ name: String) -> IngestedBlob? {
        var name = Self.resolve(name)
        for _ in 0..<8 {
            if let blob = files[name] { return blob }
            guard let next = links[name] else { return nil }
            name = next
        }
        return nil
    }

    /// The content of a small file.
    func document<T: Decodable>(_ type: T.Type, _ name: String) throws -> T {
        let blob = try file(name)
        guard blob.size <= ImageLayout.maximumDocumentSize else {
            throw ImageError.limit(
                subject: subject, reason: "\(name) is larger than \(ImageLayout.maximumDocumentSize) bytes")
        }
        return try ImageLayout.decode(type, try Files.read(blob.path), subject: "\(subject): \(name)")
    }

    /// The blob that a descriptor names, its digest and size checked.
    func blob(_ descriptor: ImageDescriptor) throws -> IngestedBlob {
        guard ImageReference.isDigest(descriptor.digest) else {
            throw ImageError.malformed(subject: subject, reason: "\"\(descriptor.digest)\" is no digest")
        }
        let name = Self.blobName(descriptor.digest)
        let blob = try file(name)
        guard blob.digest == descriptor.digest else {
            throw ImageError.digestMismatch(
                subject: "\(subject): \(name)", expected: descriptor.digest, actual: blob.digest)
        }
        guard blob.size == descriptor.size else {
            throw ImageError.malformed(
                subject: "\(subject): \(name)", reason: "it has \(blob.size) bytes, but must have \(descriptor.size)")
        }
        return blob
    }

    static func blobName(_ digest: String) -> String { "blobs/sha256/\(digest.dropFirst("sha256:".count))" }
}
