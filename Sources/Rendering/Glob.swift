/// Patterns for names: `*`, `?`, `[a-z]`, `[^a-z]` and `\x`, as Docker Compose matches service arguments.
public enum Glob {
    /// - Returns: nil where the pattern itself is malformed.
    public static func matches(_ pattern: String, _ name: String) -> Bool? {
        match(Array(pattern.unicodeScalars)[...], Array(name.unicodeScalars)[...])
    }

    public static func isPattern(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0 == "*" || $0 == "?" || $0 == "[" || $0 == "\\" }
    }

    private static func match(
        _ pattern: ArraySlice<Unicode.Scalar>, _ name: ArraySlice<Unicode.Scalar>
    ) -> Bool? {
        var pattern = pattern
        var name = name
        while let first = pattern.first {
            switch first {
            case "*":
                let rest = pattern.dropFirst()
                for start in name.startIndex...name.endIndex {
                    guard let found = match(rest, name[start...]) else { return nil }
                    if found { return true }
                    // `*` stops at a slash, as paths have it.
                    if start < name.endIndex, name[start] == "/" { break }
                }
                return false
            case "[":
                guard let (accepted, rest) = matchClass(pattern.dropFirst(), name.first) else { return nil }
                guard accepted else { return false }
                pattern = rest
                name = name.dropFirst()
            case "?":
                guard let scalar = name.first, scalar != "/" else { return false }
                pattern = pattern.dropFirst()
                name = name.dropFirst()
            default:
                var literal = first
                if first == "\\" {
                    pattern = pattern.dropFirst()
                    guard let escaped = pattern.first else { return nil }
                    literal = escaped
                }
                guard name.first == literal else { return false }
                pattern = pattern.dropFirst()
                name = name.dropFirst()
            }
        }
        return name.isEmpty
    }

    /// `pattern` begins after the bracket; what comes back begins after the closing one.
    private static func matchClass(
        _ pattern: ArraySlice<Unicode.Scalar>, _ scalar: Unicode.Scalar?
    ) -> (Bool, ArraySlice<Unicode.Scalar>)? {
        var pattern = pattern
        var negated = false
        if pattern.first == "^" {
            negated = true
            pattern = pattern.dropFirst()
        }
        var found = false
        var isEmpty = true
        while let low = pattern.popFirst() {
            if low == "]", !isEmpty {
                guard let scalar else { return (false, pattern) }
                return (found != negated && scalar != "/", pattern)
            }
            guard low != "]", low != "-" else { return nil }
            isEmpty = false
            var high = low
            if pattern.first == "-" {
                pattern = pattern.dropFirst()
                guard let end = pattern.popFirst(), end != "]" else { return nil }
                high = end
            }
            if let scalar, low <= scalar, scalar <= high { found = true }
        }
        return nil
    }
}
