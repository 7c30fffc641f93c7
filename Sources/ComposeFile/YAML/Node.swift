/// A place in a source file. Lines and columns count from 1; columns count characters, not bytes.
struct Mark: Sendable, Hashable {
    /// Index into ``SourceSet``.
    var file: Int32
    var line: Int32
    var column: Int32

    static let none = Mark(file: -1, line: 0, column: 0)
}

/// What a node's tag asks of merging.
enum Directive: UInt8, Sendable {
    case none
    /// `!reset`: the path is removed from what was merged before.
    case reset
    /// `!override`: the value takes the place of the earlier one, without merging.
    case override
}

/// A node of a YAML document: a value, where it was written and what its tag asks for.
struct Node: Sendable {
    var value: Value
    var mark: Mark
    var directive: Directive = .none

    init(_ value: Value, at mark: Mark = .none, directive: Directive = .none) {
        self.value = value
        self.mark = mark
        self.directive = directive
    }

    enum Value: Sendable {
        case null
        case bool(Bool)
        case int(Int64)
        /// Integers above `Int64.max`.
        case unsigned(UInt64)
        case float(Double)
        case string(String)
        /// A plain scalar that YAML 1.1 reads as a date; the text as written.
        case timestamp(String)
        case sequence([Node])
        case mapping(Mapping)
    }
}

extension Node {
    var isNull: Bool {
        if case .null = value { true } else { false }
    }

    var string: String? {
        if case .string(let text) = value { text } else { nil }
    }

    var mapping: Mapping? {
        if case .mapping(let mapping) = value { mapping } else { nil }
    }

    var sequence: [Node]? {
        if case .sequence(let nodes) = value { nodes } else { nil }
    }

    var bool: Bool? {
        if case .bool(let flag) = value { flag } else { nil }
    }

    var int: Int64? {
        if case .int(let number) = value { number } else { nil }
    }

    subscript(_ key: String) -> Node? {
        if case .mapping(let mapping) = value { mapping[key] } else { nil }
    }

    /// A scalar as text, numbers printed the way the reference prints them; nil for null and collections.
    var scalarText: String? {
        switch value {
        case .string(let text), .timestamp(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): String(number)
        case .unsigned(let number): String(number)
        case .float(let number): NumberFormat.general(number)
        case .null, .sequence, .mapping: nil
        }
    }

    /// Same content, wherever it was written.
    func isSame(as other: Node) -> Bool {
        switch (value, other.value) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.int(let a), .int(let b)): a == b
        case (.unsigned(let a), .unsigned(let b)): a == b
        case (.float(let a), .float(let b)): a == b
        case (.string(let a), .string(let b)): a == b
        case (.timestamp(let a), .timestamp(let b)): a == b
        case (.sequence(let a), .sequence(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.isSame(as: $1) }
        case (.mapping(let a), .mapping(let b)):
            a.count == b.count && a.allSatisfy { entry in b[entry.key].map { entry.value.isSame(as: $0) } ?? false }
        default: false
        }
    }

    /// What a diagnostic calls this kind of value.
    var kindName: String {
        switch value {
        case .null: "nothing"
        case .bool: "a boolean"
        case .int, .unsigned: "an integer"
        case .float: "a number"
        case .string: "a string"
        case .timestamp: "a date"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// A mapping in the order of the file. Lookups are linear while it is small and by index when it is large.
struct Mapping: Sendable, Sequence {
    struct Entry: Sendable {
        var key: String
        var keyMark: Mark
        var value: Node
    }

    private(set) var entries: [Entry] = []
    private var index: [String: Int] = [:]
    private static let indexThreshold = 16

    init() {}

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }

    func makeIterator() -> Array<Entry>.Iterator { entries.makeIterator() }

    func position(of key: String) -> Int? {
        if entries.count > Self.indexThreshold { return index[key] }
        return entries.firstIndex { $0.key == key }
    }

    func keyMark(of key: String) -> Mark? { position(of: key).map { entries[$0].keyMark } }

    subscript(_ key: String) -> Node? { position(of: key).map { entries[$0].value } }

    /// Sets a value, keeping the place of an existing key.
    mutating func set(_ key: String, _ value: Node, keyMark: Mark? = nil) {
        if let found = position(of: key) {
            entries[found].value = value
            if let keyMark { entries[found].keyMark = keyMark }
            return
        }
        entries.append(Entry(key: key, keyMark: keyMark ?? value.mark, value: value))
        if entries.count > Self.indexThreshold + 1 {
            index[key] = entries.count - 1
        } else if entries.count == Self.indexThreshold + 1 {
            rebuildIndex()
        }
    }

    @discardableResult
    mutating func remove(_ key: String) -> Node? {
        guard let found = position(of: key) else { return nil }
        let removed = entries.remove(at: found)
        if entries.count > Self.indexThreshold { rebuildIndex() } else { index = [:] }
        return removed.value
    }

    /// Replaces the value at a position found through iteration; the key stays.
    mutating func replaceValue(at position: Int, with value: Node) { entries[position].value = value }

    /// Rewrites each value in place.
    mutating func mapValues(_ body: (String, inout Node) throws -> Void) rethrows {
        for position in entries.indices { try body(entries[position].key, &entries[position].value) }
    }

    mutating func removeAll(where shouldRemove: (Entry) -> Bool) {
        let before = entries.count
        entries.removeAll(where: shouldRemove)
        guard entries.count != before else { return }
        if entries.count > Self.indexThreshold { rebuildIndex() } else { index = [:] }
    }

    private mutating func rebuildIndex() {
        index = [:]
        index.reserveCapacity(entries.count)
        for (position, entry) in entries.enumerated() { index[entry.key] = position }
    }
}
