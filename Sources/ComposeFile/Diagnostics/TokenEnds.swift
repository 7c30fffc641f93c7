/// Finds where the YAML tokens that begin at given places end, by reading the files once more. Nodes do not keep their
/// ends: they are wanted for diagnostics alone.
struct TokenEnds {
    private var ends: [Mark: Mark] = [:]

    /// A file larger than this is not read again for the sake of an underline.
    private static let sizeLimit = 256 << 10
    /// Nesting beyond what the loader takes.
    private static let depthLimit = 256

    init(of marks: some Sequence<Mark>, in sources: SourceSet) {
        var wanted: [Int32: Set<Mark>] = [:]
        for mark in marks where mark.file >= 0 && mark.line > 0 { wanted[mark.file, default: []].insert(mark) }
        for (file, marks) in wanted {
            guard let source = sources.source(file), source.kind == .yaml, source.bytes.count <= Self.sizeLimit else {
                continue
            }
            read(source.bytes, file: file, marks)
        }
    }

    subscript(_ mark: Mark) -> Mark? { ends[mark] }

    private mutating func read(_ bytes: [UInt8], file: Int32, _ marks: Set<Mark>) {
        var missing = marks
        let parser = YAMLEventReader(bytes: bytes)
        /// Flow collections that are open, and those of them that are wanted.
        var open: [Mark?] = []
        var pending = 0
        while !missing.isEmpty || pending > 0, open.count <= Self.depthLimit, case .success(let event) = parser.next() {
            let start = Mark(
                file: file, line: Int32(clamping: event.line + 1), column: Int32(clamping: event.column + 1))
            let end = Mark(
                file: file, line: Int32(clamping: event.endLine + 1), column: Int32(clamping: event.endColumn + 1))
            switch event.kind {
            case .streamEnd: return
            case .scalar, .alias:
                if missing.remove(start) != nil, end != start { ends[start] = end }
            case .sequenceStart, .mappingStart:
                // A collection in block style has no end to speak of.
                let isWanted = event.isFlow && missing.remove(start) != nil
                if isWanted { pending += 1 }
                open.append(isWanted ? start : nil)
            case .sequenceEnd, .mappingEnd:
                guard let start = open.popLast() ?? nil else { continue }
                pending -= 1
                ends[start] = end
            default: continue
            }
        }
    }
}
