/// Splits a command line into words as a shell would, without expanding anything.
enum ShellWords {
    struct Failure: Error, Equatable {}

    /// An unquoted operator (`;`, `&`, `|`, `<`, `>`) ends the command, as in the reference.
    static func split(_ line: String) throws(Failure) -> [String] {
        var words: [String] = []
        var word: [UInt8] = []
        var hasWord = false
        var isEscaped = false
        var quote: UInt8?
        // Between `$(` and `)` nothing splits and no quote counts.
        var isInCommand = false
        scan: for byte in line.utf8 {
            if isEscaped {
                word.append(byte)
                hasWord = true
                isEscaped = false
                continue
            }
            if byte == UInt8(ascii: "\\") {
                if quote == UInt8(ascii: "'") { word.append(byte) } else { isEscaped = true }
                continue
            }
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                if quote != nil || isInCommand {
                    word.append(byte)
                } else if hasWord {
                    words.append(String(decoding: word, as: UTF8.self))
                    (word, hasWord) = ([], false)
                }
            case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
                if isInCommand {
                    word.append(byte)
                } else if quote == nil {
                    quote = byte
                    hasWord = true
                    if byte == UInt8(ascii: "`") { word.append(byte) }
                } else if quote == byte {
                    quote = nil
                    if byte == UInt8(ascii: "`") { word.append(byte) }
                } else {
                    word.append(byte)
                }
            case UInt8(ascii: "("):
                // Only `$(` is a word's part.
                if quote == nil {
                    guard !isInCommand, word.last == UInt8(ascii: "$") else { throw Failure() }
                    isInCommand = true
                }
                word.append(byte)
            case UInt8(ascii: ")"):
                if quote == nil {
                    guard isInCommand else { throw Failure() }
                    isInCommand = false
                }
                word.append(byte)
            case UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "|"), UInt8(ascii: "<"), UInt8(ascii: ">"):
                guard quote == nil, !isInCommand else {
                    word.append(byte)
                    continue
                }
                // The number before `>` is a descriptor, not a word.
                if byte == UInt8(ascii: ">"), let first = word.first, first >= 48, first <= 57 { hasWord = false }
                break scan
            default:
                word.append(byte)
                hasWord = true
            }
        }
        if quote != nil || isEscaped || isInCommand { throw Failure() }
        if hasWord { words.append(String(decoding: word, as: UTF8.self)) }
        return words
    }
}
