import CLinux
import LinuxSystem
import TestSupport
import Testing

@testable import Images

/// What good archives become. Owners and devices need root.
@Suite(.enabled(if: isRoot), .serialized) @BlockingTests struct UnpackTests {
    private func unpack(_ tar: TarWriter, _ sandbox: Sandbox) throws -> String {
        let image = try sandbox.store.importRootfs(from: try sandbox.write(tar.finished), name: "test")
        return try #require(try sandbox.store.layers(of: image).first)
    }

    @Test func keepsModesOwnersTimesAndSpecialFiles() throws {
        let sandbox = try Sandbox()
        var tar = TarWriter()
        tar.directory("./", mode: 0o711)
        tar.directory("./etc", mode: 0o2750)
        tar.add("etc/file", content: [1, 2, 3], mode: 0o4755, uid: 1000, gid: 1001, modified: 1_500_000_000)
        tar.hardLink("etc/second", "etc/file")
        tar.symlink("etc/link", "/somewhere/../else")
        tar.add("fifo", type: "6", mode: 0o600)
        tar.add("device", type: "3", mode: 0o666, device: (1, 3))
        let layer = try unpack(tar, sandbox)

        #expect(try information(layer).st_mode & 0o7777 == 0o711)
        #expect(try information("\(layer)/etc").st_mode & 0o7777 == 0o2750)
        #expect(try information("\(layer)/etc").st_mtim.tv_sec == 1_600_000_000)
        let file = try information("\(layer)/etc/file")
        #expect(file.st_mode & 0o7777 == 0o4755)
        #expect((file.st_uid, file.st_gid) == (1000, 1001))
        #expect(file.st_mtim.tv_sec == 1_500_000_000)
        #expect(file.st_nlink == 2)
        #expect(try information("\(layer)/etc/second").st_ino == file.st_ino)
        var target = [CChar](repeating: 0, count: 64)
        #expect(readlink("\(layer)/etc/link", &target, 63) == 18)
        #expect(TreeEntryKind(mode: try information("\(layer)/fifo").st_mode) == .fifo)
        let device = try information("\(layer)/device")
        #expect(TreeEntryKind(mode: device.st_mode) == .characterDevice)
        #expect(device.st_rdev == swc_makedev(1, 3))
    }

    @Test func keepsExtendedAttributesAndCapabilities() throws {
        let sandbox = try Sandbox()
        // CAP_NET_RAW permitted and effective, revision 2.
        let capability: [UInt8] = [1, 0, 0, 2, 0, 0x20, 0, 0] + [UInt8](repeating: 0, count: 12)
        var tar = TarWriter()
        tar.add(
            "ping", content: [0x7f], mode: 0o755, uid: 5,
            pax: [("SCHILY.xattr.security.capability", capability), ("SCHILY.xattr.user.note", Array("a=b\n".utf8))])
        let layer = try unpack(tar, sandbox)
        #expect(extendedAttribute("\(layer)/ping", "security.capability") == capability)
        #expect(extendedAttribute("\(layer)/ping", "user.note") == Array("a=b\n".utf8))
    }

    @Test func takesLongNamesOfBothFormats() throws {
        let sandbox = try Sandbox()
        let long = (0..<30).map { "directory\($0)" }.joined(separator: "/")
        var tar = TarWriter()
        tar.add("short", content: [1], pax: [("path", Array("\(long)/pax".utf8)), ("mtime", Array("123.5".utf8))])
        tar.addHeader(name: "././@LongLink", type: "L", size: long.utf8.count + 5)
        tar.addContent(Array("\(long)/gnu\0".utf8))
        tar.add("cut", content: [2])
        let layer = try unpack(tar, sandbox)
        let time = try information("\(layer)/\(long)/pax").st_mtim
        #expect((time.tv_sec, time.tv_nsec) == (123, 500_000_000))
        #expect(try Files.read("\(layer)/\(long)/gnu") == [2])
    }

    @Test func keepsNamesThatAreNotUTF8() throws {
        let sandbox = try Sandbox()
        var tar = TarWriter()
        tar.addHeader(name: "caf?", type: "0", size: 0) { $0[3] = 0xe9 }
        let layer = try unpack(tar, sandbox)
        var info = stat()
        #expect(
            lstat(Array(layer.utf8CString.dropLast()) + [0x2f, 0x63, 0x61, 0x66, CChar(bitPattern: 0xe9), 0], &info)
                == 0)
        // And it can be removed again.
        _ = try sandbox.store.remove("test")
        #expect(!Files.exists(layer))
    }

    @Test func makesHolesOfSparseFiles() throws {
        let sandbox = try Sandbox()
        let block = [UInt8](repeating: 7, count: 512)
        let map = Array("1\n1048576\n512\n".utf8)
        var tar = TarWriter()
        tar.add(
            "ignored", content: map + [UInt8](repeating: 0, count: 512 - map.count) + block,
            pax: [
                ("GNU.sparse.major", [0x31]), ("GNU.sparse.minor", [0x30]), ("GNU.sparse.name", Array("one".utf8)),
                ("GNU.sparse.realsize", Array("2097152".utf8)),
            ])
        tar.addHeader(name: "old", type: "S", size: 512) { header in
            for (index, byte) in "00004000000\000000001000\0".utf8.enumerated() { header[386 + index] = byte }
            for (index, byte) in "00010000000\0".utf8.enumerated() { header[483 + index] = byte }
        }
        tar.addContent(block)
        tar.file("after")
        let layer = try unpack(tar, sandbox)
        let one = try information("\(layer)/one")
        #expect(one.st_size == 2_097_152)
        #expect(one.st_blocks < 100)
        #expect(try Array(Files.read("\(layer)/one")[1_048_576..<(1_048_576 + 512)]) == block)
        let old = try Files.read("\(layer)/old")
        #expect(old.count == 2_097_152)
        #expect(Array(old[1_048_576..<1_049_088]) == block)
        #expect(try Files.readString("\(layer)/after") == "x")
    }

    @Test func laterEntriesReplaceEarlierOnes() throws {
        let sandbox = try Sandbox()
        var tar = TarWriter()
        tar.directory("a")
        tar.file("a/b", "old")
        tar.symlink("c", "/nowhere")
        tar.file("a")
        tar.file("c", "a file now")
        tar.file("d", "first")
        tar.file("d", "second")
        tar.hardLink("e", "d")
        let layer = try unpack(tar, sandbox)
        #expect(try Files.readString("\(layer)/a") == "x")
        #expect(try Files.readString("\(layer)/c") == "a file now")
        #expect(try Files.readString("\(layer)/e") == "second")
    }

    @Test func translatesWhiteouts() throws {
        let sandbox = try Sandbox()
        var tar = TarWriter()
        tar.directory("dir")
        tar.file("dir/.wh.gone")
        tar.directory("opaque")
        tar.file("opaque/.wh..wh..opq")
        tar.file("opaque/kept")
        tar.file(".wh.again")
        tar.directory("again")
        tar.file("stays")
        tar.file(".wh.stays")
        tar.file(".wh..wh.plnk")
        let layer = try unpack(tar, sandbox)
        let gone = try information("\(layer)/dir/gone")
        #expect(TreeEntryKind(mode: gone.st_mode) == .characterDevice && gone.st_rdev == 0)
        #expect(extendedAttribute("\(layer)/opaque", "trusted.overlay.opaque") == [0x79])
        #expect(extendedAttribute("\(layer)/again", "trusted.overlay.opaque") == [0x79])
        #expect(extendedAttribute("\(layer)/dir", "trusted.overlay.opaque") == nil)
        #expect(try Files.readString("\(layer)/stays") == "x")
        #expect(try Files.list(layer) == ["again", "dir", "opaque", "stays"])
    }
}
