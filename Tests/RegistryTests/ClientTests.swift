import NIOCore
import OCI
import RegistryTestSupport
import Testing

@testable import Registry

/// What the tests have in common: a client that loses no time.
func withClient<T>(
    _ configuration: RegistryConfiguration = RegistryConfiguration(), credential: RegistryCredential? = nil,
    _ body: (RegistryClient) async throws -> T
) async throws -> T {
    var patience = RegistryClient.Patience()
    patience.retry.firstDelay = .milliseconds(1)
    patience.retry.attempts = 3
    let client = RegistryClient(configuration: configuration, patience: patience) { _ in credential }
    do {
        let result = try await body(client)
        await client.shutdown()
        return result
    } catch {
        await client.shutdown()
        throw error
    }
}

/// Collects a blob.
func fetch(
    _ digest: String, size: Int, from client: RegistryClient, _ registry: FakeRegistry, path: String = "team/app"
) async throws -> [UInt8] {
    let repository = client.repository(try ImageReference("\(registry.host)/\(path)"))
    let descriptor = ImageDescriptor(mediaType: MediaType.layer, digest: digest, size: Int64(size))
    var bytes: [UInt8] = []
    try await repository.blob(descriptor, from: 0) { bytes.append(contentsOf: $0.readableBytesView) }
    return bytes
}

@Suite struct ClientTests {
    private let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }

    @Test func fetchesManifests() async throws {
        let registry = try FakeRegistry()
        let digest = registry.add(manifest: Array("{}".utf8), type: MediaType.manifest, to: "team/app", tag: "1")
        try await withClient { client in
            let repository = client.repository(try ImageReference("\(registry.host)/team/app:1"))
            let expected = RegistryManifest(bytes: Array("{}".utf8), mediaType: MediaType.manifest, digest: digest)
            #expect(try await repository.manifest("1") == expected)
            #expect(try await repository.manifest(digest) == expected)
            #expect(try await repository.digest(of: "1") == digest)
        }
    }

    @Test func saysWhatIsMissing() async throws {
        let registry = try FakeRegistry()
        try await withClient { client in
            let repository = client.repository(try ImageReference("\(registry.host)/team/app:1"))
            let error = await #expect(throws: RegistryError.self) { try await repository.manifest("2") }
            #expect(
                error?.description
                    == "manifest for \(registry.host)/team/app:2 not found: manifest unknown: manifest_unknown")
        }
    }

    @Test func distrustsManifestsWithAnotherDigest() async throws {
        let registry = try FakeRegistry()
        let digest = registry.add(manifest: Array("{}".utf8), type: MediaType.manifest, to: "team/app", tag: "1")
        registry.fail(.init("GET", "/manifests/", .corrupt, times: 9))
        try await withClient { client in
            let repository = client.repository(try ImageReference("\(registry.host)/team/app:1"))
            let error = await #expect(throws: RegistryError.self) { try await repository.manifest(digest) }
            guard case .digestMismatch(_, digest, _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test(arguments: [true, false]) func goesOnWhereABlobBrokeOff(_ honoursRanges: Bool) async throws {
        let registry = try FakeRegistry()
        let digest = registry.add(blob: content)
        if !honoursRanges { registry.ignoreRanges() }
        // More often than a request is repeated that gets nowhere.
        registry.fail(.init("GET", "/blobs/", .cut(after: 30_000), times: honoursRanges ? 5 : 1))
        try await withClient { client in
            let got = try await fetch(digest, size: content.count, from: client, registry)
            #expect(got == content)
        }
        let ranges = registry.server.log.compactMap { $0.headers["range"] }
        #expect(ranges.count == (honoursRanges ? 5 : 1), "\(ranges)")
    }

    @Test func givesUpOnABlobThatNeverComes() async throws {
        let registry = try FakeRegistry()
        let digest = registry.add(blob: content)
        registry.fail(.init("GET", "/blobs/", .cut(after: 0), times: 99))
        try await withClient { client in
            let error = await #expect(throws: RegistryError.self) {
                try await fetch(digest, size: content.count, from: client, registry)
            }
            guard case .unreachable? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
        #expect(registry.lines.count { $0.contains("/blobs/") } == 3)
    }

    @Test func refusesMoreThanWasSaid() async throws {
        let registry = try FakeRegistry()
        let digest = registry.add(blob: content)
        try await withClient { client in
            let error = await #expect(throws: RegistryError.self) {
                try await fetch(digest, size: 1000, from: client, registry)
            }
            #expect(error?.description.contains("longer than the 1000 bytes") ?? false)
        }
    }

    @Test(arguments: [429, 500, 503]) func triesAgain(_ status: Int) async throws {
        let registry = try FakeRegistry()
        let digest = registry.add(blob: content)
        registry.fail(
            .init("GET", "/blobs/", .answer(FakeAnswer(status, headers: [("Retry-After", "0")])), times: 2))
        let got = try await withClient { try await fetch(digest, size: content.count, from: $0, registry) }
        #expect(got == content)
    }

    @Test func tellsOfRateLimits() async throws {
        let registry = try FakeRegistry()
        let body = Array(#"{"errors":[{"code":"TOOMANYREQUESTS","message":"limit reached"}]}"#.utf8)
        registry.fail(
            .init("GET", "/manifests/", .answer(FakeAnswer(429, headers: [("Retry-After", "3600")], body: body))))
        try await withClient { client in
            let repository = client.repository(try ImageReference("\(registry.host)/team/app:1"))
            let error = await #expect(throws: RegistryError.self) { try await repository.manifest("1") }
            #expect(
                error == .rateLimited(host: registry.host, reason: "toomanyrequests: limit reached", wait: 3600))
        }
        #expect(registry.lines.count { $0.contains("/manifests/") } == 1)
    }

    @Test func showsNoTokensToOtherServers() async throws {
        let registry = try FakeRegistry()
        let elsewhere = try FakeRegistry()
        let digest = registry.add(blob: content)
        elsewhere.add(blob: content)
        registry.set(access: .basic(user: "u", password: "p"))
        registry.fail(
            .init(
                "GET", "/blobs/",
                .answer(
                    FakeAnswer(
                        307, headers: [("Location", "http://\(elsewhere.host)/v2/team/app/blobs/\(digest)")]))))
        try await withClient(credential: RegistryCredential(user: "u", password: "p")) { client in
            let repository = client.repository(try ImageReference("\(registry.host)/team/app"))
            #expect(try await repository.hasBlob(digest))
            #expect(try await fetch(digest, size: content.count, from: client, registry) == content)
        }
        let asked = elsewhere.server.log.filter { $0.path.contains("/blobs/") }
        #expect(asked.count == 1 && asked[0].headers["authorization"] == nil)
        #expect(registry.server.log.contains { $0.headers["authorization"]?.hasPrefix("Basic ") ?? false })
    }

    @Test func mirrorsComeFirstAndMayFail() async throws {
        let mirror = try FakeRegistry()
        mirror.add(manifest: Array("{}".utf8), type: MediaType.manifest, to: "library/app", tag: "1")
        let configuration = try RegistryConfiguration().with(mirrors: ["http://127.0.0.1:1", "http://\(mirror.host)"])
        try await withClient(configuration) { client in
            // The first mirror is down; Docker Hub itself is not asked.
            let manifest = try await client.repository(try ImageReference("app:1")).manifest("1")
            #expect(manifest.bytes == Array("{}".utf8))
        }
    }

    @Test func namesTheServerThatIsNotThere() async throws {
        try await withClient { client in
            let error = await #expect(throws: RegistryError.self) {
                try await client.repository(try ImageReference("127.0.0.1:1/app")).manifest("1")
            }
            #expect(error?.description.hasPrefix("cannot reach 127.0.0.1:1: ") ?? false)
        }
    }
}
