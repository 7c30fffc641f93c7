internal import CLinux
internal import LinuxSystem

/// Reads a container's log from the oldest rotated file to the end of the current one, and on when more is written.
/// Blocks only on the disk. For one thread at a time.
public final class LogReader {
    private let files: LogFiles
    private let selection: LogSelection
    private var pending: [LogFiles.File] = []
    private var current: LogFiles.File?
    private var opened = false
    private var pastUntil = false

    private var buffer: [UInt8]
    private var position = 0
    private var end = 0
    /// What of a stream was read without its newline yet.
    private var partial: [LogLine.Stream: LogLine] = [:]

    /// - Parameter path: of the current file; it need not exist yet.
    public init(path: String, selection: LogSelection = LogSelection()) {
        files = LogFiles(path: path)
        self.selection = selection
        buffer = [UInt8](repeating: 0, count: 64 * 1024)
    }

    /// The next line; nil where there is none now. May be called again later.
    /// - Throws: ``SystemError``.
    public func next() throws -> LogLine? {
        while !pastUntil {
            if let line = try nextJoined() {
                if let since = selection.since, line.time < since { continue }
                if let until = selection.until, line.time > until {
                    pastUntil = true
                    return nil
                }
                return line
            }
            return nil
        }
        return nil
    }

    /// What was written without a newline at the end: for when no more will come.
    public func remainder() -> [LogLine] {
        defer { partial = [:] }
        return partial.values.sorted { $0.time < $1.time }.filter { line in
            !pastUntil && selection.since.map { line.time >= $0 } ?? true
                && selection.until.map { line.time <= $0 } ?? true
        }
    }

    private func nextJoined() throws -> LogLine? {
        while let range = try nextRecord() {
            var text: [UInt8] = []
            let record = buffer.withUnsafeBytes { bytes in
                LogRecord.parse(UnsafeRawBufferPointer(rebasing: bytes[range]), appendingTo: &text)
            }
            // What a crash of the host left torn is not worth losing the rest for.
            guard let record else { continue }
            if var begun = partial.removeValue(forKey: record.stream) {
                begun.text += text
                if record.isTerminated { return begun }
                partial[record.stream] = begun
            } else {
                let line = LogLine(time: record.time, stream: record.stream, text: text)
                if record.isTerminated { return line }
                partial[record.stream] = line
            }
        }
        return nil
    }

    /// Where in `buffer` the next whole record is, without its newline.
    private func nextRecord() throws -> Range<Int>? {
        while true {
            if let newline = find(UInt8(ascii: "\n")) {
                defer { position = newline + 1 }
                return position..<newline
            }
            guard try fill() else { return nil }
        }
    }

    private func find(_ byte: UInt8) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard position < end,
                let found = memchr(bytes.baseAddress! + position, CInt(byte), end - position)
            else { return nil }
            return bytes.baseAddress!.distance(to: UnsafeRawPointer(found))
        }
    }

    /// - Returns: false at the end of what there is.
    private func fill() throws -> Bool {
        while true {
            guard let file = try currentFile() else { return false }
            if position > 0 {
                buffer.withUnsafeMutableBytes { bytes in
                    _ = memmove(bytes.baseAddress!, bytes.baseAddress! + position, end - position)
                }
                end -= position
                position = 0
            }
            if end == buffer.count { buffer.append(contentsOf: [UInt8](repeating: 0, count: buffer.count)) }
            let free = buffer.count - end
            let count = try check("read", files.path) {
                buffer.withUnsafeMutableBytes { read(file.descriptor.raw, $0.baseAddress! + end, free) }
            }
            end += count
            if count > 0 { return true }
            guard try advance(after: file) else { return false }
        }
    }

    private func currentFile() throws -> LogFiles.File? {
        if current == nil { try open() }
        return current
    }

    private func advance(after file: LogFiles.File) throws -> Bool {
        let next: LogFiles.File?
        if pending.isEmpty { next = try files.successor(of: file) } else { next = pending.removeFirst() }
        guard let next else { return false }
        // Written to between our reaching its end and its being rotated? Then read on first.
        var info = stat()
        try check("fstat", files.path) { fstat(file.descriptor.raw, &info) }
        let here = try check("lseek", files.path) { lseek(file.descriptor.raw, 0, SEEK_CUR) }
        if here < info.st_size {
            pending.insert(next, at: 0)
            return true
        }
        current = next
        // A record is never spread over two files: what is left here was torn.
        position = 0
        end = 0
        return true
    }

    private func open() throws {
        var all = try files.openAll()
        guard !all.isEmpty else { return }
        if !opened, let start = try start(in: all) {
            all.removeFirst(start.file)
            try check("lseek", files.path) { lseek(all[0].descriptor.raw, off_t(start.offset), SEEK_SET) }
        }
        opened = true
        current = all.removeFirst()
        pending = all
    }

    /// Where to begin; nil: at the beginning.
    private func start(in files: [LogFiles.File]) throws -> LogTail.Position? {
        if let tail = selection.tail { return try LogTail.find(lines: tail, in: files) }
        return try selection.since.map { try LogTail.find(since: $0, in: files) }
    }
}
