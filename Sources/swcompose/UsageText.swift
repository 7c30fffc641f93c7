/// Docker Compose's words for what ArgumentParser says.
enum UsageText {
    static func docker(_ message: String) -> String {
        let quoted = message.split(separator: "'", omittingEmptySubsequences: false)
        let subject = quoted.count > 1 ? String(quoted[1]) : ""
        let flag = subject.split(separator: " ").first.map(String.init) ?? ""
        if message.hasPrefix("Unknown option") {
            guard flag.hasPrefix("-"), !flag.hasPrefix("--") else { return "unknown flag: \(flag)" }
            return "unknown shorthand flag: '\(flag.dropFirst().prefix(1))' in \(flag)"
        }
        if message.hasPrefix("Missing value for") {
            guard !flag.hasPrefix("--") else { return "flag needs an argument: \(flag)" }
            return "flag needs an argument: '\(flag.dropFirst())' in \(flag)"
        }
        if message.hasPrefix("The value '"), quoted.count > 3 {
            let name = quoted[3].split(separator: " ").first.map(String.init) ?? ""
            return "invalid argument \"\(subject)\" for \"\(name)\" flag: invalid syntax"
        }
        return message
    }
}
