internal import CYaml

/// One event of libyaml's parser, copied into Swift values.
struct YAMLEvent {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd, alias, scalar
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
    }
    var kind: Kind
    /// From 0.
    var line: Int
    var column: Int
    /// The first place after the event's text, from 0.
    var endLine: Int
    var endColumn: Int
    /// The scalar's value or the alias' name.
    var text = ""
    var anchor: String?
    var tag: String?
    var isPlain = false
    /// A collection in brackets or braces.
    var isFlow = false
}

/// Why libyaml stopped.
struct YAMLFailure: Error {
    var problem: String
    var line: Int
    var column: Int
    /// What the parser was at, such as "while scanning a quoted scalar"; empty where it does not say.
    var context = ""
    /// Where that began.
    var contextLine = 0
    var contextColumn = 0
    /// The quote that opens the text which ends where the parser stopped, from 0.
    var openingQuote: (line: Int, column: Int)?
}

/// Owns a libyaml parser and the bytes it reads.
final class YAMLEventReader {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// Where the quoted scalar read last begins and ends, from 0.
    private(set) var lastQuoted: (start: (line: Int, column: Int), end: (line: Int, column: Int))?
    private let input: UnsafeMutableBufferPointer<UInt8>

    init(bytes: [UInt8]) {
        parser = .allocate(capacity: 1)
        input = .allocate(capacity: max(bytes.count, 1))
        _ = input.update(from: bytes)
        yaml_parser_initialize(parser)
        yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    func next() -> Result<YAMLEvent, YAMLFailure> {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { return .failure(failure()) }
        defer { yaml_event_delete(&event) }
        var result = YAMLEvent(
            kind: .streamStart, line: Int(event.start_mark.line), column: Int(event.start_mark.column),
            endLine: Int(event.end_mark.line), endColumn: Int(event.end_mark.column))
        switch event.type {
        case YAML_STREAM_END_EVENT: result.kind = .streamEnd
        case YAML_DOCUMENT_START_EVENT:
            if let version = event.data.document_start.version_directive?.pointee,
                version.major != 1 || version.minor != 1
            {
                // libyaml lets 1.2 pass; the reference knows 1.1 only.
                return .failure(
                    YAMLFailure(
                        problem: "found incompatible YAML document: %YAML 1.1 is the version that can be asked for",
                        line: result.line, column: result.column))
            }
            result.kind = .documentStart
        case YAML_DOCUMENT_END_EVENT: result.kind = .documentEnd
        case YAML_ALIAS_EVENT:
            result.kind = .alias
            result.text = Self.string(event.data.alias.anchor) ?? ""
        case YAML_SCALAR_EVENT:
            result.kind = .scalar
            let scalar = event.data.scalar
            result.text = String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            result.anchor = Self.string(scalar.anchor)
            result.tag = Self.string(scalar.tag)
            result.isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
            if scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE || scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE {
                lastQuoted = ((result.line, result.column), (result.endLine, result.endColumn))
            }
        case YAML_SEQUENCE_START_EVENT:
            result.kind = .sequenceStart
            result.anchor = Self.string(event.data.sequence_start.anchor)
            result.tag = Self.string(event.data.sequence_start.tag)
            result.isFlow = event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
        case YAML_SEQUENCE_END_EVENT: result.kind = .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            result.kind = .mappingStart
            result.anchor = Self.string(event.data.mapping_start.anchor)
            result.tag = Self.string(event.data.mapping_start.tag)
            result.isFlow = event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
        case YAML_MAPPING_END_EVENT: result.kind = .mappingEnd
        default: break
        }
        return .success(result)
    }

    private static func string(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private func failure() -> YAMLFailure {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "cannot be read"
        guard parser.pointee.error != YAML_READER_ERROR else {
            // A reader error carries a byte offset, not a mark.
            let offset = min(parser.pointee.problem_offset, input.count)
            let read = input[..<offset]
            let line = read.filter { $0 == UInt8(ascii: "\n") }.count
            let start = read.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            let column = read[start...].filter { $0 & 0xC0 != 0x80 }.count
            return YAMLFailure(problem: problem, line: line, column: column)
        }
        let mark = parser.pointee.problem_mark
        var failure = YAMLFailure(problem: problem, line: Int(mark.line), column: Int(mark.column))
        if let lastQuoted, lastQuoted.end == (failure.line, failure.column) { failure.openingQuote = lastQuoted.start }
        if let context = parser.pointee.context {
            failure.context = String(cString: context)
            failure.contextLine = Int(parser.pointee.context_mark.line)
            failure.contextColumn = Int(parser.pointee.context_mark.column)
        }
        return failure
    }
}
