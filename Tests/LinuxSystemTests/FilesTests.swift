import CLinux
import LinuxSystem
import SystemPackage
import Testing

@Suite("Files")
struct FilesTests {
    @Test("replacing keeps a reader's old file whole, and leaves no other file behind")
    func replace() throws {
        let scratch = try Scratch()
        try Files.replace(scratch["f"], with: Array("old".utf8), mode: 0o600)
        let reader = try OwnedDescriptor.open(scratch["f"], O_RDONLY)
        try Files.replace(scratch["f"], with: Array("new".utf8), durable: true)
        #expect(try Files.readString("/proc/self/fd/\(reader.raw)") == "old")
        #expect(try Files.readString(scratch["f"]) == "new")
        #expect(try Files.list(scratch.path) == ["f"])
    }

    @Test("a replacement that fails leaves no temporary file")
    func replaceFails() throws {
        let scratch = try Scratch()
        try Files.makeDirectories(scratch["d/inner"])
        #expect(throws: SystemError.self) { try Files.replace(scratch["d"], with: [1]) }
        #expect(try Files.list(scratch.path) == ["d"])
    }

    @Test("files of /proc say 0 bytes and are read whole")
    func procFiles() throws {
        #expect(try Files.readString("/proc/self/status").contains("CapBnd:"))
        #expect(throws: SystemError.self) { try Files.read("/proc/self/no-such-file") }
    }

    @Test("directories are made with all above them; a file in the way is an error")
    func directories() throws {
        let scratch = try Scratch()
        try Files.makeDirectories(scratch["a/b/c"], mode: 0o700)
        try Files.makeDirectories(scratch["a/b/c"])
        var info = stat()
        #expect(stat(scratch["a/b/c"], &info) == 0 && info.st_mode & 0o777 == 0o700)
        try Files.replace(scratch["file"], with: [])
        #expect(throws: SystemError.self) { try Files.makeDirectories(scratch["file/x"]) }
    }

    @Test("a tree is removed with its links, not what they point at")
    func removeTree() throws {
        let scratch = try Scratch()
        try Files.makeDirectories(scratch["kept"])
        try Files.replace(scratch["kept/file"], with: [1])
        try Files.makeDirectories(scratch["tree/deep/er"])
        try Files.replace(scratch["tree/deep/file"], with: [1])
        symlink(scratch["kept"], scratch["tree/deep/link"])
        symlink("nowhere", scratch["tree/dangling"])
        try Files.removeTree(scratch["tree"])
        #expect(try Files.list(scratch.path) == ["kept"])
        #expect(try Files.list(scratch["kept"]) == ["file"])
        try Files.removeTree(scratch["tree"])
        symlink(scratch["kept"], scratch["link"])
        try Files.removeTree(scratch["link"])
        #expect(try Files.list(scratch["kept"]) == ["file"])
    }

    @Test("a tree deeper than a path may be long")
    func deepTree() throws {
        let scratch = try Scratch()
        let name = String(repeating: "n", count: 200)
        try Files.makeDirectories(scratch["tree"])
        var directory = try OwnedDescriptor.open(scratch["tree"], O_RDONLY | O_DIRECTORY)
        for _ in 0..<40 {
            try #require(mkdirat(directory.raw, name, 0o755) == 0)
            directory = try directory.openInRoot(name, O_RDONLY | O_DIRECTORY)
        }
        try Files.removeTree(scratch["tree"])
        #expect(try Files.list(scratch.path) == [])
    }

    @Test("names that are not UTF-8 are not listed, and removed with the rest")
    func namesThatAreNotText() throws {
        let scratch = try Scratch()
        try Files.makeDirectories(scratch["tree/inner"])
        for parent in ["tree", "tree/inner"] {
            let directory = try OwnedDescriptor.open(scratch[parent], O_RDONLY | O_DIRECTORY)
            let name: [CChar] = [0x61, -1, -2, 0]
            try #require(mkdirat(directory.raw, name, 0o755) == 0)
        }
        #expect(try Files.list(scratch["tree"]) == ["inner"])
        #expect(try Directory.subdirectories(scratch["tree"]) == ["inner"])
        try Files.removeTree(scratch["tree"])
        #expect(try Files.list(scratch.path) == [])
    }

    @Test("nothing opened as below a root leads out of it")
    func openInRoot() throws {
        let scratch = try Scratch()
        try Files.makeDirectories(scratch["root/etc"])
        try Files.replace(scratch["outside"], with: Array("host".utf8))
        try Files.replace(scratch["root/outside"], with: Array("container".utf8))
        symlink("../../../../outside", scratch["root/etc/up"])
        symlink("/outside", scratch["root/etc/absolute"])
        symlink(scratch["outside"], scratch["root/etc/host"])
        let root = try OwnedDescriptor.open(scratch["root"], O_RDONLY | O_DIRECTORY)
        for path in ["etc/up", "/etc/absolute", "../outside", "etc/../../outside"] {
            let file = try root.openInRoot(path, O_RDONLY)
            #expect(try Files.readString("/proc/self/fd/\(file.raw)") == "container", "\(path)")
        }
        #expect(throws: SystemError("openat2", .noSuchFileOrDirectory, "etc/host")) {
            try root.openInRoot("etc/host", O_RDONLY)
        }
    }
}

@Suite("File locks")
struct FileLockTests {
    @Test("one at a time, also within a process; free again with the object")
    func exclusive() throws {
        let scratch = try Scratch()
        var lock: FileLock? = try FileLock(scratch["dir/lock"])
        #expect(try FileLock(trying: scratch["dir/lock"]) == nil)
        withExtendedLifetime(lock) {}
        lock = nil
        #expect(try FileLock(trying: scratch["dir/lock"]) != nil)
    }

    @Test("waiting for it ends when it is given back")
    func blocks() async throws {
        let scratch = try Scratch()
        let path = scratch["lock"]
        let lock = try FileLock(path)
        async let second: Void = BlockingPool.shared.run { _ = try FileLock(path) }
        try await Task.sleep(for: .milliseconds(20))
        withExtendedLifetime(lock) {}
        _ = consume lock
        try await second
    }
}
