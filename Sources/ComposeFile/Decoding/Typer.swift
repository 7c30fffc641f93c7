/// Gives every scalar of a canonical tree the type its attribute means: sizes become bytes, durations
/// nanoseconds, command lines words, numbers where text is meant text.
struct Typer {
    let reporter: Reporter

    func type(_ root: Node) -> Node {
        var root = root
        walk(&root, Schema.project, path: "", key: "")
        return root
    }

    private func walk(_ node: inout Node, _ rule: Rule, path: String, key: String) {
        switch node.value {
        case .mapping(var mapping):
            mapping.mapValues { key, value in
                guard let member = rule.member(key) else { return }
                walk(&value, member, path: path.isEmpty ? key : "\(path).\(key)", key: key)
            }
            node.value = .mapping(mapping)
        case .sequence(var items):
            guard let item = rule.item else { return }
            for index in items.indices { walk(&items[index], item, path: path, key: key) }
            if case .hosts = rule.traits.merge { checkHosts(items, path: path) }
            node.value = .sequence(items)
        case .null:
            if rule.traits.nullIsEmpty { node.value = .mapping(Mapping()) }
            if rule.traits.nullIsText { node.value = .string("") }
        default: scalar(&node, rule, path: path, key: key)
        }
    }

    private func scalar(_ node: inout Node, _ rule: Rule, path: String, key: String) {
        switch rule.traits.meaning {
        case .verbatim:
            guard rule.item != nil, let text = node.scalarText else { return }
            words(&node, text, key: key, path: path)
        case .text:
            if rule.traits.wantsWhole, case .float = node.value {
                return reporter.error(
                    "\(path) must be a whole number or a string", at: node.mark,
                    hint: node.scalarText.map { "quote it: \"\($0)\"" })
            }
            if let text = node.scalarText { node.value = .string(text) }
        case .flag:
            if case .success(let flag) = Cast.boolean.apply(to: node.scalarText ?? "") { node.value = flag }
        case .integer:
            if rule.traits.wantsWhole, case .float = node.value {
                reporter.error("\(path) must be a whole number", at: node.mark)
            } else if key == "mode", node.string != nil {
                reporter.error(
                    "\(path) must be a number, not a string", at: node.mark,
                    hint: "write it without quotes, in octal: 0o755", code: .wrongType)
            } else {
                integer(&node, path: path)
            }
        case .number:
            switch node.value {
            case .int(let number): node.value = .float(Double(number))
            case .string(let text):
                guard ScalarResolver.isFloat(Array(text.utf8)), let number = Double(text) else {
                    return reporter.error(
                        "\(path): invalid number \"\(text)\"", at: node.mark,
                        hint: "write a number without a unit, such as 0.5", code: .invalidNumber)
                }
                node.value = .float(number)
            default: break
            }
        case .bytes:
            // Of a number, the reference takes whole ones only: others read as nothing asked for.
            switch node.value {
            case .float, .unsigned: node.value = .int(0)
            default: break
            }
            guard case .string(let text) = node.value else { return }
            do throws(ByteSize.Failure) {
                node.value = .int(try ByteSize.parse(text))
            } catch {
                reporter.error(
                    "\(path): \(error.text)", at: node.mark, hint: Advice.size(text), code: .invalidSize)
            }
        case .duration:
            guard case .string(let text) = node.value else { return }
            do throws(DurationText.Failure) {
                node.value = .int(try DurationText.parse(text))
            } catch {
                reporter.error(
                    "\(path): \(error.text)", at: node.mark, hint: Advice.duration(text), code: .invalidDuration)
            }
        case .fileMode:
            switch node.value {
            case .string(let text):
                guard let mode = Int64(text, radix: 8) else {
                    return reporter.error(
                        "\(path): invalid mode \"\(text)\"", at: node.mark, hint: "an octal number is wanted: 0440",
                        code: .invalidNumber)
                }
                node.value = .int(mode)
            case .float: reporter.error("\(path): a mode is a whole number", at: node.mark, hint: "write it as 0440")
            default: break
            }
        }
    }

    private func checkHosts(_ items: [Node], path: String) {
        for item in items {
            guard let text = item.string else { continue }
            if text.hasPrefix("=") || text.hasPrefix(":") {
                reporter.error("\(path): bad host name '' in \(text)", at: item.mark, hint: "write host=address")
            }
            if text.contains("=") || text.contains(":") { continue }
            reporter.error(
                "\(path): invalid additional host, missing IP: \(text)", at: item.mark, hint: "write host=address",
                code: .invalidAddress)
        }
    }

    private func integer(_ node: inout Node, path: String) {
        switch node.value {
        case .float(let number) where number.magnitude < 9e18: node.value = .int(Int64(number))
        case .string(let text):
            guard let number = Int64(text) else {
                return reporter.error(
                    "\(path): invalid integer \"\(text)\"", at: node.mark, hint: "a whole number is wanted, such as 3",
                    code: .invalidNumber)
            }
            node.value = .int(number)
        case .unsigned, .float: reporter.error("\(path): the number is too large", at: node.mark, code: .invalidNumber)
        default: break
        }
    }

    /// A single string where a list is the long form.
    private func words(_ node: inout Node, _ text: String, key: String, path: String) {
        func list(_ words: [String]) -> Node.Value { .sequence(words.map { Node(.string($0), at: node.mark) }) }
        switch key {
        case "command", "entrypoint":
            do throws(ShellWords.Failure) {
                let words = try ShellWords.split(text)
                if let problem = reporter.budget.take(words.count, of: .madeNodes) {
                    return reporter.error(problem, at: node.mark, code: .tooLarge)
                }
                node.value = list(words)
            } catch {
                reporter.error(
                    "\(path): invalid command line string", at: node.mark,
                    hint: "a quote is not closed, or a parenthesis not quoted; the list form needs no quoting",
                    code: .invalidCommand)
            }
        case "test": node.value = list(["CMD-SHELL", text])
        default: node.value = list([text])
        }
    }
}
