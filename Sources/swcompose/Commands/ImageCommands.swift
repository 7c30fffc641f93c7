internal import ArgumentParser
import FoundationEssentials
internal import Images
internal import LinuxSystem
internal import LocalEngine
internal import Orchestration
internal import Rendering

/// The local store of images, which Docker Compose leaves to `docker image`.
struct ImageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Manage the images in the local store",
        usage: "swcompose image COMMAND",
        subcommands: [
            ImageImport.self, ImageLoad.self, ImageLs.self, ImageRm.self, ImageInspect.self, ImagePull.self,
            ImagePush.self, ImageTag.self, ImageHistory.self, ImagePrune.self,
        ]
    ).belowRoot

    /// Lines on stdout.
    static func print(_ lines: [String]) {
        let output = OutputBuffer(1)
        for line in lines { output.write(line + "\n") }
        output.flush()
    }
}

struct ImageImport: Command {
    static let about = CommandConfiguration(
        commandName: "import", abstract: "Make an image of a root file system in a tar archive",
        usage: "swcompose image import [OPTIONS] TARBALL|- [NAME[:TAG]]")

    @Option(
        name: [.customShort("c"), .customLong("change")], parsing: .unconditionalSingleValue,
        help: "Apply Dockerfile instruction to the created image")
    var changes: [String] = []
    @Option(
        name: [.customShort("m"), .customLong("message")], parsing: .unconditional,
        help: "Set commit message for imported image")
    var message: String?
    @Argument var tarball: String
    @Argument var name: String = ""

    func run(_ flags: GlobalFlags) throws {
        let image = try ImageStore(paths: .standard())
            .importRootfs(from: tarball, name: name, changes: changes, message: message)
        ImageCommand.print([image.id])
    }
}

struct ImageLoad: Command {
    static let about = CommandConfiguration(
        commandName: "load", abstract: "Load images from a tar archive (docker save or OCI) or STDIN",
        usage: "swcompose image load [OPTIONS] [ARCHIVE]")

    @Option(
        name: [.customShort("i", allowingJoined: true), .customLong("input")], parsing: .unconditional,
        help: "Read from tar archive file, instead of STDIN")
    var input: String?
    @Flag(name: .shortAndLong, help: "Suppress the load output")
    var quiet = false
    @Argument var archive: String?

    func validate() throws {
        if input != nil, archive != nil { throw ValidationError("give the archive with -i or by itself, not both") }
    }

    func run(_ flags: GlobalFlags) throws {
        let path = input ?? archive ?? "-"
        if path == "-", Terminal.isTerminal(0) {
            throw Failure("requested load from stdin, but stdin is empty")
        }
        let images = try ImageStore(paths: .standard()).load(from: path)
        if quiet { return }
        ImageCommand.print(
            images.flatMap { image in
                image.tags.isEmpty ? ["Loaded image ID: \(image.id)"] : image.tags.map { "Loaded image: \($0)" }
            })
    }
}

struct ImageLs: Command {
    static let about = CommandConfiguration(
        commandName: "ls", abstract: "List images", usage: "swcompose image ls [OPTIONS] [REPOSITORY[:TAG]]",
        aliases: ["list"])
    private static let fields = ["CreatedAt", "CreatedSince", "Digest", "ID", "Repository", "Size", "Tag"]

    @Option(parsing: .unconditional, help: "Format output: 'table', 'json' or a Go template of simple fields")
    var format = "table"
    @Flag(help: "Don't truncate output")
    var noTrunc = false
    @Flag(name: .shortAndLong, help: "Only show image IDs")
    var quiet = false
    @Argument var reference: String?

    func run(_ flags: GlobalFlags) throws {
        let store = ImageStore(paths: .standard())
        let wanted = try reference.flatMap { try store.resolve($0)?.id }
        let images = try store.list().filter { image in
            guard let reference else { return true }
            if let wanted { return image.id == wanted }
            return image.tags.contains { Self.split($0).repository == reference }
        }
        if quiet { return ImageCommand.print(images.map { noTrunc ? $0.id : $0.shortID }) }
        let now = HostClock.now()
        let rows = images.flatMap { image in
            (image.tags.isEmpty ? ["<none>:<none>"] : image.tags).map { row(image, $0, now) }
        }
        switch format {
        case "", "table":
            let columns = ["Repository", "Tag", "ID", "CreatedSince", "Size"]
            var table = TextTable(header: ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"])
            for row in rows { table.add(columns.map { row[$0] ?? "" }) }
            let output = OutputBuffer(1)
            output.write(table.text)
            output.flush()
        case "json": ImageCommand.print(rows.map(Self.json))
        default:
            let template = try Template(format, fields: Self.fields)
            ImageCommand.print(
                rows.map { row in
                    template.render(value: { .string(row[$0] ?? "") }, whole: { Self.json(row) }, label: { _ in "" })
                })
        }
    }

    private func row(_ image: StoredImage, _ name: String, _ now: Timestamp) -> [String: String] {
        let parts = Self.split(name)
        let digest = image.repositoryDigests.first { $0.hasPrefix(parts.repository + "@") }
        return [
            "Repository": parts.repository, "Tag": parts.tag, "ID": noTrunc ? image.id : image.shortID,
            "CreatedAt": HostClock.local(Timestamp(seconds: image.createdAt)),
            "CreatedSince": image.createdAt > 0
                ? HumanUnits.duration(seconds: now.seconds - image.createdAt) + " ago" : "N/A",
            "Digest": digest.map { String($0.dropFirst(parts.repository.count + 1)) } ?? "<none>",
            "Size": HumanUnits.size(bytes: image.size),
        ]
    }

    private static func json(_ row: [String: String]) -> String {
        JSONText.object(fields.map { ($0, .string(row[$0] ?? "")) }).text
    }

    /// A registry's port has a colon too, before the last slash.
    private static func split(_ name: String) -> (repository: String, tag: String) {
        guard let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") else { return (name, "") }
        return (String(name[..<colon]), String(name[name.index(after: colon)...]))
    }
}

struct ImageRm: Command {
    static let about = CommandConfiguration(
        commandName: "rm", abstract: "Remove one or more images",
        usage: "swcompose image rm [OPTIONS] IMAGE [IMAGE...]", aliases: ["remove"])

    @Flag(name: .shortAndLong, help: "Force removal of the image")
    var force = false
    @Argument var images: [String]

    func run(_ flags: GlobalFlags) throws {
        let paths = HostPaths.standard()
        let used = Set(try ContainerStore(paths: paths).projects().flatMap { $0.containers.map(\.spec.imageID) })
        let store = ImageStore(paths: paths)
        var failed = false
        for image in images {
            do {
                let removals = try store.remove(image, force: force) { used.contains($0) }
                ImageCommand.print(removals.map(\.description))
            } catch {
                Report.error(String(describing: error))
                failed = true
            }
        }
        if failed { throw ExitStatus(code: 1) }
    }
}

struct ImageInspect: Command {
    static let about = CommandConfiguration(
        commandName: "inspect", abstract: "Display detailed information on one or more images",
        usage: "swcompose image inspect IMAGE [IMAGE...]")

    @Argument var images: [String]

    func run(_ flags: GlobalFlags) throws {
        let store = ImageStore(paths: .standard())
        var found: [ImageInspection] = []
        var failed = false
        for image in images {
            do { found.append(try store.inspect(image)) } catch {
                Report.error(String(describing: error))
                failed = true
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        ImageCommand.print([String(decoding: try encoder.encode(found), as: UTF8.self)])
        if failed { throw ExitStatus(code: 1) }
    }
}
