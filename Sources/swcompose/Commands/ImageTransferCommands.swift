internal import ArgumentParser
internal import Images
internal import LinuxSystem
internal import OCI
internal import Rendering

struct ImagePull: Command {
    static let about = CommandConfiguration(
        commandName: "pull", abstract: "Download an image from a registry",
        usage: "swcompose image pull [OPTIONS] NAME[:TAG|@DIGEST]")

    @Option(parsing: .unconditional, help: "Set platform if the image is for several")
    var platform: String?
    @Flag(name: .shortAndLong, help: "Suppress verbose output")
    var quiet = false
    @Argument var name: String

    func run(_ flags: GlobalFlags) async throws {
        let session = try Session(flags)
        let display = quiet ? ProgressDisplay(mode: .quiet) : session.display("Pulling")
        defer { display.close() }
        let pulled = try await ImageTransfer.run(
            environment: session.environment, paths: session.paths, display: display
        ) { try await $0.pull(name, platform: platform) }
        display.close()
        let reference = try ImageReference(name)
        let lines =
            quiet
            ? [reference.description]
            : [
                "Digest: \(pulled.digest)",
                "Status: \(pulled.isUpToDate ? "Image is up to date" : "Downloaded newer image") for "
                    + reference.familiar, reference.description,
            ]
        ImageCommand.print(lines)
    }
}

struct ImagePush: Command {
    static let about = CommandConfiguration(
        commandName: "push", abstract: "Upload an image to a registry",
        usage: "swcompose image push [OPTIONS] NAME[:TAG]")

    @Flag(name: .shortAndLong, help: "Suppress verbose output")
    var quiet = false
    @Argument var name: String

    func run(_ flags: GlobalFlags) async throws {
        let session = try Session(flags)
        let display = quiet ? ProgressDisplay(mode: .quiet) : session.display("Pushing")
        defer { display.close() }
        let digest = try await ImageTransfer.run(
            environment: session.environment, paths: session.paths, display: display
        ) { try await $0.push(name) }
        display.close()
        let reference = try ImageReference(name)
        ImageCommand.print(quiet ? [reference.description] : ["\(reference.tag ?? ""): digest: \(digest)"])
    }
}

struct ImageTag: Command {
    static let about = CommandConfiguration(
        commandName: "tag", abstract: "Create a name for an image", usage: "swcompose image tag SOURCE NAME[:TAG]")

    @Argument var source: String
    @Argument var name: String

    func run(_ flags: GlobalFlags) throws {
        try ImageStore(paths: .standard()).tag(source, as: ImageReference(name))
    }
}
