import CLinux
import Images
import LinuxSystem
import Testing

/// A store of its own, with a canary beside it, gone when the test ends.
final class Sandbox: Sendable {
    let root: String
    let paths: HostPaths
    let store: ImageStore
    /// A file that no archive may touch; ``isCanaryIntact`` says whether none did.
    let canary: String

    init(limits: LayerLimits = LayerLimits()) throws {
        root = "/tmp/swcompose-images-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        paths = HostPaths(data: "\(root)/data", run: "\(root)/run")
        store = ImageStore(paths: paths, limits: limits)
        canary = "\(root)/canary/secret"
        try Files.makeDirectories("\(root)/canary")
        try Files.replace(canary, with: Array("untouched".utf8), mode: 0o600)
    }

    deinit { try? TreeRemoval.remove(root) }

    func write(_ bytes: [UInt8], as name: String = "archive.tar") throws -> String {
        let path = "\(root)/\(name)"
        try Files.replace(path, with: bytes)
        return path
    }

    var isCanaryIntact: Bool {
        var info = stat()
        guard lstat(canary, &info) == 0, info.st_mode == 0o100600, info.st_nlink == 1 else { return false }
        return (try? Files.list("\(root)/canary")) == ["secret"] && (try? Files.readString(canary)) == "untouched"
    }

    /// Every path of the store with size and time, to be compared before and after; locks are left out.
    func storeListing() throws -> [String] { try Self.listing(paths.data).sorted() }

    private static func listing(_ path: String) throws -> [String] {
        var result: [String] = []
        for name in try Files.list(path) where !name.hasSuffix(".lock") {
            let child = "\(path)/\(name)"
            var info = stat()
            guard lstat(child, &info) == 0 else { continue }
            if TreeEntryKind(mode: info.st_mode) == .directory {
                result.append("\(child)/")
                result += try listing(child)
            } else {
                result.append("\(child) \(info.st_size) \(info.st_ino)")
            }
        }
        return result
    }
}

/// What `lstat` says.
func information(_ path: String) throws -> stat {
    var info = stat()
    try check("lstat", path) { lstat(path, &info) }
    return info
}

func extendedAttribute(_ path: String, _ name: String) -> [UInt8]? {
    var value = [UInt8](repeating: 0, count: 1024)
    let count = lgetxattr(path, name, &value, value.count)
    return count < 0 ? nil : Array(value[..<count])
}

let isRoot = geteuid() == 0
