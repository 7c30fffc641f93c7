/// Writes a document together with where its values come from, by walking what is printed and the tree side by side.
struct OriginWriter {
    /// Names of the files that marks refer to.
    let files: [String]
    /// Applied to what is not a comment.
    var escape: (String) -> String = { $0 }

    /// Comments begin here, or two spaces after a longer line.
    private static let commentColumn = 48

    // MARK: YAML

    func yaml(_ printed: Printed, of tree: Node) -> String {
        var output = ""
        write(printed, tree, .none, depth: 0, first: nil, into: &output)
        return output
    }

    /// - Parameter first: what stands before the first line, its key or dash included; nil at the top.
    private func write(
        _ value: Printed, _ node: Node?, _ mark: Mark, depth: Int, first: String?, into output: inout String
    ) {
        let indent = String(repeating: " ", count: depth * 2)
        switch value {
        case .map(let entries) where !entries.isEmpty:
            let isInline = first?.hasSuffix("- ") == true || first?.hasSuffix(": ") == true
            if let first, !isInline { output += escape(first) + "\n" }
            for (index, entry) in entries.enumerated() {
                let child = Self.child(entry.key, of: node)
                let lead = index == 0 && isInline ? first ?? "" : indent
                write(
                    entry.value, child?.node, child?.mark ?? mark, depth: depth + 1,
                    first: lead + Self.key(entry.key, depth: depth, indent), into: &output)
            }
        case .list(let items) where !items.isEmpty:
            if let first { output += escape(first) + "\n" }
            for (index, item) in items.enumerated() {
                let child = Self.child(index, item, of: node)
                write(
                    item, child, child?.mark ?? mark, depth: depth + 1, first: indent + "- ", into: &output)
            }
        default:
            let text = YAMLWriter.scalar(value, depth: depth)
            var lead = first ?? ""
            if lead.hasSuffix(":") { lead += " " }
            // A text in block style has its comment beside the sign that opens it.
            let end =
                text.hasPrefix("|") || text.hasPrefix(">") ? text.firstIndex(of: "\n") ?? text.endIndex : text.endIndex
            let line = escape(lead + text[..<end])
            let shown = line.split(separator: "\n").last ?? ""
            let own = node.map(\.mark).flatMap { $0 == .none ? nil : $0 } ?? mark
            let pad = max(2, Self.commentColumn - shown.unicodeScalars.reduce(0) { $0 + DisplayWidth.of($1) })
            output += line + String(repeating: " ", count: pad) + "# " + name(own) + escape(String(text[end...])) + "\n"
        }
    }

    /// What stands before the value: a key that cannot stand on its line has lines of its own.
    private static func key(_ text: String, depth: Int, _ indent: String) -> String {
        let written = ScalarStyle.text(text, depth: depth + 1)
        return ScalarStyle.isComplexKey(text) ? "? " + written + "\n" + indent + ": " : written + ":"
    }

    private func name(_ mark: Mark) -> String {
        guard files.indices.contains(Int(mark.file)) else { return "implied" }
        return "\(files[Int(mark.file)]):\(mark.line):\(mark.column)"
    }

    // MARK: JSON

    func places(_ printed: Printed, of tree: Node) -> Printed {
        var entries: [(key: String, value: Printed)] = []
        collect(printed, tree, path: "", into: &entries)
        return .map(entries)
    }

    private func collect(
        _ value: Printed, _ node: Node?, path: String, into entries: inout [(key: String, value: Printed)]
    ) {
        func add(_ path: String, _ node: Node?, _ mark: Mark) {
            let own = node.map(\.mark).flatMap { $0 == .none ? nil : $0 } ?? mark
            guard files.indices.contains(Int(own.file)) else { return }
            entries.append(
                (
                    path,
                    .map([
                        ("file", .string(files[Int(own.file)])), ("line", .int(Int64(own.line))),
                        ("column", .int(Int64(own.column))),
                    ])
                ))
        }
        switch value {
        case .map(let members):
            for member in members {
                let child = Self.child(member.key, of: node)
                let name =
                    Self.isPlain(member.key) ? (path.isEmpty ? "" : ".") + member.key : "[\(Self.quoted(member.key))]"
                add(path + name, child?.node, child?.mark ?? .none)
                collect(member.value, child?.node, path: path + name, into: &entries)
            }
        case .list(let items):
            for (index, item) in items.enumerated() {
                let child = Self.child(index, item, of: node)
                add("\(path)[\(index)]", child, .none)
                collect(item, child, path: "\(path)[\(index)]", into: &entries)
            }
        default: return
        }
    }

    private static func isPlain(_ key: String) -> Bool {
        !key.isEmpty && Validator.isName(key) && !key.utf8.contains(UInt8(ascii: "."))
    }

    private static func quoted(_ key: String) -> String { JSONWriter.write(.string(key), indented: false) }

    // MARK: The tree beside what is printed

    private static func child(_ key: String, of node: Node?) -> (node: Node, mark: Mark)? {
        guard let mapping = node?.mapping, let position = mapping.position(of: key) else { return nil }
        let entry = mapping.entries[position]
        return (entry.value, entry.keyMark)
    }

    /// The element of a list; what is printed may be sorted, or have been a mapping.
    private static func child(_ index: Int, _ item: Printed, of node: Node?) -> Node? {
        guard case .string(let text) = item else {
            guard let items = node?.sequence, items.indices.contains(index) else { return nil }
            return items[index]
        }
        if let items = node?.sequence {
            if items.indices.contains(index), items[index].scalarText == text { return items[index] }
            let host = items.first { $0.string.map(Printer.host) == text }
            return host ?? (items.indices.contains(index) ? items[index] : nil)
        }
        let name = String(text.prefix { $0 != "=" })
        guard let child = child(name, of: node) else { return nil }
        return child.node.mark == .none ? Node(child.node.value, at: child.mark) : child.node
    }
}
