/// Lexical path operations and what little of the file system the loader looks at.
enum Paths {
    /// Without `.`, `..`, empty parts and a slash at the end; `.` for nothing.
    static func clean(_ path: String) -> String {
        let isAbsolute = path.utf8.first == UInt8(ascii: "/")
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part == "..", isAbsolute {
                continue
            } else {
                parts.append(part)
            }
        }
        let joined = parts.joined(separator: "/")
        if isAbsolute { return "/" + joined }
        return joined.isEmpty ? "." : joined
    }

    static func isAbsolute(_ path: String) -> Bool { path.utf8.first == UInt8(ascii: "/") }

    /// `path` seen from `base`; both lexical.
    static func join(_ base: String, _ path: String) -> String {
        if isAbsolute(path) { return clean(path) }
        return clean(base.isEmpty ? path : base + "/" + path)
    }

    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return clean(slash == path.startIndex ? "/" : String(path[..<slash]))
    }

    static func name(of path: String) -> String {
        let cleaned = clean(path)
        return cleaned.split(separator: "/").last.map(String.init) ?? cleaned
    }

    /// `path` relative to `base`, both absolute; `path` itself if it is not below or beside it.
    static func relative(_ path: String, to base: String) -> String {
        guard isAbsolute(path), isAbsolute(base) else { return path }
        let target = clean(path).split(separator: "/")
        let origin = clean(base).split(separator: "/")
        var common = 0
        while common < min(target.count, origin.count), target[common] == origin[common] { common += 1 }
        let up = Array(repeating: "..", count: origin.count - common)
        let parts = up + target[common...].map(String.init)
        return parts.isEmpty ? "." : parts.joined(separator: "/")
    }

    /// A leading `~` replaced by the home directory.
    static func expandingHome(_ path: String, home: String?) -> String {
        guard path.utf8.first == UInt8(ascii: "~"), let home else { return path }
        return join(home, String(path.dropFirst().drop { $0 == "/" }))
    }

    /// `C:\x` or `\\host\x`: kept as written.
    static func isWindows(_ path: String) -> Bool {
        let bytes = Array(path.utf8.prefix(3))
        if bytes.starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "\\")]) { return true }
        return bytes.count == 3 && bytes[0] | 0x20 >= 0x61 && bytes[0] | 0x20 <= 0x7A && bytes[1] == UInt8(ascii: ":")
            && (bytes[2] == UInt8(ascii: "\\") || bytes[2] == UInt8(ascii: "/"))
    }
}
