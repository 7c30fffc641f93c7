import CLinux
import LinuxSystem
import OCI
import TestSupport
import Testing

@testable import Images

@Suite(.enabled(if: isRoot), .serialized) @BlockingTests struct ImageStoreTests {
    private func makeImage(_ sandbox: Sandbox, _ name: String, content: String = "x") throws -> StoredImage {
        var tar = TarWriter()
        tar.file("file", content)
        return try sandbox.store.importRootfs(from: try sandbox.write(gzip(tar.finished)), name: name)
    }

    @Test func findsByEveryKindOfReference() throws {
        let sandbox = try Sandbox()
        let image = try makeImage(sandbox, "team/app:v1")
        #expect(image.names == ["docker.io/team/app:v1"])
        // Another process's view: nothing cached.
        let store = ImageStore(paths: sandbox.paths)
        for reference in [
            "team/app:v1", "docker.io/team/app:v1", "team/app@\(image.manifestDigest)", image.id,
            String(image.id.dropFirst(7)), image.shortID,
        ] {
            #expect(try store.resolve(reference)?.id == image.id, "\(reference)")
        }
        for reference in ["team/app", "team/app:v2", "other@\(image.manifestDigest)", "0123456789ab"] {
            #expect(try store.resolve(reference) == nil, "\(reference)")
        }
    }

    @Test func seesWhatAnotherProcessChanged() throws {
        let sandbox = try Sandbox()
        let other = ImageStore(paths: sandbox.paths)
        #expect(try other.resolve("app") == nil)
        let first = try makeImage(sandbox, "app")
        #expect(try other.resolve("app")?.id == first.id)
        let second = try makeImage(sandbox, "app", content: "y")
        #expect(try other.resolve("app")?.id == second.id)
        // The first lost its name and nothing else.
        #expect(try other.resolve(first.id)?.names == [])
    }

    @Test func storesTheConfigurationAsDockerHasIt() throws {
        let sandbox = try Sandbox()
        var tar = TarWriter()
        tar.file("file")
        let image = try sandbox.store.importRootfs(
            from: try sandbox.write(tar.finished), name: "app", changes: ["CMD [\"run\"]", "EXPOSE 80"])
        let text = try Files.readString(
            "\(sandbox.paths.images)/blobs/sha256/\(image.id.dropFirst("sha256:".count))")
        #expect(text.contains(#""Cmd":["run"],"ExposedPorts":{"80/tcp":{}}"#), "\(text)")
        #expect(image.config.rootfs.diffIDs == [digest(tar.finished)])
        #expect(try sandbox.store.inspect("app").repoTags == ["app:latest"])
    }

    @Test func removesWithTheLastName() throws {
        let sandbox = try Sandbox()
        let image = try makeImage(sandbox, "app:1")
        let kept = try makeImage(sandbox, "kept", content: "other")
        let index = try Files.readString("\(sandbox.paths.images)/index.json")
        #expect(index.contains("docker.io/library/app:1"))
        let layer = try #require(try sandbox.store.layers(of: image).first)

        #expect {
            try sandbox.store.remove("app:1") { $0 == image.id }
        } throws: { "\($0)".contains("a container is using") }
        let removals = try sandbox.store.remove("app:1")
        #expect(
            removals.map(\.description) == [
                "Untagged: app:1", "Deleted: \(image.id)", "Deleted: \(image.config.rootfs.diffIDs[0])",
            ])
        #expect(!Files.exists(layer))
        #expect(try Files.list("\(sandbox.paths.images)/blobs/sha256").count == 3)
        #expect(try sandbox.store.list().map(\.id) == [kept.id])
        #expect(throws: ImageError.notFound("app:1")) { try sandbox.store.remove("app:1") }
    }

    @Test func forceLeavesAUsedImageWithoutItsName() throws {
        let sandbox = try Sandbox()
        let image = try makeImage(sandbox, "app")
        let removals = try sandbox.store.remove("app", force: true) { _ in true }
        #expect(removals == [.untagged("app:latest")])
        #expect(try sandbox.store.resolve(image.id)?.names == [])
        #expect(try Files.exists(sandbox.store.layers(of: image)[0]))
    }

    @Test func unpacksAgainWhatIsMissing() throws {
        let sandbox = try Sandbox()
        let image = try makeImage(sandbox, "app", content: "content")
        let layer = try sandbox.store.layers(of: image)[0]
        try TreeRemoval.remove(layer)
        #expect(try sandbox.store.layers(of: image) == [layer])
        #expect(try Files.readString("\(layer)/file") == "content")

        // A blob that is not what it says is never unpacked into the store.
        try TreeRemoval.remove(layer)
        var other = TarWriter()
        other.file("evil")
        let blob = try sandbox.store.layout.manifest(image.manifestDigest).layers[0].digest
        try Files.replace(sandbox.store.layout.blobPath(blob), with: gzip(other.finished))
        #expect {
            try sandbox.store.layers(of: image)
        } throws: { error in
            if case ImageError.digestMismatch = error { true } else { false }
        }
        #expect(!Files.exists(layer))
    }

    @Test func clearsUpWhatACrashLeft() throws {
        let sandbox = try Sandbox()
        _ = try makeImage(sandbox, "app")
        let remains = "\(sandbox.paths.images)/ingest/1-dead"
        try Files.makeDirectories(remains)
        _ = try makeImage(sandbox, "second", content: "z")
        #expect(!Files.exists(remains))
    }

    @Test func sharesTheWorkBetweenThreads() async throws {
        let sandbox = try Sandbox()
        let image = try makeImage(sandbox, "app")
        try TreeRemoval.remove(try sandbox.store.layers(of: image)[0])
        let paths = sandbox.paths
        let results = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<8 {
                group.addTask { try await BlockingPool.shared.run { try ImageStore(paths: paths).layers(of: image) } }
            }
            var results: Set<[String]> = []
            for try await layers in group { results.insert(layers) }
            return results
        }
        #expect(results.count == 1)
        #expect(try Files.list("\(paths.layers)/.ingest").isEmpty)
    }
}
