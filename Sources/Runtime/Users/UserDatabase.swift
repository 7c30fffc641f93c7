internal import CLinux
public import LinuxSystem
public import OCI
internal import SystemPackage

/// Who a container's process is.
public struct ResolvedUser: Sendable, Equatable {
    public var uid: UInt32
    public var gid: UInt32
    /// Supplementary groups, in the order found, without the primary one's repetition.
    public var additionalGids: [UInt32]
    /// From passwd; `/` where the user is not in it.
    public var home: String

    public init(uid: UInt32, gid: UInt32, additionalGids: [UInt32], home: String) {
        self.uid = uid
        self.gid = gid
        self.additionalGids = additionalGids
        self.home = home
    }

    public var processUser: RuntimeSpec.User {
        var user = RuntimeSpec.User()
        user.uid = uid
        user.gid = gid
        // The primary group among them, or a process could give up its membership and so pass a file's group bits.
        user.additionalGids = [gid] + additionalGids.filter { $0 != gid }
        return user
    }
}

public enum UserError: Error, Sendable, Equatable, CustomStringConvertible {
    case noSuchUser(String)
    case noSuchGroup(String)
    case malformed(String)

    public var description: String {
        switch self {
        case .noSuchUser(let name): "unable to find user \(name): no matching entries in passwd file"
        case .noSuchGroup(let name): "unable to find group \(name): no matching entries in group file"
        case .malformed(let text):
            "invalid user specification \"\(text)\": use USER[:GROUP], names or numbers from 0 to 2147483647"
        }
    }
}

/// The passwd and group files of a container's own root. Read by us, never through the C library: that would load what
/// the container's configuration names.
public struct UserDatabase: Sendable {
    struct Entry: Sendable, Equatable {
        var name: String
        var id: UInt32
        /// passwd: the primary group.
        var gid: UInt32 = 0
        /// passwd: the home directory.
        var home = ""
        /// group: members.
        var members: [String] = []
    }
    /// A file larger than this is not one that a system uses.
    private static let maximumSize = 8 << 20
    private static let largestID: UInt32 = 0x7fff_ffff

    let users: [Entry]
    let groups: [Entry]

    /// Of the root that a directory descriptor stands for; a missing file counts as empty.
    /// - Throws: ``SystemError`` where a file is there and cannot be read, or is no regular file of sensible size.
    public init(root: OwnedDescriptor) throws {
        self.init(passwd: try Self.read("etc/passwd", root), group: try Self.read("etc/group", root))
    }

    /// Of overlay layers that are not mounted, topmost first; nil where it takes a mount to tell what they hold.
    /// - Throws: ``SystemError`` where a file cannot be read or is larger than sensible.
    public init?(layers: [String]) throws {
        func text(_ name: String) throws -> String? {
            switch LayeredFile.look(name, in: "etc", layers: layers) {
            case .found(let path): try ControlFile.read(path, limit: Self.maximumSize)
            case .absent: ""
            case .unclear: nil
            }
        }
        guard let passwd = try text("passwd"), let group = try text("group") else { return nil }
        self.init(passwd: passwd, group: group)
    }

    init(passwd: String, group: String) {
        // Short lines, without home and shell or without members, are met in hand-made images.
        users = Self.lines(passwd, fields: 4).compactMap { fields in
            guard let uid = Self.number(fields[2]), let gid = Self.number(fields[3]) else { return nil }
            return Entry(name: fields[0], id: uid, gid: gid, home: fields.count > 5 ? fields[5] : "")
        }
        groups = Self.lines(group, fields: 3).compactMap { fields in
            guard let gid = Self.number(fields[2]) else { return nil }
            let members = fields.count > 3 ? fields[3].utf8.split(separator: UInt8(ascii: ",")) : []
            return Entry(name: fields[0], id: gid, members: members.map { String($0)! })
        }
    }

    /// - Parameters:
    ///   - text: `user[:group]`; empty is root.
    ///   - additionalGroups: `group_add`: names or numbers.
    /// - Throws: ``UserError``.
    public func resolve(_ text: String, additionalGroups: [String] = []) throws -> ResolvedUser {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, !(parts.count == 2 && (parts[0].isEmpty || parts[1].isEmpty)) else {
            throw UserError.malformed(text)
        }
        let wanted = text.isEmpty ? "0" : String(parts[0])
        let number = Self.number(wanted)
        // A number is that id, whatever names the image's author made up: a user called "1000" may have the id 0.
        let entry = users.first { user in number.map { user.id == $0 } ?? (user.name == wanted) }
        guard let uid = number ?? entry?.id else {
            throw Self.looksNumeric(wanted) ? UserError.malformed(text) : UserError.noSuchUser(wanted)
        }
        let gid = try parts.count == 2 ? group(String(parts[1]), in: text) : entry?.gid ?? 0
        var additional: [UInt32] = []
        if parts.count < 2, let name = entry?.name {
            additional = groups.filter { $0.members.contains(name) }.map(\.id)
        }
        for name in additionalGroups { additional.append(try group(name, in: name)) }
        var seen: Set<UInt32> = []
        return ResolvedUser(
            uid: uid, gid: gid, additionalGids: additional.filter { seen.insert($0).inserted },
            home: entry.map { $0.home.isEmpty ? "/" : $0.home } ?? "/")
    }

    private func group(_ name: String, in text: String) throws -> UInt32 {
        if let number = Self.number(name) { return number }
        if let found = groups.first(where: { $0.name == name }) { return found.id }
        throw Self.looksNumeric(name) ? UserError.malformed(text) : UserError.noSuchGroup(name)
    }

    /// Decimal digits only: what `strtol` would take for a number in part must not become one.
    private static func number(_ text: some StringProtocol) -> UInt32? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let value = UInt32(text), value <= largestID
        else { return nil }
        return value
    }

    private static func looksNumeric(_ text: String) -> Bool {
        text.first.map { $0.isNumber || $0 == "-" || $0 == "+" } ?? false
    }

    /// By bytes: to characters, a line's end or a colon with a combining mark after it would be another character.
    private static func lines(_ text: String, fields count: Int) -> [[String]] {
        text.utf8.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count >= count, !fields[0].isEmpty, line.first != UInt8(ascii: "#") else { return nil }
            return fields.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    private static func read(_ path: String, _ root: OwnedDescriptor) throws -> String {
        let file: OwnedDescriptor
        do { file = try root.openInRoot(path, O_RDONLY | O_NONBLOCK) } catch let error as SystemError
            where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory
        {
            return ""
        }
        var info = stat()
        try check("fstat", path) { fstat(file.raw, &info) }
        guard info.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG), info.st_size <= maximumSize else {
            throw SystemError("read", .fileTooLarge, "/\(path) of the container")
        }
        // Bounded again: a container that runs may let the file grow meanwhile.
        return try ControlFile.read("/proc/self/fd/\(file.raw)", limit: maximumSize)
    }
}
