internal import ArgumentParser
internal import ComposeFile
internal import Images
internal import OCI
internal import Orchestration
internal import Rendering

struct PullCommand: Command {
    static let about = CommandConfiguration(
        commandName: "pull", abstract: "Pull service images", usage: "swcompose pull [OPTIONS] [SERVICE...]")

    @Flag(help: "Ignore images that can be built")
    var ignoreBuildable = false
    @Flag(help: "Pull what it can and ignores images with pull failures")
    var ignorePullFailures = false
    @Flag(help: "Also pull services declared as dependencies")
    var includeDeps = false
    @Option(parsing: .unconditional, help: "Apply pull policy (\"missing\"|\"always\")")
    var policy: String?
    @Flag(name: .shortAndLong, help: "Pull without printing progress information")
    var quiet = false
    @Flag(name: .customLong("parallel"), help: .hidden)
    var isParallel = false
    @Flag(name: .customLong("no-parallel"), help: .hidden)
    var isNotParallel = false
    @Argument var services: [String] = []

    func validate() throws {
        if let policy, policy != "missing", policy != "always" {
            throw ValidationError("invalid --policy option \"\(policy)\" (known: missing, always)")
        }
    }

    private enum Decision {
        case pull(String)
        case skip(String)
    }

    func run(_ flags: GlobalFlags) async throws {
        let session = try Session(flags)
        if isParallel { Report.note("flag --parallel is deprecated: images are always pulled in parallel") }
        if isNotParallel { Report.note("flag --no-parallel is deprecated: images are always pulled in parallel") }
        let (project, selected) = try ProjectTarget.load(session, services: services)
        let names =
            selected.isEmpty || includeDeps
            ? ServiceSelection.withDependencies(selected, in: project) : Set(selected)
        let chosen = names.sorted().compactMap { project.services[$0] }

        let display = quiet ? ProgressDisplay(mode: .quiet) : session.display("Pulling")
        defer { display.close() }
        let failures = try await ImageTransfer.run(
            environment: session.environment, paths: session.paths, display: display
        ) { transfer in
            var pulled: [String: String] = [:]
            return try await withThrowingTaskGroup(of: (Service, String)?.self) { group in
                for service in chosen {
                    switch try decision(service, transfer.store, &pulled) {
                    case .skip(let why): transfer.skip(service.image ?? service.name, why: why)
                    case .pull(let image):
                        group.addTask {
                            do {
                                try await transfer.pull(image, platform: service.platform)
                                return nil
                            } catch { return (service, String(describing: error)) }
                        }
                    }
                }
                return try await group.reduce(into: [(Service, String)]()) {
                    if let failure = $1 { $0.append(failure) }
                }
            }
        }
        display.close()
        try report(failures.sorted { $0.0.name < $1.0.name })
    }

    private func decision(
        _ service: Service, _ store: ImageStore, _ pulled: inout [String: String]
    ) throws -> Decision {
        guard let image = service.image else { return .skip("No image to be pulled") }
        if ignoreBuildable, service.hasBuild { return .skip("Image can be built") }
        switch (policy ?? service.pullPolicy).flatMap(PullPolicy.init) {
        case .never, .build: return .skip("pull_policy is \(service.pullPolicy ?? "")")
        case .missing:
            // A tag that means another image every week is asked for all the same.
            if try ImageReference(image).tag != "latest", try store.resolve(image) != nil {
                return .skip("Image is already present locally")
            }
        case .always, .refresh, nil: break
        }
        let key = "\(image) \(service.platform ?? "")"
        if let other = pulled[key] { return .skip("Image is already being pulled by \(other)") }
        pulled[key] = service.name
        return .pull(image)
    }

    private func report(_ failures: [(service: Service, reason: String)]) throws {
        let buildable = failures.filter(\.service.hasBuild)
        if !buildable.isEmpty {
            Report.warning(
                "some service images must be built from source, which is not done yet: "
                    + buildable.map(\.service.name).joined(separator: " "))
        }
        let fatal = failures.filter { !$0.service.hasBuild }.map { "\($0.service.image ?? ""): \($0.reason)" }
        if ignorePullFailures {
            for text in fatal { Report.warning(text) }
        } else if !fatal.isEmpty {
            throw Failure(fatal.joined(separator: "\n"))
        }
    }
}
