internal import CLinux
internal import SystemPackage

/// An exclusive lock on a file (`flock`), held as long as this object lives; the kernel drops it with the process.
public final class FileLock: Sendable {
    private let descriptor: OwnedDescriptor
    private let path: String

    /// Blocks until the lock is had. Makes the file (and its directory) if needed.
    /// - Throws: ``SystemError``.
    public init(_ path: String) throws {
        descriptor = try Self.acquire(path, LOCK_EX)!
        self.path = path
    }

    /// nil where another holds it.
    public init?(trying path: String) throws {
        guard let descriptor = try Self.acquire(path, LOCK_EX | LOCK_NB) else { return nil }
        self.descriptor = descriptor
        self.path = path
    }

    /// Whether somebody has the lock now. Makes no file.
    public static func isHeld(_ path: String) -> Bool {
        guard let descriptor = try? OwnedDescriptor.open(path, O_RDONLY) else { return false }
        // Shared, so that two who ask do not take each other for its holder.
        return flock(descriptor.raw, LOCK_SH | LOCK_NB) != 0
    }

    /// Removes the lock's file: what it guarded is gone. Those who wait for it make another.
    public func removeFile() { unlink(path) }

    private static func acquire(_ path: String, _ operation: CInt) throws -> OwnedDescriptor? {
        if let slash = path.lastIndex(of: "/") { try Files.makeDirectories(String(path[..<slash]), mode: 0o700) }
        while true {
            let descriptor = try OwnedDescriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
            do { try check("flock", path) { flock(descriptor.raw, operation) } } catch let error as SystemError {
                if error.errno == .wouldBlock { return nil }
                throw error
            }
            // The last holder may have removed the file while we waited: a lock on what has no name locks nobody out.
            var held = stat()
            var named = stat()
            try check("fstat", path) { fstat(descriptor.raw, &held) }
            if lstat(path, &named) == 0, held.st_ino == named.st_ino, held.st_dev == named.st_dev { return descriptor }
        }
    }
}
