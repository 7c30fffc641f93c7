internal import ArgumentParser
internal import ComposeFile
internal import Orchestration
internal import Rendering

struct PushCommand: Command {
    static let about = CommandConfiguration(
        commandName: "push", abstract: "Push service images", usage: "swcompose push [OPTIONS] [SERVICE...]")

    @Flag(help: "Push what it can and ignores images with push failures")
    var ignorePushFailures = false
    @Flag(help: "Also push images of services declared as dependencies")
    var includeDeps = false
    @Flag(name: .shortAndLong, help: "Push without printing progress information")
    var quiet = false
    @Argument var services: [String] = []

    func run(_ flags: GlobalFlags) async throws {
        let session = try Session(flags)
        let (project, selected) = try ProjectTarget.load(session, services: services)
        let names =
            selected.isEmpty || includeDeps
            ? ServiceSelection.withDependencies(selected, in: project) : Set(selected)
        let display = quiet ? ProgressDisplay(mode: .quiet) : session.display("Pushing")
        defer { display.close() }
        let failures = try await ImageTransfer.run(
            environment: session.environment, paths: session.paths, display: display
        ) { transfer in
            await withTaskGroup(of: String?.self) { group in
                var seen: Set<String> = []
                for name in names.sorted() {
                    guard let service = project.services[name] else { continue }
                    // Who does not build an image has nothing to say about it.
                    guard let image = service.image, service.hasBuild else {
                        transfer.skip(service.image ?? name, why: "it is not built here")
                        continue
                    }
                    guard seen.insert(image).inserted else { continue }
                    group.addTask {
                        do {
                            try await transfer.push(image)
                            return nil
                        } catch { return "\(image): \(error)" }
                    }
                }
                return await group.reduce(into: [String]()) { if let failure = $1 { $0.append(failure) } }
            }
        }
        display.close()
        if ignorePushFailures {
            for text in failures.sorted() { Report.warning(text) }
        } else if !failures.isEmpty {
            throw Failure(failures.sorted().joined(separator: "\n"))
        }
    }
}
