internal import CLinux

/// What an entry of a directory is.
public enum TreeEntryKind: Sendable, Equatable {
    case file, directory, symbolicLink, fifo, socket, characterDevice, blockDevice

    /// From `st_mode`.
    public init(mode: UInt32) {
        switch CInt(mode) & S_IFMT {
        case S_IFDIR: self = .directory
        case S_IFLNK: self = .symbolicLink
        case S_IFIFO: self = .fifo
        case S_IFSOCK: self = .socket
        case S_IFCHR: self = .characterDevice
        case S_IFBLK: self = .blockDevice
        default: self = .file
        }
    }
}

extension [CChar] {
    /// A C string's text, for messages and comparisons.
    var cStringText: String {
        String(decoding: prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
