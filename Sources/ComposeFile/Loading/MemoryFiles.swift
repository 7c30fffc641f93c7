/// Files that exist in memory only: for tests, for editors with unsaved text, for services that are sent Compose files.
public struct MemoryFiles: FileReader {
    /// By absolute path. Directories are there as soon as a file is below them.
    public var files: [String: [UInt8]]
    /// What the file name `-` stands for.
    public var standardInput: [UInt8]

    /// - Parameters:
    ///   - files: the texts by absolute path.
    ///   - standardInput: what the file name `-` stands for.
    public init(_ files: [String: String] = [:], standardInput: String = "") {
        self.files = files.mapValues { Array($0.utf8) }
        self.standardInput = Array(standardInput.utf8)
    }

    public func read(_ path: String, limit: Int) throws(FileFailure) -> [UInt8] {
        guard let bytes = files[path] else { throw FileFailure(kind(of: path) == nil ? .missing : .isDirectory) }
        return try checked(bytes, limit)
    }

    public func readStandardInput(limit: Int) throws(FileFailure) -> [UInt8] { try checked(standardInput, limit) }

    public func kind(of path: String) -> FileKind? {
        if files[path] != nil { return .file }
        let prefix = path == "/" ? path : path + "/"
        return files.keys.contains { $0.hasPrefix(prefix) } ? .directory : nil
    }

    public func names(in directory: String) -> [String] {
        let prefix = directory == "/" ? directory : directory + "/"
        return Set(
            files.keys.lazy.filter { $0.hasPrefix(prefix) }.map {
                String($0.dropFirst(prefix.count).prefix { $0 != "/" })
            }
        ).sorted()
    }

    public func resolvingLinks(_ path: String) -> String? { kind(of: path) == nil ? nil : path }

    private func checked(_ bytes: [UInt8], _ limit: Int) throws(FileFailure) -> [UInt8] {
        guard bytes.count <= limit else { throw FileFailure(.tooLarge(limit: limit)) }
        return bytes
    }
}
