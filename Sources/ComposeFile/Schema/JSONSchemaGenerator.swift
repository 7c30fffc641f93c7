/// Writes the table of rules as a JSON Schema. Each mapping with known keys is a definition of its own, named after
/// the attribute in which it is first found; the names and descriptions are in ``SchemaDescriptions``.
final class JSONSchemaGenerator {
    private var definitions: [String: Printed] = [:]
    private var names: [String: String] = [:]
    /// Descriptions that found their attribute, and attributes that found none.
    private(set) var used: Set<String> = []
    private(set) var undescribed: [String] = []

    func document() -> Printed {
        let root = object(Schema.project, Schema.project.fields!, name: "project")
        let head: [Member] = [
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
            ("title", .string("Compose file")),
            ("description", .string("A Docker Compose file as swcompose accepts it.")),
        ]
        guard case .map(let members) = root else { return root }
        let sorted = definitions.sorted { $0.key < $1.key }
        return .map(head + members + [("$defs", .map(sorted.map { ($0.key, $0.value) }))])
    }

    // MARK: forms

    /// The schema of what a rule allows; a choice where that has several forms.
    private func schema(_ rule: Rule, path: String, home: String) -> [Member] {
        var forms: [[Member]] = scalars(rule.traits)
        if let item = rule.item {
            var list: [Member] = [
                ("type", .string("array")), ("items", .map(schema(item, path: path, home: home))),
            ]
            // Where elements have an identity, the later takes the earlier one's place instead.
            if rule.traits.uniqueItems, case .none = rule.traits.identity { list.append(("uniqueItems", .bool(true))) }
            forms.append(list)
        }
        if let fields = rule.fields {
            forms.append([("$ref", .string("#/$defs/" + definition(rule, fields, path: path)))])
        } else if let values = rule.values {
            var map: [Member] = [
                ("type", .string("object")),
                ("additionalProperties", .map(schema(values, path: path, home: home))),
            ]
            if rule.traits.namedKeys {
                map.append(("propertyNames", .map([("pattern", .string("^[a-zA-Z0-9._-]+$"))])))
            }
            forms.append(map)
        }
        if forms.count == 1 { return forms[0] }
        return [("anyOf", .list(forms.map { .map($0) }))]
    }

    /// Text that a variable may turn into anything.
    private static let variable = "\\$"

    private func scalars(_ traits: Rule.Traits) -> [[Member]] {
        var types: [String] = []
        var forms: [[Member]] = []
        if traits.scalars.contains(.string) {
            let pattern = Self.pattern(traits)
            if let choices = traits.choices {
                forms.append([("enum", .list(choices.map { .string($0) }))])
                forms.append([("type", .string("string")), ("pattern", .string(Self.variable))])
            } else if let pattern {
                forms.append([("type", .string("string")), ("pattern", .string(pattern + "|" + Self.variable))])
            } else {
                types.append("string")
            }
        }
        var number: [Member] = []
        if let range = traits.range {
            number.append(("minimum", .int(range.lowerBound)))
            if range.upperBound != .max { number.append(("maximum", .int(range.upperBound))) }
        }
        if traits.scalars.contains(.number) {
            types.append("number")
        } else if traits.scalars.contains(.integer) {
            types.append("integer")
        }
        if traits.scalars.contains(.boolean) { types.append("boolean") }
        if traits.scalars.contains(.null) { types.append("null") }
        if !types.isEmpty {
            let type: Printed = types.count == 1 ? .string(types[0]) : .list(types.map { .string($0) })
            forms.append([("type", type)] + number)
        }
        return forms
    }

    /// What the text of a scalar must look like to be read as the type that is meant.
    private static func pattern(_ traits: Rule.Traits) -> String? {
        if let pattern = traits.pattern { return pattern.expression }
        switch traits.cast {
        case .integer: return "^[-+]?[0-9]+$"
        case .number: return "^[-+]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][-+]?[0-9]+)?$"
        case .boolean:
            return "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy]|[Yy][Ee][Ss]|[Nn]|[Nn][Oo]|[Oo][Nn]|[Oo][Ff][Ff])$"
        case .none: break
        }
        switch traits.meaning {
        case .bytes: return "^[+]?[0-9. ][-+0-9._eE ]*([bB]|[kKmMgGtTpP]([iI]?[bB])?)?$"
        case .duration: return "^[-+]?(0|([0-9.]+(ns|us|µs|μs|ms|s|m|h|d|w))+)$"
        default: return nil
        }
    }

    // MARK: mappings

    /// The name of the definition of a mapping with known keys, which is made where it is not there yet.
    private func definition(_ rule: Rule, _ fields: Rule.Fields, path: String) -> String {
        let signature =
            (fields.names + ["|"] + fields.required).joined(separator: " ")
            + " \(fields.allowsExtensions) \(fields.isOpen)"
        if let known = names[signature] { return known }
        let name = SchemaDescriptions.definitionNames[path] ?? path.split(separator: ".").last.map(String.init) ?? path
        precondition(!names.values.contains(name), "two definitions would be called \(name): \(path)")
        names[signature] = name
        definitions[name] = object(rule, fields, name: name)
        return name
    }

    private func object(_ rule: Rule, _ fields: Rule.Fields, name: String) -> Printed {
        let properties: [Member] = fields.names.map { key in
            let path = "\(name).\(key)"
            var members: [Member] = []
            if let text = SchemaDescriptions.texts[path] {
                used.insert(path)
                members.append(("description", .string(text)))
            } else {
                undescribed.append(path)
            }
            guard let field = fields[key] else { return (key, .map(members)) }
            return (key, .map(members + schema(field, path: path, home: name)))
        }
        var result: [Member] = [("type", .string("object")), ("properties", .map(properties))]
        if fields.allowsExtensions { result.append(("patternProperties", .map([("^x-", .bool(true))]))) }
        if !fields.isOpen { result.append(("additionalProperties", .bool(false))) }
        if !fields.required.isEmpty { result.append(("required", .list(fields.required.map { .string($0) }))) }
        return .map(result)
    }
}

/// A key of a schema with its value.
private typealias Member = (key: String, value: Printed)
