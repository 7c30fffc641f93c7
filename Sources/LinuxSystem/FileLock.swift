internal import CLinux
internal import SystemPackage

/// An exclusive lock on a file (`flock`), held as long as this object lives; the kernel drops it with the process.
public final class FileLock: Sendable {
    private let descriptor: OwnedDescriptor

    /// Blocks until the lock is had. Makes the file (and its directory) if needed.
    /// - Throws: ``SystemError``.
    public init(_ path: String) throws {
        descriptor = try Self.openFile(path)
        let raw = descriptor.raw
        try check("flock", path) { flock(raw, LOCK_EX) }
    }

    /// nil where another holds it.
    public init?(trying path: String) throws {
        descriptor = try Self.openFile(path)
        let raw = descriptor.raw
        do { try check("flock", path) { flock(raw, LOCK_EX | LOCK_NB) } } catch let error as SystemError {
            if error.errno == .wouldBlock { return nil }
            throw error
        }
    }

    private static func openFile(_ path: String) throws -> OwnedDescriptor {
        if let slash = path.lastIndex(of: "/") { try Files.makeDirectories(String(path[..<slash]), mode: 0o700) }
        return try OwnedDescriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
    }
}
