internal import CYaml

/// Limits that keep hostile files from costing unbounded time or memory.
struct YAMLLimits: Sendable {
    var bytes = 32 << 20
    var depth = 128
    /// Nodes that aliases may add beyond those written.
    var aliasedNodes = 200_000
}

/// Composes libyaml's events into trees of ``Node``.
struct DocumentComposer {
    private let reporter: Reporter
    private let file: Int32
    private let limits: YAMLLimits
    private var anchors: [String: Node] = [:]
    /// Anchors of collections whose end was not seen yet: an alias to one is a cycle.
    private var open: Set<String> = []
    private var aliasedNodes = 0
    private var anchorSizes: [String: Int] = [:]
    private var nodeCount = 0

    private init(reporter: Reporter, file: Int32, limits: YAMLLimits) {
        self.reporter = reporter
        self.file = file
        self.limits = limits
    }

    /// Parses all documents of a file.
    static func documents(
        of bytes: [UInt8], name: String, reporter: Reporter, limits: YAMLLimits = YAMLLimits()
    ) throws(ComposeFileError) -> [Node] {
        let file = reporter.sources.add(name: name, bytes: bytes)
        guard bytes.count <= limits.bytes else {
            throw reporter.fatal("\(name): the file has \(bytes.count) bytes, more than the \(limits.bytes) allowed")
        }
        let parser = YAMLEventReader(bytes: bytes)
        var composer = DocumentComposer(reporter: reporter, file: file, limits: limits)
        var documents: [Node] = []
        while true {
            let event = try composer.next(parser)
            switch event.kind {
            case .streamEnd: return documents
            case .documentStart:
                let node = try composer.node(from: try composer.next(parser), parser, depth: 0)
                documents.append(node)
            default: continue
            }
        }
    }

    private func next(_ parser: YAMLEventReader) throws(ComposeFileError) -> YAMLEvent {
        switch parser.next() {
        case .success(let event): return event
        case .failure(let failure):
            throw reporter.fatal("yaml: \(failure.problem)", at: mark(failure.line, failure.column))
        }
    }

    private func mark(_ line: Int, _ column: Int) -> Mark {
        Mark(file: file, line: Int32(clamping: line + 1), column: Int32(clamping: column + 1))
    }

    private mutating func node(
        from event: YAMLEvent, _ parser: YAMLEventReader, depth: Int
    ) throws(ComposeFileError) -> Node {
        let mark = mark(event.line, event.column)
        guard depth < limits.depth else {
            throw reporter.fatal("yaml: nesting deeper than \(limits.depth) levels", at: mark)
        }
        nodeCount += 1
        let before = nodeCount
        var node: Node
        switch event.kind {
        case .alias:
            return try alias(event.text, at: mark)
        case .scalar:
            node = Node(try scalar(event, at: mark), at: mark)
        case .sequenceStart:
            if let anchor = event.anchor { open.insert(anchor) }
            var items: [Node] = []
            while true {
                let event = try next(parser)
                if event.kind == .sequenceEnd { break }
                items.append(try self.node(from: event, parser, depth: depth + 1))
            }
            node = Node(.sequence(items), at: mark)
        case .mappingStart:
            if let anchor = event.anchor { open.insert(anchor) }
            node = Node(.mapping(try mapping(parser, depth: depth)), at: mark)
        default:
            throw reporter.fatal("yaml: unexpected end of the document", at: mark)
        }
        node.directive = directive(event.tag)
        if let anchor = event.anchor {
            open.remove(anchor)
            anchors[anchor] = node
            anchorSizes[anchor] = nodeCount - before + 1
        }
        return node
    }

    private mutating func alias(_ name: String, at mark: Mark) throws(ComposeFileError) -> Node {
        if open.contains(name) {
            throw reporter.fatal("yaml: anchor '\(name)' value contains itself", at: mark)
        }
        guard let node = anchors[name] else {
            let hint = Suggestion.nearest(to: name, among: anchors.keys.sorted()).map { "did you mean `*\($0)`?" }
            throw reporter.fatal("yaml: unknown anchor '\(name)' referenced", at: mark, hint: hint)
        }
        let size = anchorSizes[name] ?? 1
        aliasedNodes += size
        nodeCount += size
        guard aliasedNodes <= limits.aliasedNodes else {
            throw reporter.fatal(
                "yaml: aliases expand to more than \(limits.aliasedNodes) nodes", at: mark,
                hint: "the document contains excessive aliasing")
        }
        return node
    }

    private mutating func mapping(_ parser: YAMLEventReader, depth: Int) throws(ComposeFileError) -> Mapping {
        var result = Mapping()
        var merges: [Node] = []
        while true {
            let keyEvent = try next(parser)
            if keyEvent.kind == .mappingEnd { break }
            let keyMark = mark(keyEvent.line, keyEvent.column)
            let isMerge =
                keyEvent.kind == .scalar && keyEvent.isPlain && keyEvent.text == "<<"
                && (keyEvent.tag == nil || keyEvent.tag == "tag:yaml.org,2002:merge")
            let key = try self.node(from: keyEvent, parser, depth: depth + 1)
            let value = try self.node(from: try next(parser), parser, depth: depth + 1)
            if isMerge {
                guard merges.isEmpty else {
                    throw reporter.fatal(
                        "mapping key \"<<\" already defined at line \(merges[0].mark.line)", at: keyMark,
                        hint: "merge several with a list: <<: [*a, *b]")
                }
                merges.append(value)
                continue
            }
            guard case .string(let name) = key.value else {
                throw reporter.fatal(
                    "non-string key: \(key.scalarText ?? key.kindName)", at: keyMark,
                    hint: key.scalarText.map { "quote it: \"\($0)\"" })
            }
            if let first = result.keyMark(of: name) {
                throw reporter.fatal(
                    "mapping key \"\(name)\" already defined at line \(first.line)", at: keyMark,
                    hint: "remove one of the two, lines \(first.line) and \(keyMark.line)")
            }
            result.set(name, value, keyMark: keyMark)
        }
        for merge in merges { try self.merge(merge, into: &result) }
        return result
    }

    /// `<<`: adds what the mapping does not have itself; of several sources the earlier one wins.
    private func merge(_ source: Node, into target: inout Mapping) throws(ComposeFileError) {
        switch source.value {
        case .mapping(let mapping):
            for entry in mapping where target.position(of: entry.key) == nil {
                target.set(entry.key, entry.value, keyMark: entry.keyMark)
            }
        case .sequence(let sources):
            for source in sources {
                guard source.mapping != nil else {
                    throw reporter.fatal(
                        "yaml: map merge requires map or sequence of maps as the value", at: source.mark)
                }
                try merge(source, into: &target)
            }
        default:
            throw reporter.fatal("yaml: map merge requires map or sequence of maps as the value", at: source.mark)
        }
    }

    private func scalar(_ event: YAMLEvent, at mark: Mark) throws(ComposeFileError) -> Node.Value {
        switch event.tag {
        case "tag:yaml.org,2002:str": return .string(event.text)
        case "tag:yaml.org,2002:binary":
            guard let bytes = Base64.decode(event.text) else {
                throw reporter.fatal("yaml: !!binary value contains invalid base64 data", at: mark)
            }
            return .string(String(decoding: bytes, as: UTF8.self))
        case "tag:yaml.org,2002:null": return .null
        case "tag:yaml.org,2002:int":
            let value = ScalarResolver.resolve(event.text)
            switch value {
            case .int, .unsigned: return value
            default: throw reporter.fatal("yaml: cannot decode `\(event.text)` as an integer", at: mark)
            }
        case "tag:yaml.org,2002:float":
            switch ScalarResolver.resolve(event.text) {
            case .float(let number): return .float(number)
            case .int(let number): return .float(Double(number))
            default: throw reporter.fatal("yaml: cannot decode `\(event.text)` as a number", at: mark)
            }
        case "tag:yaml.org,2002:bool":
            switch event.text {
            case "true", "True", "TRUE": return .bool(true)
            case "false", "False", "FALSE": return .bool(false)
            default: throw reporter.fatal("yaml: cannot decode `\(event.text)` as a boolean", at: mark)
            }
        case nil, "!":
            return event.isPlain || event.tag == "!" ? ScalarResolver.resolve(event.text) : .string(event.text)
        case .some(let tag):
            // A tag of the user's own makes text of a scalar, as `!override` and `!reset` do.
            if tag.hasPrefix("tag:yaml.org,2002:"), event.isPlain { return ScalarResolver.resolve(event.text) }
            return .string(event.text)
        }
    }

    /// Other tags say nothing here.
    private func directive(_ tag: String?) -> Directive {
        switch tag {
        case "!reset": return .reset
        case "!override": return .override
        default: return .none
        }
    }
}
