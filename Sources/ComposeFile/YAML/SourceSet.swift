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

    /// A line longer than this is not shown, nor looked through.
    private static let longestLine = 1 << 16

    /// Offsets at which the lines of a source begin, found when first asked for.
    private var lineStarts: [Int32: [Int]] = [:]

    private func starts(of file: Int32) -> [Int] {
        if let known = lineStarts[file] { return known }
        var starts = [0]
        let bytes = sources[Int(file)].bytes
        for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") { starts.append(index + 1) }
        lineStarts[file] = starts
        return starts
    }

    /// The bytes of a line, without its end; nil if there is none.
    private func range(of line: Int32, in file: Int32) -> Range<Int>? {
        guard sources.indices.contains(Int(file)), line > 0 else { return nil }
        let starts = starts(of: file)
        let bytes = sources[Int(file)].bytes
        guard Int(line) <= starts.count else { return nil }
        let start = starts[Int(line) - 1]
        var end = Int(line) < starts.count ? starts[Int(line)] - 1 : bytes.count
        if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return start..<end
    }

    /// The text of a line, without its end; nil if there is none, or too much of it.
    func line(_ line: Int32, of file: Int32) -> String? {
        guard let range = range(of: line, in: file), range.count <= Self.longestLine else { return nil }
        return String(decoding: sources[Int(file)].bytes[range], as: UTF8.self)
    }

    /// The place of the `ordinal`-th `$` (from 0) at or after `mark`; `mark` itself if the text has fewer.
    ///
    /// Escapes in double-quoted scalars cannot add or hide a `$` other than through `\x24`, so that counting them
    /// in the source finds the one that counts in the value.
    func dollar(_ ordinal: Int, after mark: Mark) -> Mark {
        guard let first = range(of: mark.line, in: mark.file), first.count <= Self.longestLine else { return mark }
        let text = sources[Int(mark.file)].bytes
        var place = Mark(file: mark.file, line: mark.line, column: 1)
        var remaining = ordinal
        for byte in text[first.lowerBound...] {
            let reached = place.line > mark.line || place.column >= mark.column
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
