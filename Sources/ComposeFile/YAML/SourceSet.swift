/// The files read during one load: their names and texts, for diagnostics.
final class SourceSet {
    struct Source {
        /// As shown to the user.
        var name: String
        var bytes: [UInt8]
    }

    private(set) var sources: [Source] = []

    /// Registers a file and returns the index that its marks carry.
    func add(name: String, bytes: [UInt8]) -> Int32 {
        sources.append(Source(name: name, bytes: bytes))
        return Int32(sources.count - 1)
    }

    func name(of file: Int32) -> String? {
        sources.indices.contains(Int(file)) ? sources[Int(file)].name : nil
    }

    /// The text of a line, without its end; nil if there is none.
    func line(_ line: Int32, of file: Int32) -> String? {
        guard sources.indices.contains(Int(file)), line > 0 else { return nil }
        let bytes = sources[Int(file)].bytes
        var current: Int32 = 1
        var start = 0
        while current < line {
            guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            start = end + 1
            current += 1
        }
        var end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
        if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// The place of the `ordinal`-th `$` (from 0) at or after `mark`; `mark` itself if the text has fewer.
    ///
    /// Escapes in double-quoted scalars cannot add or hide a `$` other than through `\x24`, so that counting them
    /// in the source finds the one that counts in the value.
    func dollar(_ ordinal: Int, after mark: Mark) -> Mark {
        guard sources.indices.contains(Int(mark.file)) else { return mark }
        let text = sources[Int(mark.file)].bytes
        var place = Mark(file: mark.file, line: 1, column: 1)
        var remaining = ordinal
        for byte in text {
            let reached = place.line > mark.line || (place.line == mark.line && place.column >= mark.column)
            if reached, byte == UInt8(ascii: "$") {
                if remaining == 0 { return place }
                remaining -= 1
            }
            if byte == UInt8(ascii: "\n") {
                place.line += 1
                place.column = 1
            } else if byte & 0xC0 != 0x80 {
                place.column += 1
            }
        }
        return mark
    }
}
