import CLinux
import LinuxSystem
import OCI
import TestSupport
import Testing

@testable import Images

@Suite(.enabled(if: isRoot), .serialized) @BlockingTests struct LoadTests {
    /// Two layers, the second of which puts a file into a directory it does not list.
    private struct Parts {
        let base: [UInt8]
        let top: [UInt8]
        let config: [UInt8]

        init() throws {
            var base = TarWriter()
            base.directory("srv", mode: 0o700)
            base.file("srv/old")
            self.base = base.finished
            var top = TarWriter()
            top.file("srv/new")
            top.file("srv/.wh.old")
            self.top = top.finished
            var configuration = ImageConfiguration(
                platform: .current, diffIDs: [digest(self.base), digest(self.top)])
            configuration.created = "2024-01-01T00:00:00Z"
            config = try ImageLayout.encode(configuration)
        }
    }

    private func dockerArchive(_ parts: Parts, configName: String? = nil) -> TarWriter {
        let configName = configName ?? "\(digest(parts.config).dropFirst(7)).json"
        var tar = TarWriter()
        tar.add("a/layer.tar", content: parts.base)
        tar.add("b/layer.tar", content: parts.top)
        tar.symlink("c/layer.tar", "../a/layer.tar")
        tar.add(configName, content: parts.config)
        let manifest =
            #"[{"Config":"\#(configName)","RepoTags":["app:1","team/app:1"],"Layers":["c/layer.tar","b/layer.tar"]}]"#
        tar.add("manifest.json", content: Array(manifest.utf8))
        return tar
    }

    private func layoutArchive(_ parts: Parts, sizeError: Int64 = 0, corrupt: Bool = false) throws -> TarWriter {
        var top = gzip(parts.top)
        let manifest = ImageManifest(
            config: .init(mediaType: MediaType.config, digest: digest(parts.config), size: Int64(parts.config.count)),
            layers: [
                .init(
                    mediaType: MediaType.layer, digest: digest(parts.base), size: Int64(parts.base.count) + sizeError),
                .init(mediaType: MediaType.layerGzip, digest: digest(top), size: Int64(top.count)),
            ])
        let document = try ImageLayout.encode(manifest)
        let name = digest(top)
        if corrupt { top[top.count - 1] ^= 1 }
        let platforms = ImageIndex(manifests: [
            .init(
                mediaType: MediaType.manifest, digest: "sha256:\(String(repeating: "0", count: 64))", size: 9,
                platform: ImagePlatform(architecture: "s390x", os: "linux")),
            .init(
                mediaType: MediaType.manifest, digest: digest(document), size: Int64(document.count), platform: .current
            ),
        ])
        let platformsDocument = try ImageLayout.encode(platforms)
        let index = ImageIndex(manifests: [
            .init(
                mediaType: MediaType.index, digest: digest(platformsDocument), size: Int64(platformsDocument.count),
                annotations: [ImageAnnotation.referenceName: "example.org/app:2"])
        ])
        var tar = TarWriter()
        tar.add("oci-layout", content: Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
        tar.add("index.json", content: try ImageLayout.encode(index))
        for blob in [parts.config, parts.base, document, platformsDocument] {
            tar.add(ImageArchive.blobName(digest(blob)), content: blob)
        }
        tar.add(ImageArchive.blobName(name), content: top)
        return tar
    }

    private func checkMergedView(_ sandbox: Sandbox, _ image: StoredImage) throws {
        let layers = try sandbox.store.layers(of: image)
        #expect(layers.count == 2)
        // The directory that the top layer only implies looks as it does below.
        #expect(try information("\(layers[0])/srv").st_mode & 0o7777 == 0o700)
        let mount = try DetachedMount.overlay(lower: layers)
        let merged = try mount.openInRoot("/srv", O_RDONLY | O_DIRECTORY)
        #expect(try Files.list("/proc/self/fd/\(merged.raw)") == ["new"])
    }

    @Test func loadsDockerArchives() throws {
        let sandbox = try Sandbox()
        let parts = try Parts()
        let images = try sandbox.store.load(from: try sandbox.write(gzip(dockerArchive(parts).finished)))
        #expect(images.map(\.id) == [digest(parts.config)])
        #expect(images[0].names == ["docker.io/library/app:1", "docker.io/team/app:1"])
        #expect(images[0].createdAt == 1_704_067_200)
        try checkMergedView(sandbox, images[0])
        // Names in two repositories: not by ID.
        #expect {
            try sandbox.store.remove(images[0].id)
        } throws: { "\($0)".contains("multiple repositories") }
        #expect(try sandbox.store.remove("app:1") == [.untagged("app:1")])
        #expect(try sandbox.store.remove("team/app:1").count == 4)
    }

    @Test func loadsLayoutsAndChoosesThePlatform() throws {
        let sandbox = try Sandbox()
        let parts = try Parts()
        let images = try sandbox.store.load(from: try sandbox.write(try layoutArchive(parts).finished))
        #expect(images.map(\.id) == [digest(parts.config)])
        #expect(images[0].names == ["example.org/app:2"])
        try checkMergedView(sandbox, images[0])
        let found = try ImageStore(paths: sandbox.paths).resolve("example.org/app@\(images[0].manifestDigest)")
        #expect(found?.id == images[0].id)
    }

    @Test func refusesDamagedArchivesAndStaysAsItWas() throws {
        let sandbox = try Sandbox()
        let parts = try Parts()
        var tar = TarWriter()
        tar.file("etc/passwd")
        let good = try sandbox.store.importRootfs(from: try sandbox.write(tar.finished), name: "good")
        let before = try sandbox.storeListing()
        func missing(_ name: String) -> [UInt8] {
            var tar = TarWriter()
            tar.add("manifest.json", content: Array("[{\"Config\":\"\(name)\",\"Layers\":[]}]".utf8))
            return tar.finished
        }
        var deep = TarWriter()
        deep.add("manifest.json", content: [UInt8](repeating: 0x5b, count: 100_000))
        let swapped = try ImageLayout.encode(
            ImageConfiguration(platform: .current, diffIDs: [digest(parts.top), digest(parts.base)]))
        var wrong = TarWriter()
        wrong.add("l", content: parts.base)
        wrong.add("c.json", content: swapped)
        wrong.add("manifest.json", content: Array(#"[{"Config":"c.json","RepoTags":null,"Layers":["l","l"]}]"#.utf8))
        let archives: [(bytes: [UInt8], error: String)] = [
            (tar.finished, "neither manifest.json nor index.json"),
            (missing("x.json"), "x.json is missing"),
            (missing("../../../../etc/passwd"), "is missing"),
            (deep.finished, "manifest.json"),
            (wrong.finished, "its digest is"),
            (dockerArchive(parts, configName: "\(String(repeating: "a", count: 64)).json").finished, "its digest is"),
            (try layoutArchive(parts, sizeError: 1).finished, "bytes, but must have"),
            (try layoutArchive(parts, corrupt: true).finished, "its digest is"),
            (Array(dockerArchive(parts).finished.prefix(2000)), "cut off"),
        ]
        for archive in archives {
            let path = try sandbox.write(archive.bytes)
            #expect {
                try sandbox.store.load(from: path)
            } throws: { error in
                let fits = "\(error)".contains(archive.error)
                if !fits { Issue.record("\(archive.error): \(error)") }
                return fits
            }
            #expect(try sandbox.storeListing() == before)
        }
        #expect(try sandbox.store.list().map(\.id) == [good.id])
    }
}
