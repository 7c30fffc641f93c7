public import NIOCore
internal import NIOHTTP1
public import OCI

extension RegistryRepository {
    /// Fetches a small blob as a whole, its digest checked.
    /// - Throws: ``RegistryError``.
    public func document(_ descriptor: ImageDescriptor, limit: Int64) async throws -> [UInt8] {
        let subject = "blob \(descriptor.digest) of \(name)"
        guard descriptor.size <= limit else {
            throw RegistryError.malformed(
                subject: subject, reason: "it has \(descriptor.size) bytes; a document has \(limit) at most")
        }
        let collector = Collector()
        try await blob(descriptor, from: 0) { await collector.add($0) }
        let bytes = await collector.bytes
        let digest = ContentDigest.of(bytes)
        guard digest == descriptor.digest else {
            throw RegistryError.digestMismatch(subject: subject, expected: descriptor.digest, actual: digest)
        }
        return bytes
    }

    private actor Collector {
        var bytes: [UInt8] = []
        func add(_ piece: ByteBuffer) { bytes.append(contentsOf: piece.readableBytesView) }
    }

    /// Fetches a blob piece by piece, and goes on where it broke off. Exactly the bytes from `offset` to the size given
    /// are delivered; their digest is the caller's to check.
    /// - Throws: ``RegistryError``; what `deliver` throws.
    public func blob(
        _ descriptor: ImageDescriptor, from offset: Int64, deliver: (ByteBuffer) async throws -> Void
    ) async throws {
        var position = offset
        guard position < descriptor.size else { return }
        // A mirror that breaks off leaves the rest to the next.
        try await fromSources { endpoint in
            try await rest(of: descriptor, &position, from: endpoint, deliver)
        }
    }

    /// An error of the caller's, which nothing here is to be done about.
    private struct DeliveryFailure: Error { let error: any Error }

    private func rest(
        of descriptor: ImageDescriptor, _ position: inout Int64, from endpoint: RegistryEndpoint,
        _ deliver: (ByteBuffer) async throws -> Void
    ) async throws {
        let subject = "blob \(descriptor.digest) of \(name)"
        var attempt = 0
        while position < descriptor.size {
            attempt += 1
            let start = position
            do {
                try await once(descriptor, &position, from: endpoint, subject: subject, deliver)
            } catch let failure as DeliveryFailure {
                throw failure.error
            } catch let failure as HTTPFailure {
                // As long as something comes, it goes on.
                if position > start { attempt = 1 }
                guard let delay = client.connection.transport.delay(after: attempt, failure) else {
                    throw failure.registryError
                }
                try await Task.sleep(for: delay)
            }
        }
    }

    private func once(
        _ descriptor: ImageDescriptor, _ position: inout Int64, from endpoint: RegistryEndpoint, subject: String,
        _ deliver: (ByteBuffer) async throws -> Void
    ) async throws {
        var request = request(.GET, "blobs/\(descriptor.digest)", subject: subject)
        if position > 0 { request.headers = [("Range", "bytes=\(position)-")] }
        let answer = try await client.connection.perform(request, at: endpoint, expecting: [200, 206, 416])
        if answer.status == 416 {
            throw RegistryError.malformed(
                subject: subject,
                reason: "the registry has less than the \(descriptor.size) bytes that the manifest says")
        }
        // Who does not know ranges sends all of it again.
        var skip = position
        if answer.status == 206 {
            guard ContentRange.start(answer.headers.first(name: "Content-Range")) == position else {
                throw RegistryError.malformed(subject: subject, reason: "another range was sent than asked for")
            }
            skip = 0
        }
        do {
            for try await var piece in answer.body {
                let skipped = min(skip, Int64(piece.readableBytes))
                piece.moveReaderIndex(forwardBy: Int(skipped))
                skip -= skipped
                if piece.readableBytes == 0 { continue }
                guard Int64(piece.readableBytes) <= descriptor.size - position else {
                    throw RegistryError.malformed(
                        subject: subject,
                        reason: "it is longer than the \(descriptor.size) bytes that the manifest says")
                }
                do { try await deliver(piece) } catch { throw DeliveryFailure(error: error) }
                position += Int64(piece.readableBytes)
            }
        } catch let error as DeliveryFailure {
            throw error
        } catch {
            throw HTTPFailure.wrapping(error, answer.address)
        }
        if position < descriptor.size {
            throw HTTPFailure(
                address: answer.address, reason: "blob \(descriptor.digest) is cut off at \(position) bytes",
                isTransient: true, isTLS: false)
        }
    }

    /// Whether the registry has a blob.
    /// - Throws: ``RegistryError``.
    public func hasBlob(_ digest: String) async throws -> Bool {
        let endpoint = try await client.endpoints.endpoint(of: registry)
        let request = request(.HEAD, "blobs/\(digest)", push: true, subject: "blob \(digest) of \(name)")
        let answer = try await client.connection.perform(request, at: endpoint, expecting: [200, 404])
        await answer.discard()
        return answer.status == 200
    }
}

/// The value of a `Content-Range` header, or of the `Range` that registries answer uploads with.
enum ContentRange {
    /// The first byte of `bytes 100-199/200`; nil where it is not so.
    static func start(_ value: String?) -> Int64? {
        guard let value, value.hasPrefix("bytes ") else { return nil }
        return Int64(value.dropFirst("bytes ".count).prefix { $0 != "-" })
    }

    /// How many bytes `0-199` says are there.
    static func uploaded(_ value: String?) -> Int64? {
        guard var text = value?[...] else { return nil }
        if text.hasPrefix("bytes=") { text = text.dropFirst("bytes=".count) }
        let parts = text.split(separator: "-")
        guard parts.count == 2, Int64(parts[0]) == 0, let last = Int64(parts[1]) else { return nil }
        return last + 1
    }
}
