/// The files read during one load: their names and texts, for diagnostics.
final class SourceSet {
    struct Source {
        enum Kind { case yaml, variables }
        /// As shown to the user.
        var name: String
        var bytes: [UInt8]
        var kind: Kind
        /// What made the loader read the file; nil for those that it was told to load.
        var reason: Reporter.Note?
        /// Offsets at which lines begin; found when first asked for.
        var lineStarts: [Int]?
    }

    private(set) var sources: [Source] = []
    /// Bytes that may still be searched for places. When they are used up, a file is hostile rather than faulty, and
    /// the place of the whole value will do.
    private var searchBudget = 32 << 20
    /// The ends of variables are not looked for in longer lines.
    private static let longestLine = 64 << 10
    /// Directory, with a slash at its end, whose files are named relative to it.
    private let prefix: String?

    init(directory: String? = nil) { prefix = directory.map { $0 == "/" ? $0 : $0 + "/" } }

    /// A path as it is shown: relative where the file is below the working directory.
    func displayName(_ path: String) -> String {
        guard let prefix, path.hasPrefix(prefix) else { return path }
        return String(path.dropFirst(prefix.count))
    }

    /// Registers a file and returns the index that its marks carry.
    func add(name: String, bytes: [UInt8], kind: Source.Kind = .yaml, reason: Reporter.Note? = nil) -> Int32 {
        sources.append(Source(name: name, bytes: bytes, kind: kind, reason: reason))
        return Int32(sources.count - 1)
    }

    func source(_ file: Int32) -> Source? {
        sources.indices.contains(Int(file)) ? sources[Int(file)] : nil
    }

    func name(of file: Int32) -> String? { source(file)?.name }

    /// The mark of a place given by name.
    func mark(file: String, line: Int, column: Int) -> Mark {
        guard let index = sources.firstIndex(where: { $0.name == file }) else { return .none }
        return Mark(file: Int32(index), line: Int32(clamping: line), column: Int32(clamping: column))
    }

    /// Why a file was read, innermost reason first.
    func chain(of file: Int32) -> [Reporter.Note] {
        var result: [Reporter.Note] = []
        var next = file
        while let reason = source(next)?.reason, result.count < 20 {
            result.append(reason)
            next = reason.mark.file
        }
        return result
    }

    /// The text of a line, without its end; nil if there is none.
    func line(_ line: Int32, of file: Int32) -> String? {
        guard let start = start(ofLine: line, in: file) else { return nil }
        return Self.line(from: start, of: sources[Int(file)].bytes)
    }

    /// As ``line(_:of:)``, of a file that is not part of the set.
    static func line(_ line: Int32, of bytes: [UInt8]) -> String? {
        let starts = starts(of: bytes)
        guard line > 0, starts.indices.contains(Int(line) - 1) else { return nil }
        return Self.line(from: starts[Int(line) - 1], of: bytes)
    }

    private static func line(from start: Int, of bytes: [UInt8]) -> String {
        var end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
        if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private func start(ofLine line: Int32, in file: Int32) -> Int? {
        guard sources.indices.contains(Int(file)), line > 0 else { return nil }
        let starts = lineStarts(Int(file))
        return starts.indices.contains(Int(line) - 1) ? starts[Int(line) - 1] : nil
    }

    private func lineStarts(_ file: Int) -> [Int] {
        if let known = sources[file].lineStarts { return known }
        let starts = Self.starts(of: sources[file].bytes)
        sources[file].lineStarts = starts
        return starts
    }

    private static func starts(of bytes: [UInt8]) -> [Int] {
        var starts = [0]
        for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") { starts.append(offset + 1) }
        return starts
    }

    /// The place of the `ordinal`-th `$` (from 0) at or after `mark`; `mark` itself if the text has fewer.
    ///
    /// Escapes in double-quoted scalars cannot add or hide a `$` other than through `\x24`, so that counting them
    /// in the source finds the one that counts in the value.
    func dollar(_ ordinal: Int, after mark: Mark) -> Mark {
        var remaining = ordinal
        return place(from: mark) { bytes, offset in
            guard bytes[offset] == UInt8(ascii: "$") else { return false }
            remaining -= 1
            return remaining < 0
        } ?? mark
    }

    /// The place of `$name` or `${name` at or after `mark`; `mark` itself if there is none.
    func variable(_ name: String, after mark: Mark) -> Mark {
        let wanted = Array(name.utf8)
        return place(from: mark) { bytes, offset in
            guard bytes[offset] == UInt8(ascii: "$"), offset + 1 < bytes.count else { return false }
            let start = bytes[offset + 1] == UInt8(ascii: "{") ? offset + 2 : offset + 1
            guard bytes[start...].starts(with: wanted) else { return false }
            let end = start + wanted.count
            return end >= bytes.count || !Template.isNamePart(bytes[end])
        } ?? mark
    }

    /// The first place at or after `mark` where `test`, given the file and an offset into it, says yes.
    private func place(from mark: Mark, where test: ([UInt8], Int) -> Bool) -> Mark? {
        guard let start = start(ofLine: mark.line, in: mark.file) else { return nil }
        let bytes = sources[Int(mark.file)].bytes
        var place = Mark(file: mark.file, line: mark.line, column: 1)
        let limit = min(bytes.count, start + searchBudget)
        var searched = 0
        defer { searchBudget -= searched }
        for offset in start..<limit {
            searched += 1
            let isReached = place.line > mark.line || place.column >= mark.column
            if isReached, test(bytes, offset) { return place }
            if bytes[offset] == UInt8(ascii: "\n") {
                place.line += 1
                place.column = 1
            } else if bytes[offset] & 0xC0 != 0x80 {
                place.column += 1
            }
        }
        return nil
    }

    /// The first place after the variable whose `$` is at `mark`; nil if there is none.
    func variableEnd(_ mark: Mark) -> Mark? {
        guard let start = start(ofLine: mark.line, in: mark.file),
            (self.start(ofLine: mark.line + 1, in: mark.file) ?? sources[Int(mark.file)].bytes.count) - start
                < Self.longestLine, let text = line(mark.line, of: mark.file)
        else { return nil }
        let scalars = Array(text.unicodeScalars.dropFirst(Int(mark.column) - 1))
        guard scalars.first == "$", scalars.count > 1 else { return nil }
        var length = 1
        if scalars[1] == "{" {
            var depth = 0
            while length < scalars.count {
                let scalar = scalars[length]
                length += 1
                if scalar == "{" { depth += 1 }
                if scalar == "}" { depth -= 1 }
                if depth == 0 { break }
            }
            if depth != 0 { return nil }
        } else {
            while length < scalars.count, scalars[length].isASCII, Template.isNamePart(UInt8(scalars[length].value)) {
                length += 1
            }
        }
        return Mark(file: mark.file, line: mark.line, column: mark.column + Int32(length))
    }
}
