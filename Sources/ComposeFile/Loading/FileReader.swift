#if canImport(Glibc)
    internal import Glibc
#else
    internal import Musl
#endif

/// Reads whole files; the loader's only door to the file system.
enum FileReader {
    struct Failure: Error {
        var code: Int32
        /// "no such file or directory"
        var text: String { String(cString: strerror(code)).lowercased() }
    }

    static func read(_ path: String, limit: Int = 64 << 20) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        defer { close(descriptor) }
        return try read(descriptor, limit: limit)
    }

    static func readStandardInput() throws(Failure) -> [UInt8] { try read(0, limit: 64 << 20) }

    private static func read(_ descriptor: Int32, limit: Int) throws(Failure) -> [UInt8] {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw Failure(code: errno) }
        if information.st_mode & S_IFMT == S_IFDIR { throw Failure(code: EISDIR) }
        var bytes: [UInt8] = []
        let step = max(4096, min(Int(information.st_size) + 1, limit))
        while true {
            let start = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: step))
            let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + start, step) }
            if count < 0 {
                guard errno == EINTR else { throw Failure(code: errno) }
                bytes.removeLast(step)
                continue
            }
            bytes.removeLast(step - count)
            if count == 0 { return bytes }
            if bytes.count > limit { throw Failure(code: EFBIG) }
        }
    }

    static func exists(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0
    }

    static func isFile(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IFMT != S_IFDIR
    }

    static func isDirectory(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }

    /// What a directory holds, in no order; nothing where it cannot be read.
    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The path with symbolic links followed; nil where it does not exist.
    static func resolvingLinks(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
