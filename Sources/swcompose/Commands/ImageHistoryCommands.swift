internal import ArgumentParser
internal import Images
internal import LinuxSystem
internal import LocalEngine
internal import OCI
internal import Orchestration
internal import Rendering

struct ImageHistory: Command {
    static let about = CommandConfiguration(
        commandName: "history", abstract: "Show the history of an image",
        usage: "swcompose image history [OPTIONS] IMAGE")

    @Flag(help: "Don't truncate output")
    var noTrunc = false
    @Flag(name: .shortAndLong, help: "Only show image IDs")
    var quiet = false
    @Argument var image: String

    func run(_ flags: GlobalFlags) throws {
        guard let image = try ImageStore(paths: .standard()).resolve(image) else {
            throw Failure("No such image: \(image)")
        }
        // Only the last step's result is an image that is here.
        let steps = Array((image.config.history ?? []).reversed())
        let ids = steps.indices.map { $0 == 0 ? (noTrunc ? image.id : image.shortID) : "<missing>" }
        if quiet { return ImageCommand.print(ids) }
        var table = TextTable(header: ["IMAGE", "CREATED", "CREATED BY", "COMMENT"])
        for (id, step) in zip(ids, steps) {
            let text = (step.createdBy ?? "").split(whereSeparator: \.isWhitespace).joined(separator: " ")
            let command = noTrunc || text.count <= 45 ? text : "\(text.prefix(44))…"
            table.add([id, step.created.map { String($0.prefix(19)) } ?? "", command, step.comment ?? ""])
        }
        let output = OutputBuffer(1)
        output.write(table.text)
        output.flush()
    }
}

struct ImagePrune: Command {
    static let about = CommandConfiguration(
        commandName: "prune", abstract: "Remove unused images", usage: "swcompose image prune [OPTIONS]")

    @Flag(name: .shortAndLong, help: "Remove all unused images, not just those without a name")
    var all = false
    @Flag(name: .shortAndLong, help: "Do not prompt for confirmation")
    var force = false

    func run(_ flags: GlobalFlags) throws {
        let output = OutputBuffer(1)
        if !force {
            let which = all ? "images that no container uses" : "images without a name that no container uses"
            output.write("WARNING! This will remove all \(which).\nAre you sure you want to continue? [y/N] ")
            output.flush()
            guard ["y", "yes"].contains((readLine() ?? "").lowercased()) else { return }
        }
        let paths = HostPaths.standard()
        let store = ImageStore(paths: paths)
        let used = Set(try ContainerStore(paths: paths).projects().flatMap { $0.containers.map(\.spec.imageID) })
        for image in try store.list() where (all || image.tags.isEmpty) && !used.contains(image.id) {
            let removals = try store.remove(image.id, force: true) { used.contains($0) }
            for line in removals { output.write("\(line)\n") }
        }
        for line in try store.collectGarbage() { output.write("\(line)\n") }
        output.flush()
    }
}
