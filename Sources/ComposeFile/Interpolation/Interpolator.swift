/// Substitutes variables in every string of a document and gives the results the types that their attributes want.
struct Interpolator {
    let environment: [String: String]
    let reporter: Reporter

    /// Keys are left as they are. Faults are reported, all of them, and leave the text unchanged.
    func interpolate(_ root: Node) -> Node {
        var root = root
        var path: [String] = []
        walk(&root, rule: Schema.project, path: &path)
        return root
    }

    private func walk(_ node: inout Node, rule: Rule?, path: inout [String]) {
        // Of a value that is taken away, only the place matters.
        if node.directive == .reset { return }
        switch node.value {
        case .string(let text):
            guard let value = substitute(text, at: node.mark, path: path) else { return }
            if value != text { reporter.note(.init(mark: node.mark, template: text, value: value)) }
            guard let cast = rule?.cast, cast != .none else {
                if value != text { node.value = .string(value) }
                return
            }
            switch cast.apply(to: value) {
            case .success(let typed): node.value = typed
            case .failure(let failure):
                reporter.error(
                    "error while interpolating \(Self.name(path)): failed to cast to expected type: \(failure.text)",
                    at: node.mark, hint: failure.hint, code: .wrongType)
            }
        case .sequence(var items):
            let itemRule = rule?.item
            for index in items.indices {
                path.append("[]")
                walk(&items[index], rule: itemRule, path: &path)
                path.removeLast()
            }
            node.value = .sequence(items)
        case .mapping(var mapping):
            mapping.mapValues { key, value in
                path.append(key)
                walk(&value, rule: rule?.member(key), path: &path)
                path.removeLast()
            }
            node.value = .mapping(mapping)
        case .null, .bool, .int, .unsigned, .float, .timestamp: return
        }
    }

    /// nil where the text is at fault.
    func substitute(_ text: String, at mark: Mark, path: [String]) -> String? {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        let template = Template(
            limit: reporter.budget.substitutable, lookup: { environment[$0] },
            unset: { name, dollar in
                reporter.warnUnset(name, at: reporter.sources.dollar(dollar, after: mark), environment)
            })
        do throws(Template.Failure) {
            let result = try template.substitute(text)
            // A variable costs time and room even where it adds nothing.
            let cost = result.utf8.count + 32 * text.utf8.count { $0 == UInt8(ascii: "$") }
            if let problem = reporter.budget.take(cost, of: .substitutedBytes) {
                reporter.error(problem, at: mark, code: .tooLarge)
                return nil
            }
            return result
        } catch {
            let place = reporter.sources.dollar(error.dollar, after: mark)
            switch error.reason {
            case .invalidFormat:
                reporter.error(
                    "invalid interpolation format for \(Self.name(path)): \"\(Self.line(of: text, dollar: error.dollar))\"",
                    at: place, hint: Self.advice(text, dollar: error.dollar), code: .invalidInterpolation,
                    end: reporter.sources.variableEnd(place), value: mark)
            case .tooLong:
                let problem = reporter.budget.take(.max >> 1, of: .substitutedBytes)
                reporter.error(problem ?? "too long", at: place, code: .tooLarge)
            case .tooDeep:
                reporter.error(
                    "\(Self.name(path)): variables are nested too deeply", at: place, hint: "256 levels are allowed",
                    code: .invalidInterpolation)
            case .missing(let variable, let message):
                reporter.error(
                    "error while interpolating \(Self.name(path)): required variable \(variable) is missing a value"
                        + (message.isEmpty ? "" : ": \(message)"), at: place,
                    hint: reporter.advice(forUnset: variable, environment), code: .missingVariable,
                    end: reporter.sources.variableEnd(place), value: mark)
            }
            return nil
        }
    }

    /// The line of the text that holds a `$`.
    private static func line(of text: String, dollar: Int) -> Substring {
        var remaining = dollar
        for line in text.split(separator: "\n") {
            let count = line.utf8.count { $0 == UInt8(ascii: "$") }
            if remaining < count { return line }
            remaining -= count
        }
        return text[...]
    }

    private static func advice(_ text: String, dollar: Int) -> String {
        let body = line(of: text, dollar: dollar)
        if body.contains("${"), !body.contains("}") { return "close it with `}`, or write $$ for a literal $" }
        return "write $$ for a literal $; a variable is ${NAME}, ${NAME:-default} or ${NAME:?message}"
    }

    private static func name(_ path: [String]) -> String {
        path.joined(separator: ".")
    }
}
