// The launch plan's binary format, as far as both sides need it. Compiled twice: in full Swift as part of LaunchPlan,
// and in Embedded Swift inside the shim. Standard library only, and nothing that allocates.
//
// A plan is a header and records, everything little endian and unaligned:
//
//     header  u32 magic "SWLP" | u16 version | u16 kind | u32 length of the whole plan | u32 number of records
//     record  u16 opcode | u16 flags | u32 length of the payload | payload
//
// A payload is its opcode's fields one after the other (see `PlanOperation`). A string is u32 length, the bytes, and
// a NUL that the length does not count, so that the shim hands it to the kernel where it lies. A list is u32 count and
// that many strings; numbers are u32 or u64.

/// Constants of the header.
public enum PlanHeader {
    /// "SWLP" as its four bytes lie in the file.
    public static let magic: UInt32 = 0x504C_5753
    /// Both sides come from one build, so anything else is refused.
    public static let version: UInt16 = 1
    public static let size = 16
    public static let recordSize = 8
}

/// What a plan is for.
public enum PlanKind: UInt16, Sendable {
    case run = 1
    case exec = 2
}

/// A record's meaning. Below 32: what the monitor itself needs; from 32 on: what the child does, in order.
public enum Opcode: UInt16, Sendable, CaseIterable {
    case runDirectory = 1
    case log = 2
    case stdio = 3
    case namespaces = 4
    case joinPidNamespace = 5
    case cgroupProcs = 6
    case cgroupDirectory = 7
    case memoryEvents = 8
    case target = 9

    case joinNamespace = 32
    case mountPropagation = 33
    case scratch = 34
    case rootOverlay = 35
    case rootDirectory = 36
    case bindSource = 37
    case mount = 38
    case bind = 39
    case file = 40
    case device = 41
    case symlink = 42
    case mask = 43
    case readOnlyPath = 44
    case directory = 45
    case terminal = 46
    case hostName = 47
    case domainName = 48
    case sysctl = 49
    case awaitCgroup = 50
    case awaitGo = 51
    case unshare = 52
    case pivotRoot = 53
    case rootReadOnly = 54
    case sessionKeyring = 55
    case rlimit = 56
    case oomScoreAdjust = 57
    case umask = 58
    case boundingSet = 59
    case user = 60
    case capabilities = 61
    case noNewPrivileges = 62
    case workingDirectory = 63
    case seccomp = 64
    case execute = 65
    case joinTarget = 66
    case mountAttributes = 67
}

/// Bits of a record's flags; each opcode has its own.
public enum PlanFlag {
    /// `stdio`: stdin is a pipe whose other end the monitor holds; else /dev/null.
    public static let openStdin: UInt16 = 1
    /// `stdio`: a terminal, made by the child.
    public static let terminal: UInt16 = 2
    /// `stdio`: descriptors 0, 1 and 2 of the shim itself.
    public static let inherit: UInt16 = 4
    /// `bindSource`: with the mounts below it. `bind`: attributes for these, too.
    public static let recursive: UInt16 = 1
    /// `mount`: no symbolic link anywhere in the target's path.
    public static let noSymlinks: UInt16 = 1
    /// `mount`: give the new root the mode of the directory it covers.
    public static let inheritMode: UInt16 = 2
    /// `file`: mounted read-only.
    public static let readOnly: UInt16 = 1
    /// `terminal`: also mounted at /dev/console.
    public static let console: UInt16 = 1
    /// `capabilities`: keep CAP_SYS_ADMIN until execve, which drops it, so that the filter can be loaded last
    /// without no_new_privs.
    public static let keepAdmin: UInt16 = 1
}

/// One record, in place.
public struct PlanRecord {
    public let opcode: UInt16
    public let flags: UInt16
    /// Position among all records; what a failure is reported with.
    public let index: UInt32
    public let payload: PlanFields
}

/// Walks a plan in memory without allocating. Stops at the first thing that does not fit its bounds.
public struct PlanRecords {
    private var fields: PlanFields
    private var index: UInt32 = 0
    private let count: UInt32
    public let kind: PlanKind

    /// nil where the bytes are not a plan of this version and length.
    public init?(_ base: UnsafeRawPointer, count length: Int) {
        var fields = PlanFields(base, length)
        let magic = fields.u32()
        let version = fields.u16()
        let kind = PlanKind(rawValue: fields.u16())
        let total = fields.u32()
        count = fields.u32()
        guard !fields.isBroken, magic == PlanHeader.magic, version == PlanHeader.version, Int(total) == length,
            let kind
        else { return nil }
        self.kind = kind
        self.fields = fields
    }

    /// True when every record promised was there.
    public var isComplete: Bool { index == count && fields.isAtEnd }

    public mutating func next() -> PlanRecord? {
        guard index < count else { return nil }
        let opcode = fields.u16()
        let flags = fields.u16()
        let payload = fields.slice(Int(fields.u32()))
        guard !fields.isBroken else { return nil }
        defer { index += 1 }
        return PlanRecord(opcode: opcode, flags: flags, index: index, payload: payload)
    }
}

/// Reads fields one after the other. What is out of bounds reads as zero or empty and sets `isBroken`, so that a
/// caller reads all fields and asks once.
public struct PlanFields {
    private let base: UnsafeRawPointer
    private var offset = 0
    private let end: Int
    public private(set) var isBroken = false

    init(_ base: UnsafeRawPointer, _ length: Int) {
        self.base = base
        end = length
    }

    public var isAtEnd: Bool { !isBroken && offset == end }

    private mutating func take(_ count: Int) -> UnsafeRawPointer? {
        guard !isBroken, count >= 0, count <= end - offset else {
            isBroken = true
            return nil
        }
        defer { offset += count }
        return base + offset
    }

    public mutating func u16() -> UInt16 {
        take(2).map { UInt16(littleEndian: $0.loadUnaligned(as: UInt16.self)) } ?? 0
    }
    public mutating func u32() -> UInt32 {
        take(4).map { UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) } ?? 0
    }
    public mutating func u64() -> UInt64 {
        take(8).map { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) } ?? 0
    }

    /// Length-prefixed and NUL-terminated; valid as long as the plan's memory.
    public mutating func string() -> UnsafePointer<CChar> {
        let count = Int(u32())
        if let start = take(count + 1) {
            if start.load(fromByteOffset: count, as: UInt8.self) == 0 {
                return start.assumingMemoryBound(to: CChar.self)
            }
            isBroken = true
        }
        let empty: StaticString = ""
        return UnsafeRawPointer(empty.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    /// The same bytes a string has, for content that may hold NULs.
    public mutating func bytes() -> UnsafeRawBufferPointer {
        let count = Int(u32())
        guard let start = take(count + 1) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(start: start, count: count)
    }

    /// A list's count; the strings follow, to be read by `string()`.
    public mutating func listCount() -> Int {
        let count = Int(u32())
        // Each string takes five bytes at least, so a wild count is told here and not by an allocation.
        guard count <= (end - offset) / 5 else {
            isBroken = true
            return 0
        }
        return count
    }

    /// A list of numbers' count; the numbers follow, to be read by `u32()`.
    public mutating func numberCount() -> Int {
        let count = Int(u32())
        guard count <= (end - offset) / 4 else {
            isBroken = true
            return 0
        }
        return count
    }

    fileprivate mutating func slice(_ count: Int) -> PlanFields {
        guard let start = take(count) else { return PlanFields(base, 0) }
        return PlanFields(start, count)
    }
}
