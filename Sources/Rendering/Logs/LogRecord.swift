internal import CLinux

/// One record of a json-file log: `{"log":"text\n","stream":"stdout","time":"…"}`. Read by hand: logs are long.
struct LogRecord {
    var stream: LogLine.Stream = .stdout
    var time = Timestamp.distantPast
    /// The text ended in a newline (which is not part of what was appended).
    var isTerminated = false

    /// Reads one record, without its newline, and appends its text to `text`.
    /// - Returns: nil where this is no record; `text` is as it was then.
    static func parse(_ line: UnsafeRawBufferPointer, appendingTo text: inout [UInt8]) -> LogRecord? {
        let start = text.count
        var record = LogRecord()
        var reader = Reader(bytes: line)
        guard reader.skip("{") else { return nil }
        if reader.skip("}") { return record }
        repeat {
            guard let key = reader.key(), reader.skip(":") else {
                text.removeLast(text.count - start)
                return nil
            }
            let understood: Bool
            switch key {
            case .log: understood = reader.string(into: &text)
            case .stream:
                let name = reader.plainString()
                if let name, name.elementsEqual("stderr".utf8) { record.stream = .stderr }
                understood = name != nil
            case .time:
                let time = reader.plainString().flatMap { Timestamp.parse(rfc3339: $0) }
                if let time { record.time = time }
                understood = time != nil
            case .other: understood = reader.skipValue()
            }
            guard understood else {
                text.removeLast(text.count - start)
                return nil
            }
        } while reader.skip(",")
        guard reader.skip("}") else {
            text.removeLast(text.count - start)
            return nil
        }
        if text.count > start, text.last == UInt8(ascii: "\n") {
            text.removeLast()
            record.isTerminated = true
        }
        return record
    }

    private enum Key { case log, stream, time, other }

    private struct Reader {
        let bytes: UnsafeRawBufferPointer
        var position = 0

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            while position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 }
            guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }

        mutating func key() -> Key? {
            let start = position
            guard let name = plainString() else {
                // A name with escapes in it is none of ours.
                position = start
                return string() == nil ? nil : .other
            }
            if name.elementsEqual("log".utf8) { return .log }
            if name.elementsEqual("stream".utf8) { return .stream }
            return name.elementsEqual("time".utf8) ? .time : .other
        }

        /// A string without escapes, in place.
        mutating func plainString() -> UnsafeRawBufferPointer? {
            guard skip("\"") else { return nil }
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                guard bytes[position] != UInt8(ascii: "\\") else { return nil }
                position += 1
            }
            guard position < bytes.count else { return nil }
            position += 1
            return UnsafeRawBufferPointer(rebasing: bytes[start..<position - 1])
        }

        mutating func string() -> String? {
            var text: [UInt8] = []
            return string(into: &text) ? String(decoding: text, as: UTF8.self) : nil
        }

        mutating func string(into text: inout [UInt8]) -> Bool {
            guard skip("\"") else { return false }
            while position < bytes.count {
                // Most of a line is plain text: find where that ends and take it in one piece.
                var end = position
                while end < bytes.count, bytes[end] != UInt8(ascii: "\""), bytes[end] != UInt8(ascii: "\\") { end += 1 }
                if end > position {
                    text.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
                }
                position = end + 1
                guard end < bytes.count else { return false }
                if bytes[end] == UInt8(ascii: "\"") { return true }
                guard escape(into: &text) else { return false }
            }
            return false
        }

        /// After the backslash.
        private mutating func escape(into text: inout [UInt8]) -> Bool {
            guard position < bytes.count else { return false }
            let kind = bytes[position]
            position += 1
            switch kind {
            case UInt8(ascii: "n"): text.append(10)
            case UInt8(ascii: "r"): text.append(13)
            case UInt8(ascii: "t"): text.append(9)
            case UInt8(ascii: "b"): text.append(8)
            case UInt8(ascii: "f"): text.append(12)
            case UInt8(ascii: "u"):
                guard var value = hex4() else { return false }
                if (0xD800..<0xDC00).contains(value), position + 1 < bytes.count,
                    bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
                {
                    let mark = position
                    position += 2
                    if let low = hex4(), (0xDC00..<0xE000).contains(low) {
                        value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
                    } else {
                        position = mark
                    }
                }
                text.append(contentsOf: Array(String(Character(Unicode.Scalar(value) ?? "\u{FFFD}")).utf8))
            default: text.append(kind)
            }
            return true
        }

        private mutating func hex4() -> UInt32? {
            guard position + 4 <= bytes.count else { return nil }
            var value: UInt32 = 0
            for _ in 0..<4 {
                guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else { return nil }
                value = value << 4 | UInt32(digit)
                position += 1
            }
            return value
        }

        /// A value of a member that we do not know: `attrs` of Docker's own logs.
        mutating func skipValue() -> Bool {
            var depth = 0
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: "\""): if string() == nil { return false }
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    position += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return true }
                    depth -= 1
                    position += 1
                case UInt8(ascii: ","):
                    if depth == 0 { return true }
                    position += 1
                default: position += 1
                }
            }
            return false
        }
    }
}
