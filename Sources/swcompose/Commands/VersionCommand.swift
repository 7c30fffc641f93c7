internal import ArgumentParser
internal import Rendering

struct VersionCommand: Command {
    static let about = CommandConfiguration(
        commandName: "version", abstract: "Show the version information", usage: "swcompose version [OPTIONS]")

    enum Format: String, ExpressibleByArgument { case pretty, json }

    /// Of this program.
    static let own = "0.1.0"
    /// Docker Compose whose behaviour this follows: what scripts compare when they ask whether a feature is there.
    static let reference = "2.40.3"

    @Option(
        name: [.customShort("f", allowingJoined: true), .customLong("format")], parsing: .unconditional,
        help: "Format the output. Values: [pretty | json].")
    var format = Format.pretty
    @Flag(help: "Shows only Compose's version number")
    var short = false

    func run(_ flags: GlobalFlags) throws {
        if short {
            let output = OutputBuffer(1)
            output.write(Self.reference + "\n")
            return output.flush()
        }
        Self.show(format)
    }

    static func show(_ format: Format) {
        let output = OutputBuffer(1)
        switch format {
        case .pretty: output.write("Docker Compose version v\(reference) (swcompose v\(own))\n")
        case .json:
            output.write(
                JSONText.object([("version", .string("v\(reference)")), ("swcompose", .string("v\(own)"))]).text + "\n")
        }
        output.flush()
    }
}
