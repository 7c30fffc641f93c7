internal import FoundationEssentials
internal import OCI

/// The Dockerfile instructions that change an image's configuration only, as `docker import --change` takes them: CMD,
/// ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, SHELL, STOPSIGNAL, USER, VOLUME and WORKDIR.
public enum ImageChanges {
    /// - Throws: ``ImageError/change(_:reason:)``.
    static func apply(
        _ changes: [String], to defaults: ImageConfiguration.Defaults
    ) throws(ImageError) -> ImageConfiguration.Defaults {
        var result = defaults
        for change in changes { try Change(change).apply(to: &result) }
        return result
    }
}

private struct Change {
    let text: String
    let instruction: String
    let argument: String

    init(_ text: String) throws(ImageError) {
        self.text = text
        let parts = text.trimmed.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        guard let first = parts.first else { throw ImageError.change(text, reason: "it is empty") }
        instruction = first.uppercased()
        argument = parts.count > 1 ? String(parts[1]).trimmed : ""
    }

    func apply(to defaults: inout ImageConfiguration.Defaults) throws(ImageError) {
        let known = [
            "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "SHELL", "STOPSIGNAL", "USER",
            "VOLUME", "WORKDIR",
        ]
        guard known.contains(instruction) else {
            throw error("\(instruction) is not one of \(known.joined(separator: ", "))")
        }
        let mayBeEmpty = instruction == "CMD" || instruction == "ENTRYPOINT"
        if argument.isEmpty, !mayBeEmpty { throw error("\(instruction) needs an argument") }
        switch instruction {
        case "CMD": defaults.command = try command(defaults)
        case "ENTRYPOINT":
            defaults.entrypoint = try command(defaults)
        case "ENV":
            for (key, value) in try assignments() {
                var environment = defaults.environment ?? []
                environment.removeAll { $0.hasPrefix("\(key)=") }
                environment.append("\(key)=\(value)")
                defaults.environment = environment
            }
        case "EXPOSE":
            for word in try words() {
                for port in try ports(word) {
                    defaults.exposedPorts = defaults.exposedPorts ?? []
                    defaults.exposedPorts?.insert(port)
                }
            }
        case "HEALTHCHECK": defaults.healthcheck = try healthcheck()
        case "LABEL":
            for (key, value) in try assignments() {
                defaults.labels = (defaults.labels ?? [:]).merging([key: value]) { $1 }
            }
        case "ONBUILD": defaults.onBuild = (defaults.onBuild ?? []) + [argument]
        case "SHELL":
            guard let list = jsonList(), !list.isEmpty else { throw error("SHELL takes a JSON list of strings") }
            defaults.shell = list
        case "STOPSIGNAL": defaults.stopSignal = argument
        case "USER": defaults.user = argument
        case "VOLUME":
            let paths: [String]
            if let list = jsonList() { paths = list } else { paths = try words() }
            for path in paths {
                guard path.hasPrefix("/") else { throw error("volume \"\(path)\" must be an absolute path") }
                defaults.volumes = defaults.volumes ?? []
                defaults.volumes?.insert(path)
            }
        default: defaults.workingDirectory = directory(defaults)
        }
    }

    /// JSON list: as it is; anything else: a line for the shell.
    private func command(_ defaults: ImageConfiguration.Defaults) throws(ImageError) -> [String]? {
        if argument.isEmpty { return nil }
        if let list = jsonList() { return list.isEmpty ? nil : list }
        return (defaults.shell ?? ["/bin/sh", "-c"]) + [argument]
    }

    private func directory(_ defaults: ImageConfiguration.Defaults) -> String {
        let base = argument.hasPrefix("/") ? "" : defaults.workingDirectory ?? "/"
        var parts: [Substring] = []
        for part in "\(base)/\(argument)".split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    private func ports(_ word: String) throws(ImageError) -> [String] {
        let parts = word.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let proto = parts.count > 1 ? parts[1].lowercased() : "tcp"
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard ["tcp", "udp", "sctp"].contains(proto), let first = ends[0], let last = ends[ends.count - 1],
            ends.count <= 2, first > 0, first <= last
        else { throw error("\"\(word)\" must be a port or a range of ports, with /tcp, /udp or /sctp") }
        return (first...last).map { "\($0)/\(proto)" }
    }

    private func healthcheck() throws(ImageError) -> ImageConfiguration.Healthcheck {
        var result = ImageConfiguration.Healthcheck(test: [])
        var rest = Substring(argument)
        while rest.hasPrefix("--") {
            let option = rest.prefix { !$0.isWhitespace }
            rest = rest.dropFirst(option.count).drop(while: \.isWhitespace)
            let parts = option.split(separator: "=", maxSplits: 1)
            let value = parts.count > 1 ? String(parts[1]) : ""
            switch parts[0] {
            case "--interval": result.interval = try duration(value)
            case "--timeout": result.timeout = try duration(value)
            case "--start-period": result.startPeriod = try duration(value)
            case "--start-interval": result.startInterval = try duration(value)
            case "--retries":
                guard let retries = Int(value), retries >= 0 else {
                    throw error("\"\(value)\" is no number of retries")
                }
                result.retries = retries
            default: throw error("HEALTHCHECK has no option \(parts[0])")
            }
        }
        let words = rest.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        switch words.first?.uppercased() {
        case "NONE" where words.count == 1: result.test = ["NONE"]
        case "CMD" where words.count == 2:
            let line = String(words[1]).trimmed
            result.test = Self.jsonList(line).map { ["CMD"] + $0 } ?? ["CMD-SHELL", line]
        default: throw error("HEALTHCHECK takes NONE, or CMD and a command")
        }
        return result
    }

    /// Such as `1m30s` or `1.5s`, in nanoseconds.
    private func duration(_ value: String) throws(ImageError) -> Int64 {
        let units: [(name: String, nanoseconds: Double)] = [
            ("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
        ]
        var rest = Substring(value)
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let number = Double(digits), let scale = units.first(where: { $0.name == unit })?.nanoseconds else {
                throw error("\"\(value)\" is no duration such as 30s or 1m30s")
            }
            total += number * scale
        }
        guard !value.isEmpty, total < 9e18 else { throw error("\"\(value)\" is no duration such as 30s or 1m30s") }
        return Int64(total)
    }

    /// `key=value key="quoted value"`, or, for one key, `key value`.
    private func assignments() throws(ImageError) -> [(key: String, value: String)] {
        let words = try words()
        guard let first = words.first, first.contains("=") else {
            let parts = argument.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            guard parts.count == 2 else { throw error("\(instruction) takes key=value") }
            return [(String(parts[0]), String(parts[1]).trimmed)]
        }
        var result: [(key: String, value: String)] = []
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { throw error("\"\(word)\" is not key=value") }
            result.append((String(parts[0]), String(parts[1])))
        }
        return result
    }

    /// Parted by white space, with quotes and backslashes as a shell has them.
    private func words() throws(ImageError) -> [String] {
        var result: [String] = []
        var word: String?
        var quote: Character?
        var escaped = false
        for character in argument {
            if escaped {
                word = (word ?? "") + String(character)
                escaped = false
            } else if character == "\\", quote != "'" {
                escaped = true
            } else if character == quote {
                quote = nil
            } else if quote == nil, character == "\"" || character == "'" {
                quote = character
                word = word ?? ""
            } else if quote == nil, character.isWhitespace {
                if let word { result.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil, !escaped else { throw error("a quotation mark is not closed") }
        if let word { result.append(word) }
        return result
    }

    private func jsonList() -> [String]? { Self.jsonList(argument) }

    private static func jsonList(_ text: String) -> [String]? {
        text.hasPrefix("[") ? try? JSONDecoder().decode([String].self, from: Data(text.utf8)) : nil
    }

    private func error(_ reason: String) -> ImageError { .change(text, reason: reason) }
}

extension String {
    fileprivate var trimmed: String {
        let start = drop(while: \.isWhitespace)
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...end])
    }
}
