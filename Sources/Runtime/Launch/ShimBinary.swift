internal import CLinux
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// The shim's executable, held so that no container can write to it through /proc/PID/exe (CVE-2019-5736): every
/// shim is executed from a read-only mount of the file that is nowhere in any tree, or from a sealed copy in memory.
/// The mount is preferred, as all shims of the host then share the file's pages.
public final class ShimBinary: Sendable {
    /// The file on the host.
    public let path: String
    private let executable: OwnedDescriptor

    /// - Throws: ``SystemError`` where there is no such file.
    public init(path: String, forceCopy: Bool = false) throws {
        self.path = path
        let file = if !forceCopy, let mount = Self.readOnlyMount(path) { mount } else { try Self.sealedCopy(path) }
        // A spawned shim gets 0 to 4 for other things, before it is executed by this number.
        executable = try file.movedUp()
    }

    /// For posix_spawn; of this process alone.
    var executablePath: String { "/proc/self/fd/\(executable.raw)" }

    private static func readOnlyMount(_ path: String) -> OwnedDescriptor? {
        let tree = swc_open_tree(AT_FDCWD, path, UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC))
        guard tree >= 0 else { return nil }
        let mount = OwnedDescriptor(tree)
        let attributes = UInt64(MOUNT_ATTR_RDONLY)
        guard swc_mount_setattr(tree, "", UInt32(AT_EMPTY_PATH), attributes, 0, UInt64(MS_PRIVATE)) == 0 else {
            return nil
        }
        return mount
    }

    private static func sealedCopy(_ path: String) throws -> OwnedDescriptor {
        let bytes = try Files.read(path)
        let memory = OwnedDescriptor(
            try check("memfd_create") {
                swc_memfd_create("swcompose-shim", UInt32(MFD_CLOEXEC) | UInt32(MFD_ALLOW_SEALING))
            })
        try Files.writeAll(memory.raw, bytes, subject: "copy of \(path)")
        let seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE
        try check("seal") { swc_fcntl_int(memory.raw, F_ADD_SEALS, seals) }
        // Opened anew for reading, as a file that is open for writing cannot be executed.
        return try OwnedDescriptor.open("/proc/self/fd/\(memory.raw)", O_RDONLY)
    }

    // MARK: - The one in use

    private static let cached = Mutex<ShimBinary?>(nil)

    /// Found once a process.
    /// - Throws: ``LaunchError/invalid(_:)`` naming the places looked at, or ``LaunchError/setup(step:errno:)``.
    public static func standard() throws(LaunchError) -> ShimBinary {
        let result: Result<ShimBinary, LaunchError> = cached.withLock { cached in
            if let cached { return .success(cached) }
            do {
                let binary = try ShimBinary(path: try locate())
                cached = binary
                return .success(binary)
            } catch let error as LaunchError {
                return .failure(error)
            } catch let error as SystemError {
                return .failure(.setup(step: "open \(error.subject)", errno: error.errno.rawValue))
            } catch {
                return .failure(.caller(error))
            }
        }
        return try result.get()
    }

    /// Path of the shim: $SWCOMPOSE_SHIM, else beside the running executable, else ../libexec/swcompose from there.
    /// - Throws: ``LaunchError/invalid(_:)`` naming the places looked at.
    public static func locate() throws(LaunchError) -> String {
        if let given = getenv("SWCOMPOSE_SHIM") { return String(cString: given) }
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { throw .setup(step: "readlink /proc/self/exe", errno: swc_errno()) }
        let own = String(decoding: buffer[0..<count], as: UTF8.self)
        let directory = own.lastIndex(of: "/").map { String(own[..<$0]) } ?? ""
        let candidates = ["\(directory)/swcompose-shim", "\(directory)/../libexec/swcompose/swcompose-shim"]
        guard let found = candidates.first(where: Files.exists) else {
            throw .invalid(
                "swcompose-shim was not found (looked at \(candidates.joined(separator: ", "))); "
                    + "install it there or set SWCOMPOSE_SHIM")
        }
        return found
    }
}
