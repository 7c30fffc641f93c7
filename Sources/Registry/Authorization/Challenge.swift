/// One challenge of a `WWW-Authenticate` header (RFC 9110, section 11.6.1).
struct Challenge: Sendable, Equatable {
    /// Lower case: `basic`, `bearer`.
    var scheme: String
    /// Names in lower case.
    var parameters: [String: String]

    /// All challenges of all the headers of one answer, in order; what is not understood is left out.
    static func parse(_ headers: [String]) -> [Challenge] {
        headers.flatMap { header in
            var parser = Parser(text: Array(header.unicodeScalars))
            return parser.challenges()
        }
    }

    private struct Parser {
        let text: [Unicode.Scalar]
        var position = 0

        init(text: [Unicode.Scalar]) { self.text = text }

        /// A token that is followed by `=` is a parameter of the challenge before; any other begins a challenge.
        mutating func challenges() -> [Challenge] {
            var result: [Challenge] = []
            while true {
                skip { $0 == " " || $0 == "\t" || $0 == "," }
                guard position < text.count else { return result }
                let word = token()
                guard !word.isEmpty else {
                    // Nothing that may stand here: what follows the next comma may be good again.
                    skip { $0 != "," }
                    continue
                }
                let afterWord = position
                skip { $0 == " " || $0 == "\t" }
                if !result.isEmpty, take("=") {
                    skip { $0 == " " || $0 == "\t" }
                    let value = take("\"") ? quoted() : token()
                    result[result.count - 1].parameters[word.lowercased()] = value
                } else {
                    position = afterWord
                    result.append(Challenge(scheme: word.lowercased(), parameters: [:]))
                }
            }
        }

        private mutating func skip(_ isSkipped: (Unicode.Scalar) -> Bool) {
            while position < text.count, isSkipped(text[position]) { position += 1 }
        }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard position < text.count, text[position] == scalar else { return false }
            position += 1
            return true
        }

        private mutating func token() -> String {
            let start = position
            skip { $0.value > 0x20 && $0.value < 0x7f && !"\"(),/:;<=>?@[\\]{}".unicodeScalars.contains($0) }
            return string(text[start..<position])
        }

        private mutating func quoted() -> String {
            var value: [Unicode.Scalar] = []
            while position < text.count {
                let scalar = text[position]
                position += 1
                if scalar == "\"" { break }
                if scalar == "\\", position < text.count {
                    value.append(text[position])
                    position += 1
                } else {
                    value.append(scalar)
                }
            }
            return string(value[...])
        }

        private func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
            var result = String.UnicodeScalarView()
            result.append(contentsOf: scalars)
            return String(result)
        }
    }
}
