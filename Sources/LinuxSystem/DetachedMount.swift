internal import CLinux
internal import SystemPackage

/// Mounts that are in no mount table: they can be read through their descriptor only, and go with it.
public enum DetachedMount {
    // From linux/mount.h, which cannot be included beside glibc's.
    private static let setString: UInt32 = 1  // FSCONFIG_SET_STRING
    private static let create: UInt32 = 6  // FSCONFIG_CMD_CREATE
    private static let closeOnExec: UInt32 = 1  // FSOPEN_CLOEXEC and FSMOUNT_CLOEXEC
    private static let readOnly: UInt32 = 0x1  // MOUNT_ATTR_RDONLY
    private static let noSetuid: UInt32 = 0x2  // MOUNT_ATTR_NOSUID
    private static let noDevices: UInt32 = 0x4  // MOUNT_ATTR_NODEV

    /// The merged content of an image's layers, read-only, to be used as the directory of `openat` and the like.
    /// - Parameter lower: directories, top first. One alone is opened as it is.
    /// - Throws: ``SystemError``, whose subject has the kernel's own explanation where there is one.
    public static func overlay(lower: [String]) throws -> OwnedDescriptor {
        if lower.count == 1 { return try OwnedDescriptor.open(lower[0], O_RDONLY | O_DIRECTORY) }
        do {
            return try mount(lower.map { ("lowerdir+", $0) })
        } catch let error as SystemError where error.errno == .invalidArgument {
            // Before Linux 6.5 there is one option for all, and its value is short: layers are named by descriptor.
            let layers = try lower.map { try OwnedDescriptor.open($0, O_PATH | O_DIRECTORY) }
            return try withExtendedLifetime(layers) {
                let names = layers.map { "/proc/self/fd/\($0.raw)" }.joined(separator: ":")
                return try mount([("lowerdir", names)])
            }
        }
    }

    private static func mount(_ options: [(String, String)]) throws -> OwnedDescriptor {
        let context = OwnedDescriptor(try check("fsopen", "overlay") { swc_fsopen("overlay", closeOnExec) })
        func configure(_ command: UInt32, _ key: String?, _ value: String?) throws {
            do {
                try check("fsconfig", [key, value].compactMap { $0 }.joined(separator: " ")) {
                    swc_fsconfig(context.raw, command, key, value, 0)
                }
            } catch let error as SystemError {
                throw SystemError("mount overlay", error.errno, explanation(context.raw) ?? error.subject)
            }
        }
        for (key, value) in options { try configure(setString, key, value) }
        try configure(create, nil, nil)
        return OwnedDescriptor(
            try check("fsmount", "overlay") {
                swc_fsmount(context.raw, closeOnExec, readOnly | noSetuid | noDevices)
            })
    }

    /// What the kernel logged to the context about its last failure.
    private static func explanation(_ context: CInt) -> String? {
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = read(context, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
