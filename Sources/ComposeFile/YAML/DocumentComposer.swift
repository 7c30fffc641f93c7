internal import CYaml

/// Composes libyaml's events into trees of ``Node``.
struct DocumentComposer {
    private let reporter: Reporter
    private let file: Int32
    private let limits: LoadLimits
    private var anchors: [String: Node] = [:]
    /// Anchors of collections whose end was not seen yet: an alias to one is a cycle.
    private var open: Set<String> = []
    private var aliasedNodes = 0
    private var anchorSizes: [String: Int] = [:]
    private var nodeCount = 0

    private init(reporter: Reporter, file: Int32) {
        self.reporter = reporter
        self.file = file
        limits = reporter.budget.limits
    }

    /// Parses all documents of a file.
    static func documents(
        of bytes: [UInt8], name: String, reporter: Reporter, reason: Reporter.Note? = nil
    ) throws(ComposeFileError) -> [Node] {
        let bytes = TextEncoding.utf8(bytes)
        let file = reporter.sources.add(name: name, bytes: bytes, reason: reason)
        try reporter.spend(bytes.count, of: .bytes)
        if countDirectives(bytes) > maximumDirectives {
            throw reporter.fatal("\(name): more than \(maximumDirectives) lines begin with `%`", code: .tooLarge)
        }
        let parser = YAMLEventReader(bytes: bytes)
        var composer = DocumentComposer(reporter: reporter, file: file)
        var documents: [Node] = []
        while true {
            let event = try composer.next(parser)
            switch event.kind {
            case .streamEnd: return documents
            case .documentStart:
                guard documents.count < composer.limits.documentsPerFile else {
                    throw reporter.fatal(
                        "yaml: more than \(composer.limits.documentsPerFile) documents in one file",
                        at: composer.mark(event.line, event.column), code: .tooLarge)
                }
                let node = try composer.node(from: try composer.next(parser), parser, depth: 0)
                documents.append(node)
                try reporter.spend(composer.nodeCount, of: .writtenNodes, at: node.mark)
                composer.nodeCount = 0
            default: continue
            }
        }
    }

    /// libyaml compares each directive with all others.
    private static let maximumDirectives = 1000

    private static func countDirectives(_ bytes: [UInt8]) -> Int {
        guard bytes.contains(UInt8(ascii: "%")) else { return 0 }
        return zip(bytes, bytes.dropFirst()).count { $0 == UInt8(ascii: "\n") && $1 == UInt8(ascii: "%") }
    }

    private func next(_ parser: YAMLEventReader) throws(ComposeFileError) -> YAMLEvent {
        switch parser.next() {
        case .success(let event): return event
        case .failure(let failure):
            let told = SyntaxAdvice(failure: failure) { reporter.sources.line(Int32(clamping: $0 + 1), of: file) }.told
            throw reporter.fatal(
                told.message, at: mark(told.line, told.column), hint: told.hint, code: told.code,
                notes: told.note.map { [.init(message: $0.text, mark: mark($0.line, $0.column))] } ?? [])
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
            throw reporter.fatal("yaml: nesting deeper than \(limits.depth) levels", at: mark, code: .tooLarge)
        }
        nodeCount += 1
        guard nodeCount <= limits.writtenNodes else {
            throw reporter.fatal("yaml: more than \(limits.writtenNodes) values", at: mark, code: .tooLarge)
        }
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
            throw reporter.fatal("yaml: unexpected end of the document", at: mark, code: .yamlSyntax)
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
            throw reporter.fatal("yaml: anchor '\(name)' value contains itself", at: mark, code: .anchorCycle)
        }
        guard let node = anchors[name] else {
            let near = Suggestion.nearest(to: name, among: anchors.keys.sorted())
            throw reporter.fatal(
                "yaml: unknown anchor '\(name)' referenced", at: mark,
                hint: near.map { "did you mean `*\($0)`?" }
                    ?? "define it with `&\(name)` further up, or quote the value if it is no alias: \"*\(name)\"",
                code: .unknownAnchor)
        }
        let size = anchorSizes[name] ?? 1
        aliasedNodes += size
        nodeCount += size
        guard aliasedNodes <= limits.aliasedNodes else {
            throw reporter.fatal(
                "yaml: aliases expand to more than \(limits.aliasedNodes) nodes", at: mark,
                hint: "the document contains excessive aliasing", code: .tooLarge)
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
                    hint: key.scalarText.map { "quote it: \"\($0)\"" }, code: .nonTextKey)
            }
            guard name.utf8.count <= limits.keyBytes else {
                throw reporter.fatal("yaml: a key of more than \(limits.keyBytes) bytes", at: keyMark, code: .tooLarge)
            }
            if let first = result.keyMark(of: name) {
                reporter.error(
                    "mapping key \"\(name)\" already defined at line \(first.line)", at: keyMark,
                    hint: "remove one of the two, or merge what is below them", code: .duplicateKey,
                    notes: [.init(message: "first defined here", mark: first)])
                continue
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
                        "yaml: map merge requires map or sequence of maps as the value", at: source.mark,
                        hint: "write `<<: *name` or `<<: [*one, *two]`", code: .invalidMergeKey)
                }
                try merge(source, into: &target)
            }
        default:
            throw reporter.fatal(
                "yaml: map merge requires map or sequence of maps as the value", at: source.mark,
                hint: "write `<<: *name` or `<<: [*one, *two]`", code: .invalidMergeKey)
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
            default: throw undecodable(event, "an integer", at: mark)
            }
        case "tag:yaml.org,2002:float":
            switch ScalarResolver.resolve(event.text) {
            case .float(let number): return .float(number)
            case .int(let number): return .float(Double(number))
            default: throw undecodable(event, "a number", at: mark)
            }
        case "tag:yaml.org,2002:bool":
            switch event.text {
            case "true", "True", "TRUE": return .bool(true)
            case "false", "False", "FALSE": return .bool(false)
            default: throw undecodable(event, "a boolean", at: mark)
            }
        case nil, "!":
            return event.isPlain || event.tag == "!" ? ScalarResolver.resolve(event.text) : .string(event.text)
        case .some(let tag):
            // A tag of the user's own makes text of a scalar, as `!override` and `!reset` do.
            if tag.hasPrefix("tag:yaml.org,2002:"), event.isPlain { return ScalarResolver.resolve(event.text) }
            return .string(event.text)
        }
    }

    private func undecodable(_ event: YAMLEvent, _ kind: String, at mark: Mark) -> ComposeFileError {
        reporter.fatal(
            "yaml: cannot decode `\(event.text)` as \(kind)", at: mark, hint: "remove the tag or correct the value",
            code: .wrongType)
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
