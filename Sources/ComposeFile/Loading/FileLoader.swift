/// Loads files into one canonical tree: for each document interpolation, `extends`, `include`, merging, checks
/// against the table and long forms.
final class FileLoader {
    /// What relative paths and variables of a set of files refer to.
    struct Context {
        /// Absolute.
        var directory: String
        var environment: [String: String]
        /// Files being included, outermost first.
        var chain: [String] = []
    }

    let reporter: Reporter
    let options: LoadOptions
    /// Files that services were extended from, by path.
    private var extendedFiles: [String: Mapping] = [:]
    private var parsed: [String: [Node]] = [:]
    /// Files read, in order, and what asked for each of them.
    private(set) var places: [(path: String, mark: Mark)] = []
    /// Every document read.
    var read: [Node] { parsed.sorted { $0.key < $1.key }.flatMap(\.value) }

    init(options: LoadOptions, reporter: Reporter) {
        self.options = options
        self.reporter = reporter
    }

    /// The documents of a file, read once.
    ///
    /// - Parameter reason: what in another file asks for this one.
    func documents(_ path: String, reason: Reporter.Note? = nil) throws(ComposeFileError) -> [Node] {
        if let known = parsed[path] { return known }
        let bytes: [UInt8]
        do throws(FileFailure) {
            let limit = reporter.budget.limits.fileBytes
            bytes =
                path == "-"
                ? try options.reader.readStandardInput(limit: limit) : try options.reader.read(path, limit: limit)
        } catch {
            throw reporter.fatal("open \(path): \(error.text)", code: error.isMissing ? .fileNotFound : .fileUnreadable)
        }
        let name = path == "-" ? "<stdin>" : reporter.sources.displayName(path)
        let documents = try DocumentComposer.documents(of: bytes, name: name, reporter: reporter, reason: reason)
        for document in documents where document.mapping == nil {
            throw reporter.fatal(
                "top-level object must be a mapping, not \(document.kindName)", at: document.mark,
                hint: "a Compose file begins with `services:`", code: .wrongType)
        }
        parsed[path] = documents
        places.append((path, reason?.mark ?? .none))
        return documents
    }

    /// Counts a tree that was made out of others.
    private func spend(_ tree: Node, atLeast least: Int = 0) throws(ComposeFileError) {
        let limit = reporter.budget.limits.madeNodes
        try reporter.spend(max(least, tree.count(upTo: limit)), of: .madeNodes, at: tree.mark)
    }

    /// Merges files in order and resolves their paths.
    ///
    /// - Parameter reason: the `include` that asks for the files.
    func load(
        _ files: [String], in context: Context, reason: Reporter.Note? = nil
    ) throws(ComposeFileError) -> Node {
        var model = Node(.mapping(Mapping()))
        for file in files {
            if Surroundings.isRemote(file) {
                throw reporter.fatal(
                    "\(file): remote Compose files are not supported yet", hint: "fetch it and name the local copy",
                    code: .remoteFile)
            }
            for document in try documents(file, reason: reason) {
                let isFirst = model.mapping?.isEmpty == true
                model = try add(document, of: file, to: model, context)
                // Each further document costs another pass over all that is there.
                if !isFirst { try spend(model) }
            }
        }
        // What a file was to include may be what it lacks.
        if context.chain.isEmpty, !reporter.hasErrors, model.mapping?.isEmpty != false { throw empty(files) }
        if reporter.hasErrors {
            // What can be said of the values besides: one run, all faults.
            reporter.beginStage()
            if !options.noInterpolate { _ = Typer(reporter: reporter).type(model) }
            try reporter.check()
        }
        model = Normaliser.fillDefaults(model, everyDevice: options.noInterpolate ? .string("all") : .int(-1))
        ModelChecks(reporter: reporter).check(model)
        try reporter.check()
        if !options.noPathResolution || !context.chain.isEmpty {
            let home = options.environment["HOME"]
            let base =
                options.noPathResolution
                ? Paths.relative(context.directory, to: options.workingDirectory) : context.directory
            model = PathResolver(base: base, home: home, reader: options.reader, reporter: reporter).resolve(model)
            try reporter.check()
        }
        return model
    }

    private func add(
        _ document: Node, of file: String, to model: Node, _ context: Context
    ) throws(ComposeFileError) -> Node {
        // Faults of interpolation are told together with those of the table.
        var document = interpolated(document, context)
        try applyExtends(&document, of: file, context)
        try applyInclude(&document, of: file, context)
        var merged = Merger(reporter: reporter).merge(model, with: document)
        merged = Unicity(reporter: reporter).enforce(merged)
        var validator = Validator(reporter: reporter)
        // Faults do not end the load here: what is well formed is looked at further.
        reporter.beginStage()
        validator.validate(merged)
        reporter.beginStage()
        if case .mapping(var top) = merged.value, top["version"] != nil {
            reporter.warn(
                "the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion",
                at: top.keyMark(of: "version") ?? .none, key: "version \(file)", code: .obsoleteVersion)
            top.remove("version")
            merged.value = .mapping(top)
        }
        if !context.chain.isEmpty { resolveEnvironment(&merged, context.environment) }
        var canonicaliser = Canonicaliser(reporter: reporter, isLenient: options.noInterpolate)
        canonicaliser.keepsPairs = options.noInterpolate
        merged = canonicaliser.canonicalise(merged)
        return Unicity(reporter: reporter).enforce(merged)
    }

    private func empty(_ files: [String]) -> ComposeFileError {
        let name = files.last.map { $0 == "-" ? "<stdin>" : reporter.sources.displayName($0) } ?? ""
        return reporter.fatal(
            "empty compose file", hint: "\(name) says nothing: a Compose file needs `services:`", code: .emptyFile)
    }

    private func interpolated(_ document: Node, _ context: Context) -> Node {
        if options.noInterpolate { return document }
        return Interpolator(environment: context.environment, reporter: reporter).interpolate(document)
    }

    // MARK: extends

    private func applyExtends(_ document: inout Node, of file: String, _ context: Context) throws(ComposeFileError) {
        guard case .mapping(var top) = document.value, let section = top["services"],
            case .mapping(var services) = section.value,
            services.contains(where: { $0.value["extends"] != nil })
        else { return }
        for name in services.map(\.key) {
            do throws(ComposeFileError) {
                _ = try resolve(name, in: &services, of: file, context, chain: [])
            } catch  where !reporter.isOverLimit {
                // Told already; without it the service can still be checked.
                guard let node = services[name], case .mapping(var service) = node.value else { continue }
                service.remove("extends")
                services.set(name, Node(.mapping(service), at: node.mark, directive: node.directive))
            }
        }
        top.set("services", Node(.mapping(services), at: section.mark, directive: section.directive))
        document.value = .mapping(top)
    }

    /// The service with everything it extends merged in; stored in `services` too.
    private func resolve(
        _ name: String, in services: inout Mapping, of file: String, _ context: Context,
        chain: [(file: String, service: String)]
    ) throws(ComposeFileError) -> Node? {
        guard let node = services[name], case .mapping(var service) = node.value,
            let extends = service["extends"], !extends.isNull
        else { return services[name] }
        var reference: String?
        var otherFile: String?
        if let short = extends.string {
            reference = short
        } else {
            reference = extends["service"]?.string
            otherFile = extends["file"]?.string
        }
        guard let reference else {
            throw reporter.fatal(
                "services.\(name).extends.service is required", at: extends.mark,
                hint: "name the service to extend: `service: NAME`", code: .missingAttribute)
        }
        if chain.contains(where: { $0.file == file && $0.service == name }) {
            throw circular(chain + [(file, name)], at: extends.mark)
        }
        let chain = chain + [(file, name)]
        guard chain.count <= reporter.budget.limits.extendsDepth else {
            throw reporter.fatal(
                "services extend one another more than \(reporter.budget.limits.extendsDepth) times in a row",
                at: extends.mark, code: .tooLarge)
        }
        var base: Node?
        if let otherFile {
            if Surroundings.isRemote(otherFile) {
                throw reporter.fatal(
                    "services.\(name).extends.file: remote files are not supported yet",
                    at: extends["file"]?.mark ?? extends.mark, hint: "fetch it and name the local copy",
                    code: .remoteFile)
            }
            let path = Paths.join(context.directory, Paths.expandingHome(otherFile, home: options.environment["HOME"]))
            var others = try extendedServices(
                path, context, at: extends["file"]?.mark ?? extends.mark, for: name)
            guard others[reference] != nil else {
                throw reporter.fatal(
                    "cannot extend service \"\(name)\" in \(file): service \"\(reference)\" not found in \(otherFile)",
                    at: extends["service"]?.mark ?? extends.mark, hint: Self.suggestion(reference, others),
                    code: .extendsNotFound)
            }
            if let other = others.first(where: { $0.value["extends"]?.isNull == true }) {
                throw reporter.fatal(
                    "services.\(other.key).extends must be a string or a mapping, not nothing", at: other.value.mark,
                    hint: "name the service to extend, or remove `extends`", code: .wrongType)
            }
            base = try resolve(reference, in: &others, of: path, context, chain: chain)
            extendedFiles[path] = others
        } else {
            guard services[reference] != nil else {
                throw reporter.fatal(
                    "cannot extend service \"\(name)\" in \(file): service \"\(reference)\" not found",
                    at: extends["service"]?.mark ?? extends.mark, hint: Self.suggestion(reference, services),
                    code: .extendsNotFound)
            }
            base = try resolve(reference, in: &services, of: file, context, chain: chain)
        }
        service.remove("extends")
        var result = Node(.mapping(service), at: node.mark, directive: node.directive)
        if let base, base.mapping != nil {
            // The directives act once more when the result meets what earlier files said.
            var merger = Merger(reporter: reporter)
            merger.keepsDirectives = true
            result = merger.mergeService(base, with: result, name: name)
            result.directive = node.directive
            try spend(result)
        }
        services.set(name, result)
        return result
    }

    private static func suggestion(_ name: String, _ services: Mapping) -> String? {
        Advice.spelling(name, among: services.map(\.key), kind: "services there")
    }

    private func circular(_ chain: [(file: String, service: String)], at mark: Mark) -> ComposeFileError {
        var lines = ["Circular reference:"]
        for (index, link) in chain.enumerated() {
            lines.append("  \(index == 0 ? "" : "extends ")\(link.service) in \(link.file)")
        }
        return reporter.fatal(
            lines.joined(separator: "\n"), at: mark, hint: "take one `extends` out of the circle", code: .extendsCycle)
    }

    /// The services of another file in long form, their paths resolved from its directory.
    private func extendedServices(
        _ path: String, _ context: Context, at mark: Mark, for name: String
    ) throws(ComposeFileError) -> Mapping {
        if let known = extendedFiles[path] { return known }
        if parsed[path] == nil, !options.reader.isFile(path) {
            throw reporter.fatal(
                "cannot extend service \"\(name)\": open \(path): no such file or directory", at: mark,
                hint: Advice.file(path, options.reader), code: .fileNotFound)
        }
        var model = Node(.mapping(Mapping()))
        for document in try documents(path, reason: .init(message: "extended from here", mark: mark)) {
            let document = interpolated(document, context)
            model = Merger(reporter: reporter).merge(model, with: document)
        }
        model = Unicity(reporter: reporter).enforce(model)
        model = Canonicaliser(reporter: reporter, isLenient: true).canonicalise(model)
        let directory = Paths.directory(of: path)
        let base = options.noPathResolution ? Paths.relative(directory, to: context.directory) : directory
        let home = options.environment["HOME"]
        model = PathResolver(base: base, home: home, reader: options.reader, reporter: reporter).resolve(model)
        guard let services = model["services"]?.mapping else {
            throw reporter.fatal(
                "cannot extend service \"\(name)\" in \(path): no services section", at: mark,
                hint: "the file needs `services:`", code: .extendsNotFound)
        }
        extendedFiles[path] = services
        return services
    }

    // MARK: include

    private func applyInclude(_ document: inout Node, of file: String, _ context: Context) throws(ComposeFileError) {
        guard case .mapping(var top) = document.value, let includes = top["include"] else { return }
        guard let entries = includes.isNull ? [] : includes.sequence else {
            throw reporter.fatal(
                "`include` must be a list, not \(includes.kindName)", at: includes.mark,
                hint: "write each file as a list item: `- path.yaml`", code: .wrongType)
        }
        for entry in entries {
            let imported: Node
            do throws(ComposeFileError) {
                imported = try included(entry, by: file, context)
            } catch  where !reporter.isOverLimit {
                // Told already; the rest of the file can still be checked.
                continue
            }
            for section in ["services", "volumes", "networks", "secrets", "configs", "models"] {
                guard let source = imported[section]?.mapping else { continue }
                var target = top[section]?.mapping ?? Mapping()
                for item in source {
                    if let existing = target[item.key] {
                        if existing.isSame(as: item.value) { continue }
                        throw reporter.fatal(
                            "\(section).\(item.key) conflicts with imported resource",
                            at: target.keyMark(of: item.key) ?? entry.mark,
                            hint:
                                "change an included resource in a file of its own: a further -f, or a list in include.path",
                            code: .includeConflict,
                            notes: [.init(message: "the included one is here", mark: item.keyMark)])
                    }
                    target.set(item.key, item.value, keyMark: item.keyMark)
                }
                top.set(section, Node(.mapping(target), at: top[section]?.mark ?? includes.mark))
            }
        }
        top.remove("include")
        document.value = .mapping(top)
    }

    private func included(_ entry: Node, by file: String, _ context: Context) throws(ComposeFileError) -> Node {
        let pathNode = entry.string != nil ? entry : entry["path"]
        let paths = pathNode.flatMap(Forms.list)?.compactMap(\.string) ?? []
        // Nothing to include is no fault.
        if paths.isEmpty, entry.isNull || entry.mapping != nil { return Node(.mapping(Mapping())) }
        guard !paths.isEmpty else {
            throw reporter.fatal(
                "include: a path is wanted", at: entry.mark, hint: "name the file, or give a mapping with `path:`",
                code: .missingAttribute)
        }
        if let remote = paths.first(where: Surroundings.isRemote) {
            throw reporter.fatal(
                "include \(remote): remote files are not supported yet", at: entry.mark,
                hint: "fetch it and name the local copy", code: .remoteFile)
        }
        let home = options.environment["HOME"]
        let files = paths.map { Paths.join(context.directory, Paths.expandingHome($0, home: home)) }
        for path in files where parsed[path] == nil && !options.reader.isFile(path) {
            throw reporter.fatal(
                "include \(path): no such file or directory", at: pathNode?.mark ?? entry.mark,
                hint: Advice.file(path, options.reader), code: .fileNotFound)
        }
        let chain = context.chain + [file]
        if let main = files.first, chain.contains(main) {
            let names = (chain + [main]).joined(separator: "\n include ")
            throw reporter.fatal(
                "include cycle detected:\n\(names)", at: entry.mark, hint: "take one `include` out of the circle",
                code: .includeCycle)
        }
        guard chain.count <= reporter.budget.limits.includeDepth else {
            throw reporter.fatal(
                "files include one another more than \(reporter.budget.limits.includeDepth) times in a row",
                at: entry.mark, code: .tooLarge)
        }
        var inner = Context(directory: Paths.directory(of: files[0]), environment: context.environment, chain: chain)
        if let directory = entry["project_directory"]?.string {
            let path = Paths.join(context.directory, directory)
            inner.directory = options.reader.isDirectory(path) ? path : Paths.directory(of: path)
        }
        var envFiles =
            entry["env_file"].flatMap(Forms.list)?.compactMap(\.string).map { Paths.join(context.directory, $0) }
            ?? []
        if envFiles.isEmpty {
            let standard = Paths.join(inner.directory, ".env")
            if options.reader.isFile(standard) { envFiles = [standard] }
        }
        let values = try EnvFiles.read(
            envFiles, reader: options.reader, environment: context.environment, reporter: reporter)
        inner.environment.merge(values) { ours, _ in ours }
        let model = try load(files, in: inner, reason: .init(message: "included from here", mark: entry.mark))
        try spend(model, atLeast: 1000)
        return model
    }

    /// Variables that an included service passes through in a list are those of its own environment; those in a
    /// mapping are taken from the project's, later.
    private func resolveEnvironment(_ model: inout Node, _ environment: [String: String]) {
        guard case .mapping(var top) = model.value, case .mapping(var services)? = top["services"]?.value else {
            return
        }
        services.mapValues { _, node in
            guard case .mapping(var service) = node.value, let variables = service["environment"],
                case .sequence(let items) = variables.value
            else { return }
            let resolved = items.map { item -> Node in
                guard let name = item.string, !name.utf8.contains(UInt8(ascii: "=")), let value = environment[name]
                else { return item }
                return Node(.string("\(name)=\(value)"), at: item.mark)
            }
            service.set("environment", Node(.sequence(resolved), at: variables.mark))
            node.value = .mapping(service)
        }
        top.set("services", Node(.mapping(services), at: top["services"]?.mark ?? .none))
        model.value = .mapping(top)
    }
}
