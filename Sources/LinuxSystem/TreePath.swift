/// A path below the root of a tree, as bytes (file names need not be UTF-8): relative, without empty, `.` and `..`
/// parts. Empty means the root itself.
public struct TreePath: Sendable, Hashable, CustomStringConvertible {
    /// With the final NUL.
    public let cString: [CChar]
    /// Where the last part begins in ``cString``.
    private let nameStart: Int
    /// Number of parts; 0 for the root.
    public let depth: Int

    /// Takes `./a//b/` as `a/b`.
    /// - Throws: ``TreePathError`` for absolute paths, `..`, NUL, and parts or paths longer than Linux has them.
    public init(_ bytes: some Collection<UInt8>) throws(TreePathError) {
        var result: [CChar] = []
        result.reserveCapacity(bytes.count + 1)
        var partStart = 0
        var lastStart = 0
        var parts = 0
        if bytes.first == 0x2f { throw TreePathError(bytes, "is absolute") }
        func finishPart() throws(TreePathError) {
            let length = result.count - partStart
            switch length {
            case 0: return
            case 1 where result[partStart] == 0x2e: result.removeLast(1)
            case 2 where result[partStart] == 0x2e && result[partStart + 1] == 0x2e:
                throw TreePathError(bytes, "contains \"..\"")
            default:
                if length > 255 { throw TreePathError(bytes, "has a part longer than 255 bytes") }
                lastStart = partStart
                parts += 1
                result.append(0x2f)
            }
            partStart = result.count
        }
        for byte in bytes {
            if byte == 0x2f {
                try finishPart()
            } else if byte == 0 {
                throw TreePathError(bytes, "contains a NUL byte")
            } else {
                result.append(CChar(bitPattern: byte))
            }
        }
        try finishPart()
        if !result.isEmpty { result.removeLast() }
        if result.count > 4095 { throw TreePathError(bytes, "is longer than 4095 bytes") }
        result.append(0)
        cString = result
        nameStart = lastStart
        depth = parts
    }

    private init(cString: [CChar], depth: Int) {
        self.cString = cString
        self.depth = depth
        nameStart = (cString.lastIndex(of: 0x2f) ?? -1) + 1
    }

    public var isRoot: Bool { depth == 0 }

    /// The last part, with the final NUL.
    public var name: [CChar] { Array(cString[nameStart...]) }

    /// The path without its last part. The root's is the root.
    public var parent: TreePath { TreePath(cString: parentCString, depth: max(depth - 1, 0)) }

    /// ``parent``'s ``cString``.
    var parentCString: [CChar] { nameStart == 0 ? [0] : Array(cString[..<(nameStart - 1)]) + [0] }

    /// Whether `other` ends in the directory whose path is `directory` (a ``cString``).
    func isDirectly(below directory: [CChar]) -> Bool {
        let length = directory.count - 1
        guard length == max(nameStart - 1, 0) else { return false }
        return cString.withUnsafeBufferPointer { own in
            directory.withUnsafeBufferPointer { other in
                for index in 0..<length where own[index] != other[index] { return false }
                return true
            }
        }
    }

    /// This path with another last part.
    public func sibling(_ name: [CChar]) -> TreePath {
        TreePath(cString: Array(cString[..<nameStart]) + name, depth: depth)
    }

    public func appending(_ name: [CChar]) -> TreePath {
        TreePath(cString: isRoot ? name : cString.dropLast() + [0x2f] + name, depth: depth + 1)
    }

    public var description: String {
        isRoot ? "." : String(decoding: cString.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A path that cannot lie below a root.
public struct TreePathError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Shortened where long.
    public let path: String
    public let reason: String

    init(_ bytes: some Collection<UInt8>, _ reason: String) {
        path = String(decoding: bytes.prefix(200), as: UTF8.self) + (bytes.count > 200 ? "…" : "")
        self.reason = reason
    }

    public var description: String { "path \"\(path)\" \(reason)" }
}
