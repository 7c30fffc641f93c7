internal import CLinux

/// mount(8)'s words sorted into what the kernel's mount API takes apart.
struct MountOptions: Equatable {
    var set: UInt32 = 0
    var clear: UInt32 = 0
    var isBind = false
    /// Binds: with what is mounted below the source.
    var isRecursive = false
    /// `rro`: the attributes hold for mounts below, too.
    var attributesRecursive = false
    /// MS_PRIVATE and its like; nil where nothing was said.
    var propagation: UInt32?
    /// For the file system itself: `key=value` or a flag.
    var data: [String] = []

    private static let attributes: [String: (set: Int32, clear: Int32)] = [
        "ro": (MOUNT_ATTR_RDONLY, 0), "rw": (0, MOUNT_ATTR_RDONLY),
        "rro": (MOUNT_ATTR_RDONLY, 0), "rrw": (0, MOUNT_ATTR_RDONLY),
        "nosuid": (MOUNT_ATTR_NOSUID, 0), "suid": (0, MOUNT_ATTR_NOSUID),
        "nodev": (MOUNT_ATTR_NODEV, 0), "dev": (0, MOUNT_ATTR_NODEV),
        "noexec": (MOUNT_ATTR_NOEXEC, 0), "exec": (0, MOUNT_ATTR_NOEXEC),
        "nodiratime": (MOUNT_ATTR_NODIRATIME, 0), "diratime": (0, MOUNT_ATTR_NODIRATIME),
        "nosymfollow": (swcNoSymFollow, 0), "symfollow": (0, swcNoSymFollow),
    ]
    /// One of these at most: they share three bits, which have to be cleared first.
    private static let accessTimes: [String: Int32] = [
        "relatime": MOUNT_ATTR_RELATIME, "noatime": MOUNT_ATTR_NOATIME, "strictatime": MOUNT_ATTR_STRICTATIME,
    ]
    private static let propagations: [String: UInt32] = [
        "private": UInt32(MS_PRIVATE), "rprivate": UInt32(MS_PRIVATE),
        "slave": UInt32(MS_SLAVE), "rslave": UInt32(MS_SLAVE),
        "shared": UInt32(MS_SHARED), "rshared": UInt32(MS_SHARED),
        "unbindable": UInt32(MS_UNBINDABLE), "runbindable": UInt32(MS_UNBINDABLE),
    ]
    private static let unsupported: Set<String> = ["tmpcopyup", "remount", "idmap", "ridmap"]

    /// - Throws: ``LaunchError/invalid(_:)`` for words that mean something not done here.
    init(_ words: [String], destination: String) throws(LaunchError) {
        for word in words where !word.isEmpty {
            if let attribute = Self.attributes[word] {
                // The later word wins, as with mount(8).
                set = set & ~UInt32(attribute.clear) | UInt32(attribute.set)
                clear = clear & ~UInt32(attribute.set) | UInt32(attribute.clear)
                if word.hasPrefix("rr") { attributesRecursive = true }
            } else if let time = Self.accessTimes[word] {
                set = set & ~UInt32(MOUNT_ATTR__ATIME) | UInt32(time)
                clear |= UInt32(MOUNT_ATTR__ATIME)
            } else if let propagation = Self.propagations[word] {
                self.propagation = propagation
            } else if Self.unsupported.contains(word) {
                throw .invalid("mount \(destination): the option \"\(word)\" is not supported")
            } else {
                switch word {
                case "bind": isBind = true
                case "rbind":
                    isBind = true
                    isRecursive = true
                case "defaults", "atime", "norelatime", "nostrictatime", "async": break
                default: data.append(word)
                }
            }
        }
    }
}

private let swcNoSymFollow = MOUNT_ATTR_NOSYMFOLLOW
