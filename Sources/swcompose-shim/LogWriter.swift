// Docker's json-file log: one JSON object a line, with the time it was read.
import CLinux

struct LogWriter {
    private(set) var descriptor: CInt = -1
    private let path: TextBuffer
    private let maximumSize: UInt64
    private let maximumFiles: UInt32
    private var size: UInt64 = 0
    /// The last write stopped within a line.
    private var isTorn = false

    /// Of a log line, newline included; longer ones are split as Docker does.
    static let lineLimit = 16 * 1024
    private var out = Line()
    private var err = Line()
    /// Escaped text on its way to the file.
    private let staging: UnsafeMutablePointer<UInt8>
    private static let stagingSize = 16 * 1024
    private var staged = 0

    /// What has come of a line. Memory is touched only as far as it fills.
    struct Line {
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: LogWriter.lineLimit)
        var count = 0
    }

    init(_ settings: Settings) throws(Failure) {
        var path = TextBuffer(capacity: Int(PATH_MAX))
        if let given = settings.logPath { path.append(given) }
        self.path = path
        maximumSize = settings.logMaximumSize
        maximumFiles = settings.logMaximumFiles
        staging = .allocate(capacity: Self.stagingSize)
        guard settings.logPath != nil else { return }
        try check("open log") { openFile() }
    }

    private mutating func openFile() -> CInt {
        descriptor = swc_open(path.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        var info = stat()
        size = descriptor >= 0 && fstat(descriptor, &info) == 0 ? UInt64(info.st_size) : 0
        return descriptor
    }

    mutating func add(_ stream: UInt8, _ data: UnsafePointer<UInt8>, _ count: Int) {
        guard path.count > 0 else { return }
        var line = stream == ShimMessage.stderr ? err : out
        var at = 0
        while at < count {
            let rest = min(count - at, Self.lineLimit - line.count)
            let newline = memchr(data + at, CInt(UInt8(ascii: "\n")), rest)
            let length = newline.map { UnsafeRawPointer($0) - UnsafeRawPointer(data + at) + 1 } ?? rest
            memcpy(line.bytes + line.count, data + at, length)
            line.count += length
            at += length
            if newline != nil {
                emit(stream, line.bytes, line.count)
                line.count = 0
            } else if line.count == Self.lineLimit {
                // Not within a character, or both parts would be garbage.
                let kept = incompleteTail(line.bytes, line.count)
                emit(stream, line.bytes, line.count - kept)
                memmove(line.bytes, line.bytes + line.count - kept, kept)
                line.count = kept
            }
        }
        if stream == ShimMessage.stderr { err = line } else { out = line }
    }

    /// The stream has ended: what is there of a line is a line.
    mutating func finish(_ stream: UInt8) {
        let line = stream == ShimMessage.stderr ? err : out
        if line.count > 0 { emit(stream, line.bytes, line.count) }
        if stream == ShimMessage.stderr { err.count = 0 } else { out.count = 0 }
    }

    // MARK: - Records

    private mutating func emit(_ stream: UInt8, _ bytes: UnsafePointer<UInt8>, _ count: Int) {
        if maximumSize > 0, size >= maximumSize { rotate() }
        if descriptor < 0, openFile() < 0 { return }
        if isTorn { put(UInt8(ascii: "\n")) }
        put("{\"log\":\"")
        escape(bytes, count)
        put("\",\"stream\":\"")
        put(stream == ShimMessage.stderr ? "stderr" : "stdout")
        put("\",\"time\":\"")
        putTime()
        put("\"}\n")
        flush()
    }

    private mutating func put(_ byte: UInt8) {
        if staged == Self.stagingSize { flush() }
        staging[staged] = byte
        staged += 1
    }
    private mutating func put(_ text: StaticString) {
        for i in 0..<text.utf8CodeUnitCount { put(text.utf8Start[i]) }
    }

    /// A full disk loses lines; it never holds up or ends the container.
    private mutating func flush() {
        var done = 0
        while done < staged {
            let count = write(descriptor, staging + done, staged - done)
            if count > 0 {
                done += count
            } else if swc_errno() != EINTR {
                break
            }
        }
        size += UInt64(done)
        if done > 0 || !isTorn { isTorn = done < staged || (done > 0 && staging[done - 1] != UInt8(ascii: "\n")) }
        staged = 0
    }

    /// As Go's encoder does: `<`, `>`, `&` and what breaks JavaScript are escaped, invalid UTF-8 becomes U+FFFD.
    private mutating func escape(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        var i = 0
        while i < count {
            let byte = bytes[i]
            if byte >= 0x80 {
                let length = utf8Length(bytes + i, count - i)
                if length == 0 {
                    put("\\ufffd")
                    i += 1
                } else if length == 3, byte == 0xE2, bytes[i + 1] == 0x80, bytes[i + 2] & 0xFE == 0xA8 {
                    put("\\u202")
                    put(bytes[i + 2] == 0xA8 ? UInt8(ascii: "8") : UInt8(ascii: "9"))
                    i += 3
                } else {
                    for k in 0..<length { put(bytes[i + k]) }
                    i += length
                }
                continue
            }
            i += 1
            switch byte {
            case UInt8(ascii: "\""): put("\\\"")
            case UInt8(ascii: "\\"): put("\\\\")
            case UInt8(ascii: "\n"): put("\\n")
            case UInt8(ascii: "\r"): put("\\r")
            case UInt8(ascii: "\t"): put("\\t")
            case 0..<0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
                put("\\u00")
                putHexadecimal(byte >> 4)
                putHexadecimal(byte & 15)
            default: put(byte)
            }
        }
    }

    private mutating func putHexadecimal(_ digit: UInt8) { put(digit < 10 ? 48 + digit : 87 + digit) }

    private mutating func putNumber(_ number: Int64, width: Int) {
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            put(48 + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// RFC 3339 with nanoseconds, UTC.
    private mutating func putTime() {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let seconds = Int64(now.tv_sec)
        let day = seconds / 86_400
        // Days to a date by the calendar's 400-year cycle, its years beginning in March.
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        putNumber(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), width: 4)
        put("-")
        putNumber(month, width: 2)
        put("-")
        putNumber(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1, width: 2)
        put("T")
        putNumber(seconds / 3600 % 24, width: 2)
        put(":")
        putNumber(seconds / 60 % 60, width: 2)
        put(":")
        putNumber(seconds % 60, width: 2)
        put(".")
        putNumber(Int64(now.tv_nsec), width: 9)
        put("Z")
    }

    // MARK: - Rotation

    /// path becomes path.1, path.1 becomes path.2, …; with one file only, it begins anew.
    private mutating func rotate() {
        close(descriptor)
        descriptor = -1
        var from = TextBuffer(capacity: Int(PATH_MAX))
        var to = TextBuffer(capacity: Int(PATH_MAX))
        defer {
            from.free()
            to.free()
        }
        if maximumFiles <= 1 {
            unlink(path.path)
        } else {
            for number in stride(from: UInt64(maximumFiles) - 1, to: 0, by: -1) {
                name(&to, number)
                name(&from, number - 1)
                rename(from.path, to.path)
            }
        }
        _ = openFile()
    }

    private func name(_ text: inout TextBuffer, _ number: UInt64) {
        text.clear()
        text.append(path.path)
        if number > 0 {
            text.append(".")
            text.append(number)
        }
    }
}

/// Bytes of the character that begins at `bytes`; 0 where it is none.
private func utf8Length(_ bytes: UnsafePointer<UInt8>, _ available: Int) -> Int {
    let first = bytes[0]
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    guard first >= 0xC2, first <= 0xF4, length <= available else { return 0 }
    for i in 1..<length where bytes[i] & 0xC0 != 0x80 { return 0 }
    switch first {
    case 0xE0: return bytes[1] >= 0xA0 ? 3 : 0
    case 0xED: return bytes[1] < 0xA0 ? 3 : 0  // surrogates
    case 0xF0: return bytes[1] >= 0x90 ? 4 : 0
    case 0xF4: return bytes[1] < 0x90 ? 4 : 0
    default: return length
    }
}

/// How many bytes at the end begin a character without completing it.
private func incompleteTail(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
    for back in 1...3 where back <= count {
        let byte = bytes[count - back]
        if byte & 0xC0 == 0x80 { continue }
        let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
        return length > back ? back : 0
    }
    return 0
}
