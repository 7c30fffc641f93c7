internal import ArgumentParser
internal import Images
internal import LinuxSystem
internal import Rendering

/// What is about this host and no project.
struct SystemCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "system", abstract: "Look after what is stored on this host", usage: "swcompose system COMMAND",
        subcommands: [SystemCheck.self]
    ).belowRoot
}

struct SystemCheck: Command {
    static let about = CommandConfiguration(
        commandName: "check", abstract: "Verify every image, layer and blob in the local store",
        usage: "swcompose system check")

    func run(_ flags: GlobalFlags) throws {
        var failed = false
        let seen = try ImageStore(paths: .standard()).verify { problem in
            Report.error(problem)
            failed = true
        }
        if failed { throw ExitStatus(code: 1) }
        ImageCommand.print(["\(seen.images) images and \(seen.blobs) blobs are what they should be"])
    }
}
