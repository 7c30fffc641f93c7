internal import CLinux

/// What `driver_opts` of the local driver ask to be mounted: `type`, `device`, and `o` with options as `mount -o` takes
/// them.
struct MountOptions: Equatable {
    var type: String
    var device: String
    var flags: UInt = 0
    /// Of `private`, `shared` and the like; applied by a call of its own.
    var propagation: UInt?
    /// For the file system itself.
    var data: [String] = []

    var isBind: Bool { flags & UInt(MS_BIND) != 0 }

    /// - Returns: nil where nothing is to be mounted.
    /// - Throws: ``VolumeError/invalidOptions(volume:reason:)``.
    init?(_ options: [String: String], volume: String) throws(VolumeError) {
        if options.isEmpty { return nil }
        for key in options.keys.sorted() where !["type", "device", "o"].contains(key) {
            let reason =
                key == "size" ? "option size needs quotas, which are not supported" : "invalid option: \"\(key)\""
            throw VolumeError.invalidOptions(volume: volume, reason: reason)
        }
        type = options["type"] ?? ""
        device = options["device"] ?? ""
        for part in (options["o"] ?? "").split(separator: ",") {
            if let flag = Self.flags[String(part)] {
                flags = flag.isSet ? flags | flag.bits : flags & ~flag.bits
            } else if let bits = Self.propagations[String(part)] {
                propagation = bits
            } else {
                data.append(String(part))
            }
        }
        if device.isEmpty {
            throw VolumeError.invalidOptions(volume: volume, reason: "missing required option: \"device\"")
        }
        if isBind {
            guard device.hasPrefix("/") else {
                throw VolumeError.invalidOptions(
                    volume: volume, reason: "device \"\(device)\" must be an absolute path")
            }
            if let other = data.first {
                throw VolumeError.invalidOptions(volume: volume, reason: "\"\(other)\" is no option of a bind mount")
            }
        } else if type.isEmpty || type == "none" {
            throw VolumeError.invalidOptions(volume: volume, reason: "missing required option: \"type\"")
        }
    }

    /// The host that is in `addr=`, as network file systems have it.
    var address: String? { data.first { $0.hasPrefix("addr=") }.map { String($0.dropFirst("addr=".count)) } }

    mutating func setAddress(_ address: String) {
        data = data.map { $0.hasPrefix("addr=") ? "addr=\(address)" : $0 }
    }

    private static let flags: [String: (isSet: Bool, bits: UInt)] = {
        func on(_ bits: CInt) -> (isSet: Bool, bits: UInt) { (true, UInt(bits)) }
        func off(_ bits: CInt) -> (isSet: Bool, bits: UInt) { (false, UInt(bits)) }
        return [
            "defaults": (true, 0), "ro": on(CInt(MS_RDONLY)), "rw": off(CInt(MS_RDONLY)),
            "nosuid": on(CInt(MS_NOSUID)), "suid": off(CInt(MS_NOSUID)), "nodev": on(CInt(MS_NODEV)),
            "dev": off(CInt(MS_NODEV)), "noexec": on(CInt(MS_NOEXEC)), "exec": off(CInt(MS_NOEXEC)),
            "sync": on(CInt(MS_SYNCHRONOUS)), "async": off(CInt(MS_SYNCHRONOUS)),
            "dirsync": on(CInt(MS_DIRSYNC)), "noatime": on(CInt(MS_NOATIME)), "atime": off(CInt(MS_NOATIME)),
            "nodiratime": on(CInt(MS_NODIRATIME)), "diratime": off(CInt(MS_NODIRATIME)),
            "relatime": on(CInt(MS_RELATIME)), "norelatime": off(CInt(MS_RELATIME)),
            "strictatime": on(CInt(MS_STRICTATIME)), "nostrictatime": off(CInt(MS_STRICTATIME)),
            "bind": on(CInt(MS_BIND)), "rbind": on(CInt(MS_BIND) | CInt(MS_REC)),
        ]
    }()

    private static let propagations: [String: UInt] = {
        let recursive = UInt(MS_REC)
        return [
            "private": UInt(MS_PRIVATE), "rprivate": UInt(MS_PRIVATE) | recursive, "shared": UInt(MS_SHARED),
            "rshared": UInt(MS_SHARED) | recursive, "slave": UInt(MS_SLAVE), "rslave": UInt(MS_SLAVE) | recursive,
            "unbindable": UInt(MS_UNBINDABLE), "runbindable": UInt(MS_UNBINDABLE) | recursive,
        ]
    }()
}
