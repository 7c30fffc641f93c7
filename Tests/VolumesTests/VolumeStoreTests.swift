import CLinux
import LinuxSystem
import TestSupport
import Testing

@testable import Volumes

private final class Sandbox {
    let root = "/tmp/swcompose-volumes-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    let store: VolumeStore

    init() throws {
        store = VolumeStore(paths: HostPaths(data: "\(root)/data", run: "\(root)/run"))
        try Files.makeDirectories("\(root)/source")
    }

    deinit {
        for record in (try? store.list()) ?? [] { try? store.remove(record.name) }
        try? TreeRemoval.remove(root)
    }

    var source: String { "\(root)/source" }
    func openSource() throws -> OwnedDescriptor { try OwnedDescriptor.open(source, O_PATH | O_DIRECTORY) }
    func data(_ name: String) -> String { "\(root)/data/volumes/\(name)/_data" }
}

private func information(_ path: String) throws -> stat {
    var info = stat()
    try check("lstat", path) { lstat(path, &info) }
    return info
}

@Suite @BlockingTests struct VolumeStoreTests {
    @Test func makesListsAndRemoves() throws {
        let sandbox = try Sandbox()
        let made = try sandbox.store.create(name: "app_data", labels: ["project": "app", "empty": ""])
        #expect(try sandbox.store.create(name: "app_data", labels: ["project": "other"]) == made)
        let anonymous = try sandbox.store.createAnonymous()
        #expect(anonymous.name.utf8.count == 64 && anonymous.isAnonymous)
        #expect(try sandbox.store.list().count == 2)
        #expect(try sandbox.store.list(labels: ["project": "app"]).map(\.name) == ["app_data"])
        #expect(try sandbox.store.list(labels: ["project": ""]).count == 1)
        #expect(try sandbox.store.list(labels: ["project": "other"]).isEmpty)
        try Files.replace("\(try sandbox.store.mountPoint("app_data"))/file", with: [1])
        try sandbox.store.remove("app_data")
        #expect(!Files.exists("\(sandbox.root)/data/volumes/app_data"))
        #expect(throws: VolumeError.notFound("app_data")) { try sandbox.store.remove("app_data") }
    }

    @Test(arguments: ["", "a", ".hidden", "a/b", "..", "a b", "../../etc"]) func refusesNames(_ name: String) throws {
        let sandbox = try Sandbox()
        #expect(throws: VolumeError.invalidName(name)) { try sandbox.store.create(name: name) }
        #expect(try sandbox.store.get(name) == nil)
    }

    @Test func refusesOtherDriversAndOptions() throws {
        let sandbox = try Sandbox()
        #expect(throws: VolumeError.unsupportedDriver("rexray")) {
            try sandbox.store.create(name: "data", driver: "rexray")
        }
        for options in [
            ["size": "1g"], ["foo": "bar"], ["type": "nfs"], ["device": "/x"], ["device": "x", "o": "bind"],
        ] {
            #expect(throws: VolumeError.self) { try sandbox.store.create(name: "data", options: options) }
        }
    }

    @Test func readsMountOptions() throws {
        let options = try #require(
            try MountOptions(
                ["type": "nfs", "device": ":/export", "o": "addr=10.0.0.1,ro,nosuid,suid,nfsvers=4,rslave"], volume: "v"
            ))
        #expect(options.flags == UInt(MS_RDONLY))
        #expect(options.data == ["addr=10.0.0.1", "nfsvers=4"])
        #expect(options.propagation == UInt(MS_SLAVE) | UInt(MS_REC))
        #expect(options.address == "10.0.0.1")
    }
}

@Suite(.enabled(if: geteuid() == 0), .serialized) @BlockingTests struct VolumeMountTests {
    @Test func mountsTmpfsOnceAndUnmounts() throws {
        let sandbox = try Sandbox()
        try sandbox.store.create(
            name: "fast", options: ["type": "tmpfs", "device": "tmpfs", "o": "size=1m,mode=0750,noexec"])
        let path = try sandbox.store.mountPoint("fast")
        #expect(try sandbox.store.mountPoint("fast") == path)
        var info = statfs()
        #expect(statfs(path, &info) == 0 && info.f_type == TMPFS_MAGIC)
        #expect(try information(path).st_mode & 0o7777 == 0o750)
        try sandbox.store.remove("fast")
        #expect(try !Files.readString("/proc/self/mountinfo").contains(path))
    }

    @Test func bindsReadOnlyAndKeepsTheSource() throws {
        let sandbox = try Sandbox()
        try Files.replace("\(sandbox.source)/file", with: [1])
        try sandbox.store.create(name: "bound", options: ["type": "none", "device": sandbox.source, "o": "bind,ro"])
        let path = try sandbox.store.mountPoint("bound")
        #expect(try Files.list(path) == ["file"])
        #expect(throws: SystemError.self) { try Files.replace("\(path)/other", with: [1]) }
        try sandbox.store.remove("bound")
        #expect(try Files.list(sandbox.source) == ["file"])
    }
}

@Suite(.enabled(if: geteuid() == 0), .serialized) @BlockingTests struct PopulateTests {
    private func fillSource(_ sandbox: Sandbox) throws {
        let source = sandbox.source
        try Files.makeDirectories("\(source)/sub")
        try Files.replace("\(source)/sub/file", with: Array("content".utf8))
        try check("chmod") { chmod("\(source)/sub/file", 0o4711) }
        try check("link") { link("\(source)/sub/file", "\(source)/second") }
        try check("symlink") { symlink("/etc/passwd", "\(source)/link") }
        try check("mkfifo") { mkfifo("\(source)/fifo", 0o600) }
        try check("setxattr") { setxattr("\(source)/sub", "user.note", "hi", 2, 0) }
        try check("chown") { lchown("\(source)/link", 12, 34) }
        try check("chown") { chown(source, 70, 71) }
        try check("chmod") { chmod(source, 0o1770) }
        let times = [timespec(tv_sec: 1000, tv_nsec: 5), timespec(tv_sec: 1000, tv_nsec: 5)]
        try check("utimensat") { utimensat(AT_FDCWD, source, times, 0) }
    }

    @Test func copiesEverything() throws {
        let sandbox = try Sandbox()
        try fillSource(sandbox)
        // A file of one megabyte with one block of data at its end.
        let sparse = try OwnedDescriptor.open("\(sandbox.source)/sub/sparse", O_RDWR | O_CREAT)
        try check("pwrite") { pwrite(sparse.raw, "end", 3, 1 << 20) }
        try sandbox.store.create(name: "data")
        try sandbox.store.populate("data", from: try sandbox.openSource())

        let data = sandbox.data("data")
        #expect(try Files.list(data) == ["fifo", "link", "second", "sub"])
        let own = try information(data)
        #expect((own.st_uid, own.st_gid, own.st_mode & 0o7777) == (70, 71, 0o1770))
        let file = try information("\(data)/sub/file")
        #expect(file.st_mode & 0o7777 == 0o4711 && file.st_nlink == 2)
        #expect(try information("\(data)/second").st_ino == file.st_ino)
        #expect(try Files.readString("\(data)/second") == "content")
        #expect(try information("\(data)/link").st_uid == 12)
        var value = [UInt8](repeating: 0, count: 8)
        #expect(getxattr("\(data)/sub", "user.note", &value, 8) == 2)
        let copied = try information("\(data)/sub/sparse")
        #expect(copied.st_size == (1 << 20) + 3 && copied.st_blocks < 100)
        #expect(try Files.read("\(data)/sub/sparse").suffix(3) == Array("end".utf8)[...])
    }

    @Test func leavesVolumesWithContentAlone() throws {
        let sandbox = try Sandbox()
        try fillSource(sandbox)
        try sandbox.store.create(name: "data")
        try Files.replace("\(sandbox.data("data"))/mine", with: [1])
        try sandbox.store.populate("data", from: try sandbox.openSource())
        #expect(try Files.list(sandbox.data("data")) == ["mine"])
        #expect(try information(sandbox.data("data")).st_uid == 0)
    }

    @Test func beginsAnewWhereItWasCutOff() throws {
        let sandbox = try Sandbox()
        try fillSource(sandbox)
        try sandbox.store.create(name: "data")
        try Files.replace("\(sandbox.data("data"))/half", with: [1])
        let record = "\(sandbox.root)/data/volumes/data/volume.json"
        let text = try Files.readString(record)
        try Files.replace(record, with: Array((text.dropLast() + #","isPopulating":true}"#).utf8))
        try sandbox.store.populate("data", from: try sandbox.openSource())
        #expect(try Files.list(sandbox.data("data")) == ["fifo", "link", "second", "sub"])
        #expect(try sandbox.store.get("data")?.isPopulating == nil)
    }

    @Test func copiesFromADetachedOverlay() throws {
        let sandbox = try Sandbox()
        try fillSource(sandbox)
        let upper = "\(sandbox.root)/upper"
        try Files.makeDirectories("\(upper)/sub")
        try Files.replace("\(upper)/sub/more", with: [2])
        try check("mknod") { mknod("\(upper)/link", UInt32(S_IFCHR), 0) }
        let mount = try DetachedMount.overlay(lower: [upper, sandbox.source])
        try sandbox.store.create(name: "data")
        try sandbox.store.populate("data", from: mount)
        #expect(try Files.list(sandbox.data("data")) == ["fifo", "second", "sub"])
        #expect(try Files.list("\(sandbox.data("data"))/sub") == ["file", "more"])
        #expect(try information("\(sandbox.data("data"))/second").st_nlink == 2)
        #expect(try !Files.readString("/proc/self/mountinfo").contains(sandbox.root))
        // Read-only, and nothing leads out of it.
        #expect(throws: SystemError.self) { try mount.openInRoot("new", O_WRONLY | O_CREAT, mode: 0o600) }
    }

    @Test func removesTreesDeeperThanThereAreDescriptors() throws {
        let sandbox = try Sandbox()
        var current = try OwnedDescriptor.open(sandbox.source, O_RDONLY | O_DIRECTORY)
        for _ in 0..<3000 {
            try check("mkdirat") { mkdirat(current.raw, "deeper", 0o755) }
            current = OwnedDescriptor(
                try check("openat") { swc_openat(current.raw, "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) })
        }
        try TreeRemoval.remove(sandbox.source)
        #expect(!Files.exists(sandbox.source))
    }
}
