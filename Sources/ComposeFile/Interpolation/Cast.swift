/// The type that an attribute's text takes once its variables are substituted.
enum Cast: Sendable {
    case none, integer, number, boolean

    struct Failure: Error {
        var text: String
        var hint: String?
    }

    func apply(to text: String) -> Result<Node.Value, Failure> {
        switch self {
        case .none: return .success(.string(text))
        case .integer:
            if let value = Int64(text) { return .success(.int(value)) }
            return .failure(Failure(text: "invalid integer \"\(text)\"", hint: "a whole number is wanted, such as 3"))
        case .number:
            if ScalarResolver.isFloat(Array(text.utf8)), let value = Double(text) { return .success(.float(value)) }
            return .failure(Failure(text: "invalid number \"\(text)\"", hint: "a number is wanted, such as 0.5"))
        case .boolean:
            switch text.lowercased() {
            case "true", "y", "yes", "on": return .success(.bool(true))
            case "false", "n", "no", "off": return .success(.bool(false))
            default:
                return .failure(Failure(text: "invalid boolean: \(text)", hint: "`true` or `false` is wanted"))
            }
        }
    }
}
