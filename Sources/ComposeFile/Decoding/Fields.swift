/// Reads typed values out of a canonical mapping.
struct FieldReader {
    let mapping: Mapping

    init(_ mapping: Mapping?) { self.mapping = mapping ?? Mapping() }
    init(_ node: Node?) { self.init(node?.mapping) }

    /// nil where the attribute is missing or empty.
    func text(_ key: String) -> String? {
        guard let text = mapping[key]?.string, !text.isEmpty else { return nil }
        return text
    }

    func flag(_ key: String) -> Bool? { mapping[key]?.bool }
    /// Never inlined: Swift 6.3.1's optimiser fails on the inlined copies.
    @inline(never)
    func int(_ key: String) -> Int64? { mapping[key]?.int }
    @inline(never)
    func smallInt(_ key: String) -> Int? { int(key).map { Int(clamping: $0) } }

    /// As ``int(_:)``, zero meaning that nothing was asked for.
    func amount(_ key: String) -> Int64? { int(key).flatMap { $0 == 0 ? nil : $0 } }

    func number(_ key: String) -> Double? {
        switch mapping[key]?.value {
        case .float(let number): number
        case .int(let number): Double(number)
        default: nil
        }
    }

    func duration(_ key: String) -> Duration? { int(key).map { .nanoseconds($0) } }

    func list(_ key: String) -> [String] { mapping[key]?.sequence?.compactMap(\.string) ?? [] }

    func optionalList(_ key: String) -> [String]? { mapping[key]?.sequence?.compactMap(\.string) }

    func nodes(_ key: String) -> [Node] { mapping[key]?.sequence ?? [] }

    func pairs(_ key: String) -> [String: String] { variables(key).compactMapValues { $0 } }

    func variables(_ key: String) -> [String: String?] {
        var result: [String: String?] = [:]
        for entry in mapping[key]?.mapping ?? Mapping() { result.updateValue(entry.value.string, forKey: entry.key) }
        return result
    }

    func inner(_ key: String) -> FieldReader { FieldReader(mapping[key]) }
    func has(_ key: String) -> Bool { mapping[key].map { !$0.isNull } ?? false }
}
