import CLinux
import CZstd
import LinuxSystem
import OCI
import Registry
import RegistryTestSupport
import Synchronization
import Testing

@testable import Images

@Suite(.enabled(if: isRoot)) struct PullTests {
    /// An image of two layers at a registry.
    private struct Origin {
        let registry: FakeRegistry
        let layers: [[UInt8]]
        let manifest: String
        var name: String { "\(registry.host)/team/app:1" }

        init(_ compress: ([UInt8]) -> [UInt8] = { gzip($0) }, mediaType: String = MediaType.layerGzip) throws {
            registry = try FakeRegistry()
            var base = TarWriter()
            base.directory("srv", mode: 0o700)
            base.add("srv/data", content: (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 4) })
            var top = TarWriter()
            top.file("srv/new")
            layers = [compress(base.finished), compress(top.finished)]
            let configuration = ImageConfiguration(
                platform: .current, diffIDs: [digest(base.finished), digest(top.finished)])
            let config = try ImageLayout.encode(configuration)
            for blob in layers + [config] { registry.add(blob: blob) }
            let manifest = ImageManifest(
                config: .init(mediaType: MediaType.config, digest: digest(config), size: Int64(config.count)),
                layers: layers.map { .init(mediaType: mediaType, digest: digest($0), size: Int64($0.count)) })
            self.manifest = registry.add(
                manifest: try ImageLayout.encode(manifest), type: MediaType.manifest, to: "team/app", tag: "1")
        }
    }

    @discardableResult
    private func pull(_ origin: Origin, into sandbox: Sandbox, as name: String? = nil) async throws -> PulledImage {
        var patience = RegistryClient.Patience()
        patience.retry.firstDelay = .milliseconds(1)
        patience.retry.attempts = 2
        let client = RegistryClient(configuration: RegistryConfiguration(), patience: patience) { _ in nil }
        do {
            let result = try await sandbox.store.pull(try ImageReference(name ?? origin.name), from: client)
            await client.shutdown()
            return result
        } catch {
            await client.shutdown()
            throw error
        }
    }

    private func isWhole(_ sandbox: Sandbox, _ origin: Origin) throws -> Bool {
        let image = try #require(try sandbox.store.resolve(origin.name))
        let layers = try sandbox.store.layers(of: image)
        // The directory that the top layer only implies looks as it does below.
        return try information("\(layers[0])/srv").st_mode & 0o7777 == 0o700
            && Files.read("\(layers[1])/srv/data").count == 200_000
    }

    private func requests(_ origin: Origin, _ part: String) -> Int {
        origin.registry.lines.count { $0.hasPrefix("GET") && $0.contains(part) }
    }

    @Test func pullsAnImage() async throws {
        let (sandbox, origin) = (try Sandbox(), try Origin())
        let pulled = try await pull(origin, into: sandbox)
        #expect(pulled.digest == origin.manifest && !pulled.isUpToDate)
        #expect(try isWhole(sandbox, origin))
        let repository = "\(origin.registry.host)/team/app"
        #expect(pulled.image.names == ["\(repository):1", "\(repository)@\(origin.manifest)"])
        #expect(try sandbox.store.taggedAt(origin.name) != nil)
        #expect(try Files.list("\(sandbox.paths.images)/downloads").isEmpty)
        #expect(try Files.list("\(sandbox.paths.images)/ingest").isEmpty)
    }

    @Test func fetchesNothingTwice() async throws {
        let (sandbox, origin) = (try Sandbox(), try Origin())
        try await pull(origin, into: sandbox)
        #expect(try await pull(origin, into: sandbox).isUpToDate)
        #expect(requests(origin, "/blobs/") == 3)
    }

    @Test func pullsByDigest() async throws {
        let (sandbox, origin) = (try Sandbox(), try Origin())
        let name = "\(origin.registry.host)/team/app@\(origin.manifest)"
        #expect(try await pull(origin, into: sandbox, as: name).image.names == [name])
    }

    @Test func readsZstdLayers() async throws {
        let origin = try Origin(zstd, mediaType: MediaType.layerZstd)
        let sandbox = try Sandbox()
        try await pull(origin, into: sandbox)
        #expect(try isWhole(sandbox, origin))
    }

    @Test func readsPlainLayers() async throws {
        let origin = try Origin({ $0 }, mediaType: MediaType.layer)
        let sandbox = try Sandbox()
        try await pull(origin, into: sandbox)
        #expect(try isWhole(sandbox, origin))
    }

    @Test func pullsAtOnceShareTheWork() async throws {
        let (sandbox, origin) = (try Sandbox(), try Origin())
        // Stores of their own, as processes have them.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { try await pull(origin, into: sandbox) } }
            try await group.waitForAll()
        }
        #expect(try isWhole(sandbox, origin))
        for layer in origin.layers { #expect(requests(origin, digest(layer)) == 1) }
    }

    @Test func goesOnWithWhatACutOffPullLeft() async throws {
        let (sandbox, origin) = (try Sandbox(), try Origin())
        let base = origin.layers[0]
        try Files.makeDirectories("\(sandbox.paths.images)/downloads")
        let partial = "\(sandbox.paths.images)/downloads/\(digest(base).dropFirst(7))"
        try Files.replace(partial, with: base[..<1000])
        try await pull(origin, into: sandbox)
        #expect(try isWhole(sandbox, origin))
        #expect(origin.registry.server.log.compactMap { $0.headers["range"] } == ["bytes=1000-"])
    }

    @Test func beginsAnewWhereWhatWasLeftIsDamaged() async throws {
        let (sandbox, origin) = (try Sandbox(), try Origin())
        try Files.makeDirectories("\(sandbox.paths.images)/downloads")
        let partial = "\(sandbox.paths.images)/downloads/\(digest(origin.layers[0]).dropFirst(7))"
        try Files.replace(partial, with: [UInt8](repeating: 7, count: 1000))
        try await pull(origin, into: sandbox)
        #expect(try isWhole(sandbox, origin))
    }

    @Test func keepsNothingOfADamagedLayer() async throws {
        let (sandbox, origin) = (try Sandbox(), try Origin())
        origin.registry.fail(.init("GET", digest(origin.layers[0]), .corrupt, times: 9))
        let error = await #expect(throws: ImageError.self) { try await pull(origin, into: sandbox) }
        guard case .digestMismatch? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try sandbox.store.list().isEmpty)
        #expect(
            try Files.list("\(sandbox.paths.images)/downloads").filter {
                $0.hasPrefix(digest(origin.layers[0]).dropFirst(7))
            }.isEmpty)
        // And it is pulled once the registry has recovered.
        let other = try Origin()
        try await pull(other, into: sandbox)
        #expect(try isWhole(sandbox, other))
    }

    @Test func refusesLayersThatAreNotWhatTheConfigurationSays() async throws {
        let origin = try Origin()
        let config = try ImageLayout.encode(
            ImageConfiguration(platform: .current, diffIDs: [digest([1]), digest([2])]))
        origin.registry.add(blob: config)
        let manifest = ImageManifest(
            config: .init(mediaType: MediaType.config, digest: digest(config), size: Int64(config.count)),
            layers: origin.layers.map {
                .init(mediaType: MediaType.layerGzip, digest: digest($0), size: Int64($0.count))
            })
        origin.registry.add(
            manifest: try ImageLayout.encode(manifest), type: MediaType.manifest, to: "team/app", tag: "1")
        let sandbox = try Sandbox()
        await #expect(throws: ImageError.self) { try await pull(origin, into: sandbox) }
        #expect(try sandbox.store.list().isEmpty)
        #expect(try Files.list(sandbox.paths.layers).filter { $0 != ".ingest" }.isEmpty)
    }

    @Test(arguments: [
        (#"{"schemaVersion":1,"fsLayers":[]}"#, "version 1"), (#"{"schemaVersion":2}"#, "neither"),
        (#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, "neither"), ("[]", "not of type"),
        (#"{"schemaVersion":2,"manifests":[]}"#, "no image for"),
        (
            #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":{},"layers":[]}"#,
            "not of the type"
        ),
    ]) func refusesMalformedManifests(_ text: String, _ expected: String) async throws {
        let (sandbox, origin) = (try Sandbox(), try Origin())
        origin.registry.add(
            manifest: Array(text.utf8), type: MediaType.manifest, to: "team/app", tag: "1")
        let error = await #expect(throws: ImageError.self) { try await pull(origin, into: sandbox) }
        #expect(error?.description.contains(expected) ?? false, "\(String(describing: error))")
    }

    @Test func hostileLayersHitTheLimit() async throws {
        var limits = LayerLimits()
        limits.bytes = 100_000
        let (sandbox, origin) = (try Sandbox(limits: limits), try Origin())
        let error = await #expect(throws: ImageError.self) { try await pull(origin, into: sandbox) }
        guard case .limit? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try sandbox.store.list().isEmpty)
    }

    @Test func verifyFindsWhatIsWrong() async throws {
        let (sandbox, origin) = (try Sandbox(), try Origin())
        try await pull(origin, into: sandbox)
        func problems() throws -> [String] {
            var found: [String] = []
            _ = try sandbox.store.verify { found.append($0) }
            return found
        }
        #expect(try problems().isEmpty)
        let blob = "\(sandbox.paths.images)/blobs/sha256/\(digest(origin.layers[0]).dropFirst(7))"
        var bytes = try Files.read(blob)
        bytes[bytes.count / 2] ^= 1
        try Files.replace(blob, with: bytes)
        let found = try problems()
        #expect(found.first?.hasPrefix("blob \(digest(origin.layers[0])): its digest is ") ?? false, "\(found)")
        #expect(found.contains { $0.hasPrefix("image ") && $0.hasSuffix("is missing or damaged") })
        try TreeRemoval.remove(blob)
        let missing = try problems()
        #expect(!missing.isEmpty && missing.allSatisfy { $0.hasSuffix("is missing or damaged") }, "\(missing)")
    }

    @Test func pushesWhatWasPulled() async throws {
        let (sandbox, origin, target) = (try Sandbox(), try Origin(), try FakeRegistry())
        try await pull(origin, into: sandbox)
        let name = try ImageReference("\(target.host)/copy/app:2")
        try sandbox.store.tag(origin.name, as: name)
        let client = RegistryClient(configuration: RegistryConfiguration()) { _ in nil }
        let pushed = try await sandbox.store.push(name, to: client)
        await client.shutdown()
        #expect(pushed == origin.manifest)
        #expect(target.manifest("copy/app", "2").map(digest) == origin.manifest)
        for layer in origin.layers { #expect(target.blob(digest(layer)) == layer) }
    }
}

/// One zstd frame.
private func zstd(_ bytes: [UInt8]) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
    result.removeLast(result.count - ZSTD_compress(&result, result.count, bytes, bytes.count, 3))
    return result
}
