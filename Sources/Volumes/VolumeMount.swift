internal import CLinux
internal import Glibc
internal import LinuxSystem
internal import SystemPackage

/// Mounting and unmounting at a volume's directory.
enum VolumeMount {
    /// Whether something is mounted exactly at `path`.
    static func isMounted(_ path: String) throws -> Bool {
        var info = statx()
        try check("statx", path) { statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &info) }
        return info.stx_attributes & UInt64(STATX_ATTR_MOUNT_ROOT) != 0
    }

    static func mount(_ options: MountOptions, at path: String) throws {
        var options = options
        if let address = options.address { options.setAddress(try resolve(address)) }
        let subject = "\(options.device) at \(path)"
        // A bind takes no other flag at first; these need a second call.
        let bindFlags = UInt(MS_BIND) | UInt(MS_REC)
        let initial = options.isBind ? options.flags & bindFlags : options.flags
        try check("mount", subject) {
            CLinux.mount(options.device, path, options.type, initial, options.data.joined(separator: ","))
        }
        do {
            let rest = options.flags & ~bindFlags
            if options.isBind, rest != 0 {
                try check("mount", subject) {
                    CLinux.mount(nil, path, nil, rest | UInt(MS_BIND) | UInt(MS_REMOUNT), nil)
                }
            }
            if let propagation = options.propagation {
                try check("mount", subject) { CLinux.mount(nil, path, nil, propagation, nil) }
            }
        } catch {
            umount2(path, CInt(MNT_DETACH))
            throw error
        }
    }

    /// Unmounts whatever is mounted at `path`, also several mounts over each other.
    static func unmount(_ path: String) throws {
        while try isMounted(path) {
            try check("umount", path) { umount2(path, CInt(UMOUNT_NOFOLLOW)) }
        }
    }

    /// The kernel takes addresses only.
    private static func resolve(_ host: String) throws -> String {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, nil, &hints, &found)
        guard result == 0, let found else {
            throw VolumeError.invalidOptions(
                volume: host, reason: "cannot find the address of \(host): \(String(cString: gai_strerror(result)))")
        }
        defer { freeaddrinfo(found) }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = getnameinfo(
            found.pointee.ai_addr, found.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        guard status == 0 else {
            throw VolumeError.invalidOptions(
                volume: host, reason: "cannot find the address of \(host): \(String(cString: gai_strerror(status)))")
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
