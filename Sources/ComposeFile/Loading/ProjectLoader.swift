/// Turns Compose files into a ``Project``.
public enum ProjectLoader {
    /// Loads, merges, checks and normalises the files that the options name or that are found.
    ///
    /// - Throws: ``ComposeFileError`` with every error that was found, each at its place.
    public static func load(_ options: LoadOptions) throws(ComposeFileError) -> LoadedProject {
        try load(options, record: nil)
    }

    /// - Parameter record: is given what the linter looks at besides the result.
    static func load(_ options: LoadOptions, record: LoadRecord?) throws(ComposeFileError) -> LoadedProject {
        let reporter = Reporter(directory: options.workingDirectory)
        record?.reporter = reporter
        var surroundings = try Surroundings(options, reporter: reporter)
        guard !surroundings.files.isEmpty else {
            throw reporter.fatal(
                "no configuration file provided: not found",
                hint: "looked for \(Surroundings.baseNames.joined(separator: ", ")) here and in the directories above",
                code: .noFile)
        }
        let loader = FileLoader(options: options, reporter: reporter)
        let name = try self.name(options, surroundings, loader, reporter)
        surroundings.environment["COMPOSE_PROJECT_NAME"] = name
        var tree = try loader.load(
            surroundings.files,
            in: .init(directory: surroundings.projectDirectory, environment: surroundings.environment))
        if !options.noInterpolate { tree = Typer(reporter: reporter).type(tree) }
        // A value at fault does not keep the references between services from being checked.
        reporter.beginStage()
        record?.tree = tree
        record?.surroundings = surroundings
        record?.loader = loader
        let normaliser = Normaliser(
            projectName: name, environment: surroundings.environment, reporter: reporter,
            unitesReplicas: !options.noConsistency)
        if !options.noNormalize { tree = normaliser.normalise(tree) }

        var selection = Selection(tree: tree, options: options, environment: surroundings.environment)
        selection.warnUnknownProfiles(options, surroundings.environment, reporter)
        if !options.noConsistency && !options.noInterpolate {
            Consistency(reporter: reporter, selection: selection).check(isNormalised: !options.noNormalize)
        }
        try reporter.check()
        let count = selection.services.count
        selection.enable(options.services)
        if selection.services.count != count, !options.noConsistency && !options.noInterpolate {
            Consistency(reporter: reporter, selection: selection).check(isNormalised: !options.noNormalize)
            try reporter.check()
        }
        if !options.noInterpolate {
            try ServiceFiles(reporter: reporter, environment: surroundings.environment, reader: options.reader)
                .resolve(&selection, keepsEnvFiles: options.noEnvResolution)
        }
        if !options.allResources && !options.noInterpolate { selection.dropUnusedResources() }
        let decoder = ProjectDecoder(
            name: name, directory: surroundings.projectDirectory, files: surroundings.files,
            environment: surroundings.environment, reporter: reporter)
        let project = options.noInterpolate ? Project() : decoder.decode(selection)
        try reporter.check()
        let document = ConfigDocument(
            name: options.noNormalize && options.noInterpolate ? nil : name,
            tree: options.noEnvResolution || options.noInterpolate
                ? selection.tree : selection.treeWithoutServiceFiles,
            isTyped: !options.noInterpolate, files: reporter.sources.sources.map(\.name))
        return LoadedProject(
            project: project, warnings: reporter.warnings, document: document,
            environment: surroundings.environment, documents: loader.read)
    }

    /// The project's name alone: for commands that do without a file.
    public static func projectName(_ options: LoadOptions) throws(ComposeFileError) -> String {
        let reporter = Reporter(directory: options.workingDirectory)
        let surroundings = try Surroundings(options, reporter: reporter)
        let name = try name(options, surroundings, FileLoader(options: options, reporter: reporter), reporter)
        try reporter.check()
        return name
    }

    private static func name(
        _ options: LoadOptions, _ surroundings: Surroundings, _ loader: FileLoader, _ reporter: Reporter
    ) throws(ComposeFileError) -> String {
        var documents: [Node] = []
        for file in surroundings.files where !Surroundings.isRemote(file) {
            documents += try loader.documents(file)
        }
        return try ProjectName.resolve(options, surroundings, documents: documents, reporter: reporter)
    }
}
