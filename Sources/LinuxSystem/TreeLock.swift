internal import CLinux
internal import SystemPackage

/// A lock on a tree of files that is held together by those who add to it and alone by who clears it up. Held as long
/// as this object lives; the kernel drops it with the process.
public final class TreeLock: Sendable {
    private let descriptor: OwnedDescriptor

    /// Held with others who add. Blocks while somebody clears up.
    public init(shared path: String) throws {
        descriptor = try Self.openFile(path)
        let raw = descriptor.raw
        try check("flock", path) { flock(raw, LOCK_SH) }
    }

    /// Held alone; nil where anybody else holds it.
    public init?(tryingAlone path: String) throws {
        descriptor = try Self.openFile(path)
        let raw = descriptor.raw
        do { try check("flock", path) { flock(raw, LOCK_EX | LOCK_NB) } } catch let error as SystemError {
            if error.errno == .wouldBlock { return nil }
            throw error
        }
    }

    private static func openFile(_ path: String) throws -> OwnedDescriptor {
        try OwnedDescriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
    }
}
