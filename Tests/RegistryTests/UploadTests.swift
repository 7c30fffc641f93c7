import LinuxSystem
import OCI
import RegistryTestSupport
import Synchronization
import Testing

@testable import Registry

@Suite struct UploadTests {
    /// Larger than one part.
    private static let content = [UInt8](repeating: 0x5a, count: (16 << 20) + 12_345)
    private static let digest = ContentDigest.of(content)

    private func upload(
        to registry: FakeRegistry, from sources: [String] = []
    ) async throws -> (result: BlobUpload, sent: Int64) {
        let path = "/tmp/swcompose-upload-\(RandomHex.digits(12))"
        try Files.replace(path, with: Self.content)
        defer { try? Files.removeTree(path) }
        let sent = Mutex<Int64>(0)
        let result = try await withClient { client in
            try await client.repository(try ImageReference("\(registry.host)/team/app")).upload(
                BlobFile(path: path, digest: Self.digest, size: Int64(Self.content.count)), mountingFrom: sources
            ) { done in sent.withLock { $0 = max($0, done) } }
        }
        return (result, sent.withLock { $0 })
    }

    @Test func sendsABlobWhole() async throws {
        let registry = try FakeRegistry()
        let (result, sent) = try await upload(to: registry)
        #expect(result == .uploaded)
        #expect(registry.blob(Self.digest) == Self.content)
        #expect(sent == Int64(Self.content.count))
        #expect(registry.lines.map { $0.prefix { $0 != " " } }.filter { $0 != "GET" } == ["HEAD", "POST", "PUT"])
    }

    @Test func sendsNothingThatIsThere() async throws {
        let registry = try FakeRegistry()
        registry.add(blob: Self.content)
        #expect(try await upload(to: registry).result == .alreadyThere)
    }

    @Test func mountsWhatIsInAnotherRepository() async throws {
        let registry = try FakeRegistry()
        registry.add(blob: Self.content)
        // The repository does not have it; the registry does.
        registry.fail(.init("HEAD", "/blobs/", .answer(FakeAnswer(404))))
        #expect(try await upload(to: registry, from: ["other/app"]).result == .mounted(from: "other/app"))
    }

    @Test func sendsWhatCannotBeMounted() async throws {
        let registry = try FakeRegistry()
        #expect(try await upload(to: registry, from: ["other/app"]).result == .uploaded)
        #expect(registry.blob(Self.digest) != nil)
    }

    @Test(arguments: [413, 500]) func sendsPartsWhereTheWholeIsTooMuch(_ status: Int) async throws {
        let registry = try FakeRegistry()
        registry.fail(.init("PUT", "/blobs/uploads/", .answer(FakeAnswer(status))))
        #expect(try await upload(to: registry).result == .uploaded)
        #expect(registry.blob(Self.digest) == Self.content)
        let ranges = registry.server.log.compactMap { $0.headers["content-range"] }
        #expect(ranges == ["0-16777215", "16777216-\(Self.content.count - 1)"])
    }

    @Test func goesOnAfterAPartThatWasLost() async throws {
        let registry = try FakeRegistry()
        registry.fail(.init("PUT", "/blobs/uploads/", .answer(FakeAnswer(413))))
        registry.fail(.init("PATCH", "/blobs/uploads/", .answer(FakeAnswer(503, headers: [("Retry-After", "0")]))))
        #expect(try await upload(to: registry).result == .uploaded)
        #expect(registry.blob(Self.digest) == Self.content)
    }

    @Test func tellsWhoMayNotPush() async throws {
        let registry = try FakeRegistry()
        registry.fail(.init("POST", "/blobs/uploads/", .answer(FakeAnswer(403)), times: 9))
        let error = await #expect(throws: RegistryError.self) { try await upload(to: registry) }
        guard case .denied? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
