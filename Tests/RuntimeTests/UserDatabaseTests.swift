import CLinux
import LinuxSystem
import TestSupport
import Testing

@testable import Runtime

@Suite("Users of a container")
@BlockingTests struct UserDatabaseTests {
    private static let database = UserDatabase(
        passwd: """
            root:x:0:0:root:/root:/bin/sh
            # comment:x:0:0::/:/bin/sh
            broken:x::0::/:/bin/sh
            toobig:x:4294967295:0::/:/bin/sh
            negative:x:-1:-1::/:/bin/sh
            app:x:1000:1001::/home/app:/bin/sh
            short:x:1002:1003
            2000:x:0:0::/root:/bin/sh
            homeless:x:1004:1004:::/bin/sh
            """,
        group: """
            root:x:0:
            wheel:x:10:app,other
            video:x:44:other,app
            bare:x:45
            app:x:1001:
            nogid:x::app
            46:x:0:
            """)

    @Test("names, numbers and groups")
    func resolved() throws {
        func resolve(_ text: String, _ groups: [String] = []) throws -> ResolvedUser {
            try Self.database.resolve(text, additionalGroups: groups)
        }
        #expect(try resolve("") == ResolvedUser(uid: 0, gid: 0, additionalGids: [], home: "/root"))
        #expect(
            try resolve("app") == ResolvedUser(uid: 1000, gid: 1001, additionalGids: [10, 44], home: "/home/app"))
        #expect(try resolve("1000") == resolve("app"))
        // A group said is the only one, as with Docker.
        #expect(
            try resolve("app:video") == ResolvedUser(uid: 1000, gid: 44, additionalGids: [], home: "/home/app"))
        #expect(try resolve("app:99").gid == 99)
        #expect(try resolve("5000") == ResolvedUser(uid: 5000, gid: 0, additionalGids: [], home: "/"))
        #expect(try resolve("5000:5001").gid == 5001)
        #expect(try resolve("2147483647").uid == 2_147_483_647)
        #expect(try resolve("short") == ResolvedUser(uid: 1002, gid: 1003, additionalGids: [], home: "/"))
        #expect(try resolve("homeless").home == "/")
        #expect(try resolve("app", ["bare", "44", "77"]).additionalGids == [10, 44, 45, 77])
    }

    @Test("a number is that number, whatever the image calls its users and groups")
    func numericNames() throws {
        #expect(try Self.database.resolve("2000").uid == 2000)
        #expect(try Self.database.resolve("app:46").gid == 46)
    }

    @Test(
        "what is no user never becomes root",
        arguments: [
            "1000:", ":1000", ":", "1000abc", "-1", "+1", "4294967295", "4294967296", "2147483648", "0x0", " 0", "0 ",
            "1000:1000:1000", "nobody", "broken", "toobig", "negative", "# comment", "app:none", "app:0x0", "app:-1",
            "app:4294967295", "app:nogid", "\u{0660}", "99999999999999999999",
        ])
    func refused(text: String) {
        #expect(throws: UserError.self) { try Self.database.resolve(text) }
    }

    @Test("Docker's words")
    func messages() {
        #expect(throws: UserError.noSuchUser("ghost")) { try Self.database.resolve("ghost") }
        #expect(
            "\(UserError.noSuchUser("ghost"))" == "unable to find user ghost: no matching entries in passwd file")
        #expect(throws: UserError.noSuchGroup("ghosts")) {
            try Self.database.resolve("app", additionalGroups: ["ghosts"])
        }
    }

    @Test("lines end at a line feed and nowhere else, fields at a colon whatever follows it")
    func bytes() throws {
        let database = UserDatabase(
            passwd:
                "a:x:7:7:text\u{2028}evil:x:0:0::/:/bin/sh\nb:x:8:8:\u{301}:/home/b:/bin/sh\nc:x:9:9::/c:/bin/sh\r\n",
            group: "")
        #expect(throws: UserError.noSuchUser("evil")) { try database.resolve("evil") }
        #expect(try database.resolve("b").home == "/home/b")
        #expect(try database.resolve("c").uid == 9)
    }

    @Test("read below a root: links stay in it, what is no file of sensible size is an error, none is empty")
    func reading() throws {
        let path = "/tmp/swcompose-users-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        defer { try? Files.removeTree(path) }
        try Files.makeDirectories("\(path)/etc")
        let root = try OwnedDescriptor.open(path, O_RDONLY | O_DIRECTORY)
        #expect(try UserDatabase(root: root).resolve("").home == "/")
        // Leads to the container's own file, which is not there, and not to the host's.
        symlink("/../../../../etc/passwd-other", "\(path)/etc/passwd")
        #expect(try UserDatabase(root: root).users == [])
        try Files.replace("\(path)/etc/passwd-other", with: Array("app:x:5:5::/:/x\n".utf8))
        #expect(try UserDatabase(root: root).users.map(\.id) == [5])
        mkfifo("\(path)/etc/group", 0o644)
        #expect(throws: SystemError.self) { try UserDatabase(root: root) }
        unlink("\(path)/etc/group")
        try Files.replace("\(path)/etc/group", with: [])
        truncate("\(path)/etc/group", 1 << 40)
        #expect(throws: SystemError.self) { try UserDatabase(root: root) }
    }

    @Test("layers are looked through as overlayfs does")
    func layers() throws {
        let base = "/tmp/swcompose-layers-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        defer { try? Files.removeTree(base) }
        let layers = ["\(base)/upper", "\(base)/middle", "\(base)/lower"]
        for layer in layers { try Files.makeDirectories("\(layer)/etc") }
        #expect(try UserDatabase(layers: layers)?.users == [])
        try Files.replace("\(layers[2])/etc/passwd", with: Array("low:x:5:5::/:/x\n".utf8))
        try Files.replace("\(layers[2])/etc/group", with: Array("low:x:5:\n".utf8))
        #expect(try UserDatabase(layers: layers)?.users.map(\.name) == ["low"])
        try Files.replace("\(layers[0])/etc/passwd", with: Array("top:x:6:6::/:/x\n".utf8))
        #expect(try UserDatabase(layers: layers)?.users.map(\.name) == ["top"])
        #expect(try UserDatabase(layers: layers)?.groups.map(\.name) == ["low"])
        // Gone in the middle, whatever is below.
        try #require(mknod("\(layers[1])/etc/group", mode_t(S_IFCHR) | 0o600, 0) == 0)
        #expect(try UserDatabase(layers: layers)?.groups == [])
        unlink("\(layers[1])/etc/group")
        // A link may lead anywhere in the whole tree.
        symlink("/usr/lib/group", "\(layers[1])/etc/group")
        #expect(try UserDatabase(layers: layers) == nil)
    }

    @Test("an opaque directory hides those below", .enabled(if: geteuid() == 0))
    func opaque() throws {
        let base = "/tmp/swcompose-layers-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        defer { try? Files.removeTree(base) }
        let layers = ["\(base)/upper", "\(base)/lower"]
        for layer in layers { try Files.makeDirectories("\(layer)/etc") }
        try Files.replace("\(layers[1])/etc/passwd", with: Array("low:x:5:5::/:/x\n".utf8))
        // A tmpfs keeps these attributes as disks do, from kernel 6.6 on.
        guard setxattr("\(layers[0])/etc", "trusted.overlay.opaque", "y", 1, 0) == 0 else { return }
        #expect(try UserDatabase(layers: layers)?.users == [])
    }
}
