/// Where the loader reads files from: the host's file system (``HostFiles``), memory (``MemoryFiles``), or a reader
/// of your own. Every path that the loader asks for is absolute and free of `.` and `..`.
public protocol FileReader: Sendable {
    /// The content of a file.
    ///
    /// - Parameters:
    ///   - path: absolute.
    ///   - limit: bytes; a larger file is refused rather than read.
    /// - Throws: ``FileFailure``.
    func read(_ path: String, limit: Int) throws(FileFailure) -> [UInt8]

    /// What the file name `-` stands for.
    ///
    /// - Throws: ``FileFailure``.
    func readStandardInput(limit: Int) throws(FileFailure) -> [UInt8]

    /// What a path names, symbolic links followed; nil where there is nothing.
    func kind(of path: String) -> FileKind?

    /// What a directory holds, in no order: candidates for a name that was misspelt. Nothing where it cannot be read,
    /// or where the reader has no such list.
    func names(in directory: String) -> [String]

    /// The path with symbolic links followed; nil where it does not exist.
    func resolvingLinks(_ path: String) -> String?
}

/// What a path names, as far as the loader cares.
public enum FileKind: Sendable, Equatable {
    case file, directory
}

extension FileReader {
    /// No list of names: hints do without.
    public func names(in directory: String) -> [String] { [] }

    func exists(_ path: String) -> Bool { kind(of: path) != nil }
    func isDirectory(_ path: String) -> Bool { kind(of: path) == .directory }
    /// Something is there that is no directory.
    func isFile(_ path: String) -> Bool { kind(of: path) == .file }
}

/// Why a file could not be read.
public struct FileFailure: Error, Sendable, Equatable {
    /// What went wrong.
    public enum Reason: Sendable, Equatable {
        /// Nothing is there under this name.
        case missing
        case isDirectory
        /// It has more bytes than this.
        case tooLarge(limit: Int)
        /// A named pipe into which no program writes.
        case noWriter
        /// What the system says, as `permission denied`.
        case system(String)
    }
    public var reason: Reason

    public init(_ reason: Reason) { self.reason = reason }

    var isMissing: Bool { reason == .missing }

    /// `no such file or directory`
    var text: String {
        switch reason {
        case .missing: "no such file or directory"
        case .isDirectory: "is a directory"
        case .tooLarge(let limit): "the file has more than the \(limit) bytes allowed"
        case .noWriter: "it is a pipe into which no program writes"
        case .system(let text): text
        }
    }
}
