internal import CLinux
internal import SystemPackage

/// An extended attribute; the name with its final NUL.
public struct ExtendedAttribute: Sendable, Equatable {
    public var name: [CChar]
    public var value: [UInt8]
    public init(name: [CChar], value: [UInt8]) {
        self.name = name
        self.value = value
    }
    /// The name without its NUL.
    public var text: String { name.cStringText }

    public init(_ name: String, _ value: [UInt8]) { self.init(name: Array(name.utf8CString), value: value) }

    /// The attributes with which overlayfs keeps its own books. Taken from strangers or copied along, they would make
    /// it show other files than those that are there.
    public var isOverlay: Bool {
        text.hasPrefix("trusted.overlay.") || text.hasPrefix("user.overlay.")
    }
}

/// What is kept of a file besides its content.
public struct TreeAttributes: Sendable, Equatable {
    /// Permission, setuid, setgid and sticky bits.
    public var mode: UInt32
    public var uid: UInt32
    public var gid: UInt32
    /// Seconds since 1970 and nanoseconds.
    public var modified: (seconds: Int64, nanoseconds: Int)
    public var extended: [ExtendedAttribute]

    public init(
        mode: UInt32, uid: UInt32 = 0, gid: UInt32 = 0, modified: (seconds: Int64, nanoseconds: Int) = (0, 0),
        extended: [ExtendedAttribute] = []
    ) {
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.modified = modified
        self.extended = extended
    }

    public static func == (left: TreeAttributes, right: TreeAttributes) -> Bool {
        left.mode == right.mode && left.uid == right.uid && left.gid == right.gid && left.modified == right.modified
            && left.extended == right.extended
    }

    init(_ info: stat, extended: [ExtendedAttribute]) {
        self.init(
            mode: info.st_mode & 0o7777, uid: info.st_uid, gid: info.st_gid,
            modified: (Int64(info.st_mtim.tv_sec), Int(info.st_mtim.tv_nsec)), extended: extended)
    }

    /// Last access is set to the last modification.
    private var times: [timespec] {
        let time = timespec(tv_sec: time_t(modified.seconds), tv_nsec: modified.nanoseconds)
        return [time, time]
    }

    /// Sets all on an open file or directory. The order matters: a change of owner clears setuid bits and
    /// capabilities.
    public func apply(to descriptor: CInt, subject: @autoclosure () -> String) throws {
        try check("fchown", subject()) { fchown(descriptor, uid, gid) }
        for attribute in extended {
            try Self.tolerating(attribute) {
                try check("fsetxattr", "\(attribute.text) on \(subject())") {
                    fsetxattr(descriptor, attribute.name, attribute.value, attribute.value.count, 0)
                }
            }
        }
        try check("fchmod", subject()) { fchmod(descriptor, mode) }
        try check("futimens", subject()) { futimens(descriptor, times) }
    }

    /// Sets all on a link, device, fifo or socket that the caller has just made, by its name in `parent`.
    func apply(toNode name: [CChar], in parent: CInt, isLink: Bool, subject: @autoclosure () -> String) throws {
        try check("fchownat", subject()) { fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) }
        for attribute in extended {
            let path = procPath(parent, name)
            try Self.tolerating(attribute) {
                try check("lsetxattr", "\(attribute.text) on \(subject())") {
                    lsetxattr(path, attribute.name, attribute.value, attribute.value.count, 0)
                }
            }
        }
        if !isLink { try check("fchmodat", subject()) { fchmodat(parent, name, mode, 0) } }
        try check("utimensat", subject()) { utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) }
    }

    /// A file system without such attributes loses them, as with other tools; capabilities are never lost silently.
    private static func tolerating(_ attribute: ExtendedAttribute, _ body: () throws -> Void) throws {
        do { try body() } catch let error as SystemError {
            let name = attribute.text
            let unsupported = error.errno == .notSupported && name != "security.capability"
            // user.* exists on files and directories only.
            let misplaced = error.errno == .notPermitted && name.hasPrefix("user.")
            guard unsupported || misplaced else { throw error }
        }
    }
}

extension ExtendedAttribute {
    /// Those of an open file.
    static func all(of descriptor: CInt, subject: String) throws -> [ExtendedAttribute] {
        try all(
            subject: subject, list: { flistxattr(descriptor, $0, $1) }, get: { fgetxattr(descriptor, $0, $1, $2) })
    }

    /// Those of a link or special file, by path.
    static func all(ofPath path: [CChar], subject: String) throws -> [ExtendedAttribute] {
        try all(subject: subject, list: { llistxattr(path, $0, $1) }, get: { lgetxattr(path, $0, $1, $2) })
    }

    private static func all(
        subject: String, list: (UnsafeMutablePointer<CChar>?, Int) -> Int,
        get: ([CChar], UnsafeMutableRawPointer?, Int) -> Int
    ) throws -> [ExtendedAttribute] {
        let length = list(nil, 0)
        if length == 0 || (length < 0 && swc_errno() == EOPNOTSUPP) { return [] }
        var names = [CChar](repeating: 0, count: max(length, 0) + 256)
        let used = try check("listxattr", subject) {
            names.withUnsafeMutableBufferPointer { list($0.baseAddress, $0.count) }
        }
        var value = [UInt8](repeating: 0, count: 65536)
        return try names[..<used].split(separator: 0).map { name in
            let name = Array(name) + [0]
            let count = try check("getxattr", subject) {
                value.withUnsafeMutableBytes { get(name, $0.baseAddress, $0.count) }
            }
            return ExtendedAttribute(name: name, value: Array(value[..<count]))
        }
    }
}

/// `name` in the directory `parent` as a path, for the calls that have no `at` form.
func procPath(_ parent: CInt, _ name: [CChar]) -> [CChar] {
    Array("/proc/self/fd/\(parent)/".utf8CString.dropLast()) + name
}
