import CLinux
import LinuxSystem
import TestSupport
import Testing

@testable import Images

/// Archives that try to get out of the layer, or to fill disk or memory: each must end in an error, with nothing
/// written beside the layer and the store as it was.
@Suite(.enabled(if: isRoot), .serialized) @BlockingTests struct HostileArchiveTests {
    struct Hostile: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// Part of the error's text.
        var error: String
        /// Given the sandbox's root, where the canary lies.
        var archive: @Sendable (_ root: String) -> [UInt8]

        init(_ name: String, error: String, _ build: @escaping @Sendable (inout TarWriter, String) -> Void) {
            self.init(
                name, error: error,
                bytes: { root in
                    var tar = TarWriter()
                    tar.file("innocent")
                    build(&tar, root)
                    return tar.finished
                })
        }

        init(_ name: String, error: String, bytes: @escaping @Sendable (_ root: String) -> [UInt8]) {
            testDescription = name
            self.error = error
            archive = bytes
        }
    }

    nonisolated static let corpus: [Hostile] = [
        Hostile("absolute path", error: "is absolute") { tar, root in tar.file("\(root)/canary/new") },
        Hostile("parent directory", error: "contains \"..\"") { tar, _ in tar.file("../../../../canary/new") },
        Hostile("parent directory inside", error: "contains \"..\"") { tar, _ in tar.file("a/../../x") },
        Hostile("pax path", error: "contains \"..\"") { tar, _ in
            tar.add("fine", pax: [("path", Array("../escaped".utf8))])
        },
        Hostile("pax path with NUL", error: "damaged path") { tar, _ in
            tar.add("fine", pax: [("path", Array("a\0b".utf8))])
        },
        Hostile("symbolic link as parent", error: "goes through a symbolic link") { tar, root in
            tar.symlink("link", "\(root)/canary")
            tar.file("link/secret", "overwritten")
        },
        Hostile("relative link as parent", error: "goes through a symbolic link") { tar, _ in
            tar.directory("d")
            tar.symlink("d/link", "../../../../../canary")
            tar.file("d/link/secret", "overwritten")
        },
        Hostile("link put in the place of the cached parent", error: "goes through a symbolic link") { tar, root in
            tar.directory("d")
            tar.file("d/one")
            tar.symlink("d", "\(root)/canary")
            tar.file("d/secret", "overwritten")
        },
        Hostile("hard link to outside", error: "is absolute") { tar, root in
            tar.hardLink("stolen", "\(root)/canary/secret")
        },
        Hostile("hard link up", error: "contains \"..\"") { tar, _ in tar.hardLink("stolen", "../../../canary/secret")
        },
        Hostile("hard link through a link", error: "goes through a symbolic link") { tar, root in
            tar.symlink("link", "\(root)/canary")
            tar.hardLink("stolen", "link/secret")
        },
        Hostile("hard link to a directory", error: "links to a directory") { tar, _ in
            tar.directory("d")
            tar.hardLink("e", "d")
        },
        Hostile("hard link to nothing", error: "not there") { tar, _ in tar.hardLink("e", "missing") },
        Hostile("whiteout of the parent", error: "deletes no name") { tar, _ in tar.file("d/.wh...") },
        Hostile("whiteout of itself", error: "deletes no name") { tar, _ in tar.file("d/.wh..") },
        Hostile("whiteout of nothing", error: "deletes no name") { tar, _ in tar.file("d/.wh.") },
        Hostile("below a whiteout", error: "reserved for deletions") { tar, _ in tar.file(".wh.d/file") },
        Hostile("opaque marker through a link", error: "goes through a symbolic link") { tar, root in
            tar.symlink("link", "\(root)/canary")
            tar.file("link/.wh..wh..opq")
        },
        Hostile("overlay's own attributes", error: "reserved for the overlay") { tar, _ in
            tar.directory("d", pax: [("SCHILY.xattr.trusted.overlay.redirect", Array("/etc".utf8))])
        },
        Hostile("below a file", error: "no directory") { tar, _ in tar.file("innocent/child") },
        Hostile("root as a link", error: "root must be a directory") { tar, root in tar.symlink("./", root) },
        Hostile("name too long", error: "longer than 255") { tar, _ in
            tar.add("fine", pax: [("path", [UInt8](repeating: 0x61, count: 256))])
        },
        Hostile("nested too deep", error: "nested deeper") { tar, _ in
            tar.add("fine", pax: [("path", Array(String(repeating: "d/", count: 2000).utf8) + [0x78])])
        },
        Hostile("too many entries", error: "more than 50 entries") { tar, _ in
            for index in 0..<60 { tar.file("file\(index)") }
        },
        Hostile("too much content", error: "hold more than") { tar, _ in
            for index in 0..<5 { tar.add("file\(index)", content: [UInt8](repeating: 0, count: 300_000)) }
        },
        Hostile("sparse file of an exabyte", error: "hold more than") { tar, _ in
            tar.add(
                "fine",
                pax: [
                    ("GNU.sparse.map", Array("0,0".utf8)), ("GNU.sparse.size", Array("1000000000000000000".utf8)),
                ])
        },
        Hostile("sparse map beyond its content", error: "does not fit") { tar, _ in
            tar.add(
                "fine", content: [1],
                pax: [
                    ("GNU.sparse.map", Array("0,1000".utf8)), ("GNU.sparse.size", Array("1000".utf8)),
                ])
        },
        Hostile("sizes that overflow", error: "hold more than") { tar, _ in
            tar.add("fine", content: [1], pax: [("size", Array("9223372036854775807".utf8))])
        },
        Hostile("huge extended header", error: "over the limit") { tar, _ in
            tar.addHeader(name: "pax", type: "x", size: 1 << 30)
        },
        Hostile("damaged extended header", error: "damaged extended header") { tar, _ in
            tar.addHeader(name: "pax", type: "x", size: 9)
            tar.addContent(Array("99 path=a".utf8))
            tar.file("fine")
        },
        Hostile("size larger than the archive", error: "cut off") { tar, _ in
            tar.add("fine", content: [1], size: 1_000_000)
        },
        Hostile("owner out of range", error: "uid") { tar, _ in
            tar.add("fine", pax: [("uid", Array("4294967295".utf8))])
        },
        Hostile("unknown type", error: "not supported") { tar, _ in tar.add("fine", type: "M") },
        Hostile(
            "wrong checksum", error: "wrong checksum",
            bytes: { _ in
                var tar = TarWriter()
                tar.file("fine")
                var bytes = tar.finished
                bytes[0] ^= 1
                return bytes
            }),
        Hostile("no archive", error: "no tar archive", bytes: { _ in [UInt8](repeating: 0x41, count: 2048) }),
        Hostile("empty", error: "empty", bytes: { _ in [] }),
        Hostile("zstd", error: "the zstd stream is cut off", bytes: { _ in [0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0] }),
        Hostile(
            "gzip cut off", error: "gzip stream is cut off",
            bytes: { _ in
                var tar = TarWriter()
                for index in 0..<20 { tar.file("file\(index)", "\(UInt64.random(in: 0 ... .max))") }
                return Array(gzip(tar.finished).dropLast(30))
            }),
        Hostile(
            "gzip damaged", error: "gzip stream is damaged",
            bytes: { _ in
                var tar = TarWriter()
                tar.file("fine")
                var bytes = gzip(tar.finished)
                bytes[bytes.count - 6] ^= 0xff
                return bytes
            }),
        Hostile(
            "bomb", error: "hold more than",
            bytes: { _ in
                var tar = TarWriter()
                tar.add("zeros", content: [UInt8](repeating: 0, count: 8 << 20))
                return gzip(tar.finished)
            }),
    ]

    @Test(arguments: corpus) func isRefused(_ hostile: Hostile) throws {
        var limits = LayerLimits()
        limits.entries = 50
        limits.bytes = 1 << 20
        let sandbox = try Sandbox(limits: limits)
        var good = TarWriter()
        good.file("good")
        let known = try sandbox.store.importRootfs(from: try sandbox.write(good.finished, as: "good.tar"), name: "good")
        let before = try sandbox.storeListing()

        let path = try sandbox.write(hostile.archive(sandbox.root))
        let error = #expect(throws: (any Error).self) { try sandbox.store.importRootfs(from: path, name: "bad") }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(hostile.error), "\(text)")
        #expect(sandbox.isCanaryIntact)
        #expect(try sandbox.storeListing() == before)
        #expect(try sandbox.store.list().map(\.id) == [known.id])
    }
}
