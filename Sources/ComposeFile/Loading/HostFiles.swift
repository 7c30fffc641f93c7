#if canImport(Glibc)
    internal import Glibc
#else
    internal import Musl
#endif

/// The files of the host. Devices and pipes are read like any file, up to the limit.
public struct HostFiles: FileReader {
    public init() {}

    public func read(_ path: String, limit: Int) throws(FileFailure) -> [UInt8] {
        // Without waiting: opening a named pipe would last until somebody writes into it.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.failure(errno) }
        defer { close(descriptor) }
        return try read(descriptor, limit: limit)
    }

    public func readStandardInput(limit: Int) throws(FileFailure) -> [UInt8] { try read(0, limit: limit) }

    public func kind(of path: String) -> FileKind? {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        return information.st_mode & S_IFMT == S_IFDIR ? .directory : .file
    }

    public func names(in directory: String) -> [String] {
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

    public func resolvingLinks(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func failure(_ code: Int32) -> FileFailure {
        switch code {
        case ENOENT, ENOTDIR: FileFailure(.missing)
        case EISDIR: FileFailure(.isDirectory)
        default: FileFailure(.system(String(cString: strerror(code)).lowercased()))
        }
    }

    private func read(_ descriptor: Int32, limit: Int) throws(FileFailure) -> [UInt8] {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw Self.failure(errno) }
        let type = information.st_mode & S_IFMT
        if type == S_IFDIR { throw FileFailure(.isDirectory) }
        let size = type == S_IFREG ? Int(information.st_size) : 65536
        if size > limit, type == S_IFREG { throw FileFailure(.tooLarge(limit: limit)) }
        // A pipe with a writer is waited for like standard input; one without would be waited for in vain.
        var isSilent = type == S_IFIFO && descriptor != 0 && !wait(descriptor, milliseconds: Self.writerPatience)
        var bytes: [UInt8] = []
        let step = max(4096, size + 1)
        while true {
            let start = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: step))
            let count = bytes.withUnsafeMutableBytes { SystemCall.read(descriptor, $0.baseAddress! + start, step) }
            bytes.removeLast(step - max(0, count))
            if count == 0 {
                if isSilent { throw FileFailure(.noWriter) }
                return bytes
            }
            if count < 0 {
                switch errno {
                case EINTR: continue
                case EAGAIN:
                    isSilent = false
                    wait(descriptor, milliseconds: -1)
                default: throw Self.failure(errno)
                }
            }
            if bytes.count > limit { throw FileFailure(.tooLarge(limit: limit)) }
        }
    }

    /// How long a pipe may stay without any writer.
    private static let writerPatience: Int32 = 500

    /// Whether there is something to read, or the end was reached, in time.
    @discardableResult
    private func wait(_ descriptor: Int32, milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }
}

/// The C library's call, which the method of the same name hides.
private enum SystemCall {
    static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, buffer, count)
        #else
            Musl.read(descriptor, buffer, count)
        #endif
    }
}
