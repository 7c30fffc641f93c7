internal import CLinux
internal import LinuxSystem
internal import NIOCore
internal import NIOHTTP1

/// A blob in a file, to be uploaded.
public struct BlobFile: Sendable {
    public var path: String
    public var digest: String
    public var size: Int64
    public init(path: String, digest: String, size: Int64) {
        self.path = path
        self.digest = digest
        self.size = size
    }
}

/// How a blob came into a registry.
public enum BlobUpload: Sendable, Equatable {
    case alreadyThere
    /// Taken over from another repository there.
    case mounted(from: String)
    case uploaded
}

extension RegistryRepository {
    /// What a part of an upload has at most, where the registry does not take it whole.
    private static let chunkSize: Int64 = 16 << 20

    /// Sees to it that the repository has a blob.
    /// - Parameters:
    ///   - sources: repositories of the same registry that may have it.
    ///   - progress: told how many bytes were sent, which become fewer where it begins anew.
    /// - Throws: ``RegistryError``; ``SystemError`` of the file.
    public func upload(
        _ blob: BlobFile, mountingFrom sources: [String] = [], progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws -> BlobUpload {
        if try await hasBlob(blob.digest) { return .alreadyThere }
        let endpoint = try await client.endpoints.endpoint(of: registry)
        var start: UploadStart?
        if let source = sources.first {
            start = try await begin(blob, mountingFrom: source, at: endpoint)
            if start == nil { return .mounted(from: source) }
        }
        var upload = Upload(
            repository: self, endpoint: endpoint, blob: blob,
            file: try OwnedDescriptor.open(blob.path, O_RDONLY), progress: progress)
        if start == nil { start = try await begin(blob, mountingFrom: nil, at: endpoint) }
        guard let start else {
            throw RegistryError.malformed(subject: upload.subject, reason: "the registry took it before it was sent")
        }
        try await upload.run(start)
        return .uploaded
    }

    /// - Returns: where to send the content; nil where the blob was mounted.
    private func begin(
        _ blob: BlobFile, mountingFrom source: String?, at endpoint: RegistryEndpoint
    ) async throws -> UploadStart? {
        var request = request(.POST, "blobs/uploads/", push: true, subject: "upload of \(blob.digest) to \(name)")
        if let source {
            request.target +=
                "?mount=\(WebAddress.escaped(blob.digest))&from=\(WebAddress.escaped(source))"
            request.scopes.insert(.pull(source))
        }
        let answer = try await client.connection.perform(
            request, at: endpoint, expecting: source == nil ? [202] : [201, 202])
        await answer.discard()
        if answer.status == 201 { return nil }
        return try UploadStart(answer, request.subject)
    }

    /// Where an upload goes on.
    struct UploadStart {
        var location: WebAddress
        /// Smallest part that the registry takes, but for the last.
        var smallest: Int64

        init(_ answer: HTTPAnswer, _ subject: String) throws(RegistryError) {
            guard let text = answer.headers.first(name: "Location"), let location = answer.address.resolving(text)
            else { throw .malformed(subject: subject, reason: "the registry does not say where to upload to") }
            self.location = location
            smallest = answer.headers.first(name: "OCI-Chunk-Min-Length").flatMap { Int64($0) } ?? 0
        }
    }

    /// One blob on its way: whole, and where that does not work, in parts.
    private struct Upload {
        let repository: RegistryRepository
        let endpoint: RegistryEndpoint
        let blob: BlobFile
        let file: OwnedDescriptor
        let progress: @Sendable (Int64) -> Void
        private var connection: RegistryConnection { repository.client.connection }
        var subject: String { "upload of \(blob.digest) to \(repository.name)" }

        mutating func run(_ start: UploadStart) async throws {
            do {
                let answer = try await connection.once(whole(start), at: endpoint)
                switch answer.status {
                case 201: return await answer.discard()
                // Too large for it, or for a proxy before it; or out of order.
                case 413, 408, 416, 429, 500, 502, 503, 504:
                    await answer.discard()
                    try await connection.transport.pause(after: answer)
                default: throw await connection.error(answer, request(.PUT, start.location))
                }
            } catch let failure as HTTPFailure {
                guard failure.isTransient else { throw failure.registryError }
            }
            try await parts(start)
        }

        private func whole(_ start: UploadStart) -> RegistryRequest {
            var request = request(.PUT, start.location.adding([("digest", blob.digest)]))
            request.headers = [("Content-Type", "application/octet-stream")]
            request.body = .file(range(0, blob.size))
            return request
        }

        /// In parts, each confirmed before the next. A new upload is begun, as nobody knows what became of the first.
        private func parts(_ first: UploadStart) async throws {
            guard
                var next = try await repository.begin(blob, mountingFrom: nil, at: endpoint)
            else { throw RegistryError.malformed(subject: subject, reason: "the registry took it before it was sent") }
            let size = max(RegistryRepository.chunkSize, first.smallest, next.smallest)
            var position: Int64 = 0
            var attempt = 0
            while position < blob.size {
                attempt += 1
                let length = min(size, blob.size - position)
                do {
                    var request = request(.PATCH, next.location)
                    request.headers = [
                        ("Content-Type", "application/octet-stream"),
                        ("Content-Range", "\(position)-\(position + length - 1)"),
                    ]
                    request.body = .file(range(position, length))
                    let answer = try await connection.once(request, at: endpoint)
                    await answer.discard()
                    if answer.status == 202 {
                        next = try UploadStart(answer, subject)
                        position = ContentRange.uploaded(answer.headers.first(name: "Range")) ?? position + length
                        attempt = 0
                        continue
                    }
                    guard answer.status == 416 || RetryPolicy.isTransient(answer.status),
                        let delay = connection.transport.delay(after: attempt, answer)
                    else { throw await connection.error(answer, request) }
                    try await Task.sleep(for: delay)
                } catch let failure as HTTPFailure {
                    guard let delay = connection.transport.delay(after: attempt, failure) else {
                        throw failure.registryError
                    }
                    try await Task.sleep(for: delay)
                }
                (next, position) = try await state(next)
            }
            let request = request(.PUT, next.location.adding([("digest", blob.digest)]))
            await (try await connection.perform(request, at: endpoint, expecting: [201])).discard()
        }

        /// Asks how much of an upload has arrived.
        private func state(_ start: UploadStart) async throws -> (UploadStart, Int64) {
            let request = request(.GET, start.location)
            let answer = try await connection.perform(request, at: endpoint, expecting: [204])
            await answer.discard()
            let position = ContentRange.uploaded(answer.headers.first(name: "Range")) ?? 0
            return (try UploadStart(answer, subject), min(position, blob.size))
        }

        private func range(_ offset: Int64, _ length: Int64) -> FileRange {
            FileRange(file: file, path: blob.path, offset: offset, length: length, progress: progress)
        }

        private func request(_ method: HTTPMethod, _ address: WebAddress) -> RegistryRequest {
            var request = RegistryRequest(method, "", scopes: [.push(repository.path)], subject: subject)
            request.address = address
            return request
        }
    }
}
