/// The canonical tree of a project: what `config` prints.
public struct ConfigDocument: Sendable {
    /// The project's name.
    public let name: String
    private let tree: Node
    /// False where the text was not interpolated, so that nothing could be given its type.
    private let isTyped: Bool
    /// Names of the files that the tree's marks refer to.
    private let files: [String]

    /// - Parameter name: nil where the text was left as it is and has none.
    init(name: String?, tree: Node, isTyped: Bool, files: [String] = []) {
        self.files = files
        self.name = name ?? ""
        self.isTyped = isTyped
        if case .mapping(var top) = tree.value {
            if let name { top.set("name", Node(.string(name))) }
            if isTyped, top["services"] == nil { top.set("services", Node(.mapping(Mapping()))) }
            self.tree = Node(.mapping(top))
        } else {
            self.tree = tree
        }
    }

    /// YAML, with a newline at the end.
    public func yaml() -> String {
        let printed = Printer(format: .yaml, isTyped: isTyped).project(tree)
        return escaped(YAMLWriter.write(printed))
    }

    /// Indented JSON, without a newline at the end.
    ///
    /// - Throws: ``ComposeFileError`` for a number that JSON cannot hold: infinity, or none at all.
    public func json() throws(ComposeFileError) -> String {
        let printed = Printer(format: .json, isTyped: isTyped).project(tree)
        if let number = printed.unrepresentable {
            throw ComposeFileError("JSON has no number \(NumberFormat.general(number)): use --format yaml")
        }
        return escaped(JSONWriter.write(printed, indented: true))
    }

    /// `$` becomes `$$`, in keys too, so that the output can be read as a Compose file again.
    private func escaped(_ text: String) -> String {
        guard isTyped, text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 64)
        for byte in text.utf8 {
            bytes.append(byte)
            if byte == UInt8(ascii: "$") { bytes.append(byte) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// As ``yaml()``, each value with a comment that names the place in the files that set it.
    public func yamlWithOrigins() -> String {
        OriginWriter(files: files, escape: escaped).yaml(
            Printer(format: .yaml, isTyped: isTyped).project(tree), of: tree)
    }

    /// A JSON object with an entry for each field that a file set: its path, as `services.web.ports[0].target`, with
    /// `file`, `line` and `column`. Keys that hold other characters than letters, digits, `_` and `-` are written as
    /// `labels["com.example.a"]`. No newline at the end.
    public func originsJSON() -> String {
        let printed = Printer(format: .yaml, isTyped: isTyped).project(tree)
        return JSONWriter.write(OriginWriter(files: files).places(printed, of: tree), indented: true)
    }

    /// The part of the document that the named services and all they depend on make up.
    ///
    /// - Throws: ``ComposeFileError`` naming a service that does not exist.
    public func selecting(_ names: [String]) throws(ComposeFileError) -> ConfigDocument {
        let services = tree["services"]?.mapping ?? Mapping()
        var wanted: Set<String> = []
        var pending = names
        while let name = pending.popLast() {
            guard let service = services[name] else {
                throw ComposeFileError(
                    "no such service: \(name)",
                    hint: Advice.spelling(name, among: services.map(\.key), kind: "services"),
                    code: .undefinedService)
            }
            guard wanted.insert(name).inserted else { continue }
            pending += (service["depends_on"]?.mapping ?? Mapping()).map(\.key).filter { services[$0] != nil }
        }
        var selection = Selection(
            tree: tree, options: LoadOptions(environment: [:], workingDirectory: "/").allProfiles, environment: [:])
        selection.services.removeAll { !wanted.contains($0.key) }
        selection.dropMissingDependencies()
        selection.dropUnusedResources()
        return ConfigDocument(name: name, tree: selection.tree, isTyped: isTyped, files: files)
    }

    /// Keys of a section, sorted.
    public func names(of section: Section) -> [String] {
        (tree[section.rawValue]?.mapping ?? Mapping()).map(\.key).sorted()
    }

    public enum Section: String, Sendable { case services, volumes, networks, secrets, configs, models }

    /// The models that `models` names, sorted.
    public func modelReferences() -> [String] {
        (tree["models"]?.mapping ?? Mapping()).compactMap { $0.value["model"]?.string }.sorted()
    }

    /// The profiles that any service of the document has, sorted and each once.
    public func profiles() -> [String] {
        let all = (tree["services"]?.mapping ?? Mapping()).flatMap {
            $0.value["profiles"]?.sequence?.compactMap(\.string) ?? []
        }
        return Set(all).sorted()
    }

    /// The images of all services, sorted and each once; services that are built have the name that they would get,
    /// the project's and their own joined by `separator`.
    public func images(separator: String = "-") -> [String] {
        var result: Set<String> = []
        for entry in tree["services"]?.mapping ?? Mapping() {
            if let image = entry.value["image"]?.string, !image.isEmpty {
                result.insert(image)
            } else if entry.value["build"] != nil {
                result.insert("\(name)\(separator)\(entry.key)")
            }
        }
        return result.sorted()
    }
}

extension LoadOptions {
    fileprivate var allProfiles: LoadOptions {
        var options = self
        options.profiles = ["*"]
        return options
    }
}
