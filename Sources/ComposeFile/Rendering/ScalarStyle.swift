/// Chooses how a string is written in YAML: plain, quoted, or as a block of lines.
enum ScalarStyle {
    /// A key that cannot stand before a colon on its line: of several lines, or longer than a reader looks ahead.
    static func isComplexKey(_ text: String) -> Bool {
        text.utf8.count > 128
            || text.unicodeScalars.contains {
                $0 == "\n" || $0 == "\r" || $0 == "\u{85}" || $0 == "\u{2028}" || $0 == "\u{2029}"
            }
    }

    static func text(_ text: String, depth: Int) -> String {
        if text.utf8.contains(UInt8(ascii: "\n")), canBeBlock(text) { return block(text, depth: depth) }
        return inline(text)
    }

    private static func inline(_ text: String) -> String {
        if text.isEmpty || readsAsOther(text) { return doubleQuoted(text) }
        if hasSpecial(text) || text.utf8.contains(UInt8(ascii: "\n")) { return doubleQuoted(text) }
        return canBePlain(text)
            ? text : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    /// Text that would be read as another type when written plain; `yes` and its like for readers of YAML 1.1.
    static func readsAsOther(_ text: String) -> Bool {
        switch text {
        case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF":
            return true
        default: break
        }
        if case .string = ScalarResolver.resolve(text) { return isSexagesimal(text) }
        return true
    }

    /// `1:30`, a number of base 60 in YAML 1.1.
    private static func isSexagesimal(_ text: String) -> Bool {
        guard let head = text.utf8.first, isDigit(head) || head == UInt8(ascii: "+") || head == UInt8(ascii: "-"),
            text.utf8.contains(UInt8(ascii: ":"))
        else { return false }
        var bytes = Array(text.utf8)[...]
        if let sign = bytes.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { bytes = bytes.dropFirst() }
        var groups = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map(Array.init)
        if let last = groups.last, let point = last.firstIndex(of: UInt8(ascii: ".")) {
            guard last[(point + 1)...].allSatisfy({ isDigit($0) || $0 == UInt8(ascii: "_") }) else { return false }
            groups[groups.count - 1] = Array(last[..<point])
        }
        guard groups.count > 1, let head = groups.first, let first = head.first, isDigit(first),
            head.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: "_") })
        else { return false }
        return groups.dropFirst().allSatisfy { group in
            (1...2).contains(group.count) && group.allSatisfy(isDigit)
                && (group.count == 1 || group[0] <= UInt8(ascii: "5"))
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0A, 0x20...0x7E, 0xA0...0xD7FF: true
        case 0xE000...0xFFFD: scalar.value != 0xFEFF
        default: false
        }
    }

    private static func hasSpecial(_ text: String, allowingTabs: Bool = false) -> Bool {
        var text = text
        let isPlainASCII = text.withUTF8 { bytes in
            bytes.allSatisfy { ($0 >= 0x20 && $0 <= 0x7E) || $0 == 0x0A || ($0 == 0x09 && allowingTabs) }
        }
        if isPlainASCII { return false }
        return text.unicodeScalars.contains {
            if $0 == "\t", allowingTabs { return false }
            return !isPrintable($0) || $0 == "\u{85}" || $0 == "\u{2028}" || $0 == "\u{2029}"
        }
    }

    private static func canBePlain(_ text: String) -> Bool {
        // All that matters here is ASCII.
        let bytes = Array(text.utf8)
        let space = UInt8(ascii: " ")
        guard let first = bytes.first, let last = bytes.last else { return false }
        if first == space || last == space { return false }
        if text.hasPrefix("---") || text.hasPrefix("...") { return false }
        func isBlankOrEnd(_ index: Int) -> Bool { index >= bytes.count || bytes[index] == space }
        switch Unicode.Scalar(first) {
        case "#", ",", "[", "]", "{", "}", "&", "*", "!", "|", ">", "'", "\"", "%", "@", "`": return false
        case "-", "?", ":": if isBlankOrEnd(1) { return false }
        default: break
        }
        for index in bytes.indices.dropFirst() {
            if bytes[index] == UInt8(ascii: ":"), isBlankOrEnd(index + 1) { return false }
            if bytes[index] == UInt8(ascii: "#"), bytes[index - 1] == space { return false }
        }
        return true
    }

    private static func canBeBlock(_ text: String) -> Bool {
        !hasSpecial(text, allowingTabs: true)
            && !text.utf8.contains(UInt8(ascii: "\r"))
            && !hasSpaceBeforeBreak(text)
    }

    private static func hasSpaceBeforeBreak(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.last == UInt8(ascii: " ")
            || zip(bytes, bytes.dropFirst()).contains { $0 == UInt8(ascii: " ") && $1 == UInt8(ascii: "\n") }
    }

    private static func block(_ text: String, depth: Int) -> String {
        var header = "|"
        if text.hasPrefix(" ") || text.hasPrefix("\n") { header += "2" }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last == "" {
            lines.removeLast()
            if lines.last == "" || lines.isEmpty { header += "+" }
        } else {
            header += "-"
        }
        let margin = String(repeating: " ", count: depth * 2)
        return header + lines.map { "\n" + ($0.isEmpty ? "" : margin + $0) }.joined()
    }

    private static func doubleQuoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case "\0": result += "\\0"
            case "\u{7}": result += "\\a"
            case "\u{8}": result += "\\b"
            case "\u{b}": result += "\\v"
            case "\u{c}": result += "\\f"
            case "\u{1b}": result += "\\e"
            case "\u{85}": result += "\\N"
            case "\u{2028}": result += "\\L"
            case "\u{2029}": result += "\\P"
            case "\u{feff}": result += "\\uFEFF"
            default:
                if isPrintable(scalar) {
                    result.unicodeScalars.append(scalar)
                } else {
                    let digits = String(scalar.value, radix: 16, uppercase: true)
                    let (prefix, width) =
                        scalar.value <= 0xFF ? ("\\x", 2) : scalar.value <= 0xFFFF ? ("\\u", 4) : ("\\U", 8)
                    result += prefix + String(repeating: "0", count: max(0, width - digits.count)) + digits
                }
            }
        }
        return result + "\""
    }
}
