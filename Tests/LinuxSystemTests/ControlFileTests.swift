import CLinux
import LinuxSystem
import SystemPackage
import Testing

@Suite("Control files and single directories")
struct ControlFileTests {
    @Test("text comes without its end of line, and not without bound")
    func reads() throws {
        let scratch = try Scratch()
        try Files.replace(scratch["a"], with: Array("x y\n\n".utf8))
        #expect(try ControlFile.read(scratch["a"]) == "x y")
        try Files.replace(scratch["b"], with: [UInt8](repeating: 65, count: 20_000))
        #expect(try ControlFile.read(scratch["b"]).utf8.count == 20_000)
        #expect(throws: SystemError("read", .fileTooLarge, scratch["b"])) {
            try ControlFile.read(scratch["b"], limit: 10_000)
        }
        #expect(throws: SystemError("open", .noSuchFileOrDirectory, scratch["none"])) {
            try ControlFile.write(scratch["none"], "1")
        }
    }

    @Test("subdirectories, but no files and no links to directories")
    func subdirectories() throws {
        let scratch = try Scratch()
        try Directory.make(scratch["d"])
        try Files.replace(scratch["f"], with: [])
        symlink(scratch["d"], scratch["l"])
        #expect(try Directory.subdirectories(scratch.path) == ["d"])
        #expect(try Directory.subdirectories(scratch["none"]) == [])
    }

    @Test("waiting ends with the condition or with the time")
    func waiting() {
        var calls = 0
        #expect(
            Waiting.until(seconds: 5) {
                calls += 1
                return calls == 4
            })
        #expect(calls == 4)
        let start = Waiting.now()
        #expect(!Waiting.until(seconds: 0.03) { false })
        #expect(Waiting.now() - start >= 0.03)
    }
}

/// A directory of a test's own, removed with this object.
final class Scratch {
    let path = "/tmp/swcompose-linuxsystem-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    init() throws { try Files.makeDirectories(path, mode: 0o700) }
    deinit { try? Files.removeTree(path) }
    subscript(name: String) -> String { "\(path)/\(name)" }
}
