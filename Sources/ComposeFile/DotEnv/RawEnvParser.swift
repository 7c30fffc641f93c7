/// Reads env files in the format `raw`, which is `docker run --env-file`'s: `NAME=value` lines taken literally.
enum RawEnvParser {
    /// A nil value: the line has a name only.
    static func parse(
        _ bytes: [UInt8], limits: LoadLimits = LoadLimits(), lookup: (String) -> String?
    ) throws(DotEnvParser.Failure) -> [DotEnvParser.Entry] {
        var result: [DotEnvParser.Entry] = []
        var number = 0
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            var line = rest[..<end]
            rest = rest[min(end + 1, rest.endIndex)...]
            number += 1
            guard result.count < limits.variables else {
                throw DotEnvParser.Failure(message: "more than \(limits.variables) variables", line: number)
            }
            if number == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            line = line.drop(while: DotEnvParser.isSpace)
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            let equals = line.firstIndex(of: UInt8(ascii: "="))
            let name = String(decoding: line[..<(equals ?? line.endIndex)], as: UTF8.self)
            if name.isEmpty {
                throw DotEnvParser.Failure(message: "a variable without a name", line: number, hint: "write NAME=value")
            }
            if name.utf8.contains(where: DotEnvParser.isSpace) {
                throw DotEnvParser.Failure(
                    message: "variable '\(name)' contains whitespaces", line: number, hint: "write NAME=value")
            }
            if let equals {
                let value = String(decoding: line[(equals + 1)...], as: UTF8.self)
                result.append(.init(name: name, value: value, line: number))
            } else if let value = lookup(name) {
                result.append(.init(name: name, value: value, line: number))
            }
        }
        return result
    }
}
