internal import CLinux
internal import LinuxSystem

/// Where the last lines of a log begin, found by reading backwards.
enum LogTail {
    /// Index into the files given and offset in that one.
    struct Position: Equatable {
        var file: Int
        var offset: Int64
    }

    /// The beginning of the last `wanted` lines.
    /// - Parameter files: oldest first.
    static func find(lines wanted: Int, in files: [LogFiles.File]) throws -> Position {
        var found = 0
        var isNewest = true
        return try walk(files) { record in
            // A record that does not end in a newline belongs to the line that goes on in the next one.
            if record?.isTerminated ?? false || isNewest { found += 1 }
            isNewest = false
            return found > wanted
        }
    }

    /// The beginning of what was written at `since` and later.
    /// - Parameter files: oldest first.
    static func find(since: Timestamp, in files: [LogFiles.File]) throws -> Position {
        try walk(files) { record in record.map { $0.time < since } ?? false }
    }

    /// Goes back from the end until `isBefore` says of a record that it is not wanted any more.
    private static func walk(
        _ files: [LogFiles.File], isBefore: (LogRecord?) -> Bool
    ) throws -> Position {
        var text: [UInt8] = []
        for index in files.indices.reversed() {
            let file = files[index]
            var info = stat()
            try check("fstat") { fstat(file.descriptor.raw, &info) }
            var backwards = BackwardsLines(descriptor: file.descriptor.raw, end: Int64(info.st_size))
            while let line = try backwards.next() {
                text.removeAll(keepingCapacity: true)
                let record = line.bytes.withUnsafeBytes { LogRecord.parse($0, appendingTo: &text) }
                if isBefore(record) { return Position(file: index, offset: line.end) }
            }
        }
        return Position(file: 0, offset: 0)
    }

    /// The lines of a file from the last to the first.
    private struct BackwardsLines {
        let descriptor: Int32
        /// What is in `buffer` begins here.
        private var offset: Int64
        private var buffer: [UInt8] = []

        init(descriptor: Int32, end: Int64) {
            self.descriptor = descriptor
            offset = end
        }

        /// With the offset after its newline.
        mutating func next() throws -> (bytes: ArraySlice<UInt8>, end: Int64)? {
            while true {
                // The newline that ends the line sought is the last byte, but for a record that is being written.
                let end = buffer.count
                let searched = buffer.last == UInt8(ascii: "\n") ? buffer.dropLast() : buffer[...]
                if let newline = searched.lastIndex(of: UInt8(ascii: "\n")) {
                    let line = searched[(newline + 1)...]
                    let lineEnd = offset + Int64(end)
                    buffer.removeLast(end - newline - 1)
                    return (line, lineEnd)
                }
                if offset == 0 {
                    guard !searched.isEmpty else { return nil }
                    let line = searched
                    buffer = []
                    return (line, Int64(end))
                }
                let size = min(offset, max(64 * 1024, Int64(buffer.count)))
                var chunk = [UInt8](repeating: 0, count: Int(size))
                let count = try check("pread") { pread(descriptor, &chunk, chunk.count, off_t(offset - size)) }
                guard count == Int(size) else { return nil }
                offset -= size
                buffer = chunk + buffer
            }
        }
    }
}
