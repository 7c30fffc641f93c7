import Foundation
import Testing

/// What a finished command left.
struct Outcome: CustomStringConvertible {
    let command: String
    let status: Int32
    let stdout: String
    let stderr: String
    let seconds: Double
    var description: String {
        "\(command) → \(status) in \(seconds) s\n--- stdout\n\(stdout)\n--- stderr\n\(stderr)"
    }
    var lines: [String] { stdout.split(separator: "\n").map(String.init) }
}

/// One test's project: a directory of its own with a Compose file, on a data root that all tests of this run share, so
/// that images are imported once. Everything it made is taken down at the end, whatever happened.
final class Scenario {
    /// Unlike any other on this machine.
    let project: String
    let directory: URL
    private static let root = URL(fileURLWithPath: "/tmp/swcompose-tests-\(getpid())")
    static let imageName = "busybox:test"

    /// Runs `body` in a fresh project and takes that down again, volumes and all; a leftover is a failure.
    static func run(
        _ yaml: String, files: [String: String] = [:], name: String = #function,
        _ body: (Scenario) throws -> Void
    ) throws {
        try Image.ensure()
        let scenario = try Scenario(yaml, files: files)
        defer { scenario.finish() }
        do {
            try body(scenario)
        } catch {
            print(scenario.diagnosis())
            throw error
        }
    }

    private init(_ yaml: String, files: [String: String]) throws {
        project = "t\(getpid())x\(UInt32.random(in: 0 ... .max))"
        directory = Self.root.appendingPathComponent(project)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try write("compose.yaml", yaml)
        for (name, text) in files { try write(name, text) }
    }

    func write(_ name: String, _ text: String) throws {
        let url = directory.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: url, atomically: true, encoding: .utf8)
    }

    /// Runs swcompose in the project's directory.
    @discardableResult
    func swcompose(_ arguments: String..., environment: [String: String] = [:], timeout: Double = 60) throws -> Outcome
    {
        try swcompose(arguments, environment: environment, timeout: timeout)
    }

    func swcompose(
        _ arguments: [String], environment: [String: String] = [:], timeout: Double = 60
    ) throws -> Outcome {
        try Self.swcompose(
            ["-p", project] + arguments, in: directory, environment: environment, timeout: timeout)
    }

    /// The same, and a failure of the test where it does not exit with 0.
    @discardableResult
    func succeed(
        _ arguments: String..., timeout: Double = 60, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let outcome = try Self.swcompose(["-p", project] + arguments, in: directory, timeout: timeout)
        try #require(outcome.status == 0, "\(outcome)", sourceLocation: sourceLocation)
        return outcome
    }

    static func swcompose(
        _ arguments: [String], in directory: URL, environment: [String: String] = [:], timeout: Double = 60
    ) throws -> Outcome {
        try execute([Binary.path] + arguments, in: directory, environment: environment, timeout: timeout)
    }

    static func execute(
        _ command: [String], in directory: URL? = nil, environment: [String: String] = [:], timeout: Double = 60
    ) throws -> Outcome {
        let process = try started(command, in: directory, environment: environment)
        return try process.outcome(timeout: timeout)
    }

    static func started(
        _ command: [String], in directory: URL? = nil, environment: [String: String] = [:]
    ) throws -> StartedCommand {
        try StartedCommand(command, in: directory, environment: roots.merging(environment) { $1 })
    }

    /// Starts swcompose and leaves it running.
    func start(_ arguments: String..., environment: [String: String] = [:]) throws -> StartedCommand {
        try Self.started([Binary.path, "-p", project] + arguments, in: directory, environment: environment)
    }

    static var roots: [String: String] {
        [
            "SWCOMPOSE_DATA_ROOT": root.appendingPathComponent("data").path,
            "SWCOMPOSE_RUN_ROOT": root.appendingPathComponent("run").path,
        ]
    }
    static var dataRoot: String { roots["SWCOMPOSE_DATA_ROOT"]! }
    static var runRoot: String { roots["SWCOMPOSE_RUN_ROOT"]! }

    /// `ps -a` as JSON objects by container name.
    func containers() throws -> [String: [String: Any]] {
        let outcome = try succeed("ps", "-a", "--format", "json")
        var result: [String: [String: Any]] = [:]
        for line in outcome.lines {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            result[try #require(object["Name"] as? String)] = object
        }
        return result
    }

    func state(_ container: String) throws -> String? {
        try containers()["\(project)-\(container)"]?["State"] as? String
    }

    /// Process id of a running container's first process.
    func processID(_ container: String) throws -> Int32 {
        let id = try #require(try containers()["\(project)-\(container)"]?["ID"] as? String)
        let directories = "\(Self.runRoot)/containers"
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: directories).first { $0.hasPrefix(id) })
        let record = try String(contentsOfFile: "\(directories)/\(name)/pid", encoding: .utf8)
        return try #require(record.split { $0 == " " || $0 == "\n" }.first.flatMap { Int32($0) })
    }

    /// Process ids of the project's supervisor.
    func supervisors() throws -> [Int32] {
        try Self.execute(["pgrep", "-f", "supervise --project \(project)$"]).lines.compactMap { Int32($0) }
    }

    /// Process ids of what starts the project's supervisor again.
    func watchers() throws -> [Int32] {
        try Self.execute(["pgrep", "-f", "swcompose-shim watch .* \(project)$"]).lines.compactMap { Int32($0) }
    }

    /// Ends the supervisor, and what would start it again, as a host that is out of memory may.
    func killSupervisor() throws {
        let doomed = try (watchers() + supervisors())
        try #require(doomed.count == 2)
        for process in doomed { kill(process, SIGKILL) }
        try eventually("supervisor gone") { try supervisors().isEmpty }
    }

    /// Waits for something that is to come true by itself.
    func eventually(
        _ what: String, within seconds: Double = 10, sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () throws -> Bool
    ) throws {
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline {
            if try condition() { return }
            usleep(20_000)
        }
        try #require(try condition(), "did not happen within \(seconds) s: \(what)", sourceLocation: sourceLocation)
    }

    private func diagnosis() -> String {
        let log = try? String(
            contentsOfFile: "\(Self.runRoot)/projects/\(project)/supervisor.log", encoding: .utf8)
        let ps = try? swcompose("ps", "-a")
        let logs = try? swcompose("logs", "--tail", "20")
        return
            "\(ps.map(String.init(describing:)) ?? "")\n\(logs.map(String.init(describing:)) ?? "")\nsupervisor: \(log ?? "no log")"
    }

    private func finish() {
        do {
            let down = try swcompose("down", "-v", "--remove-orphans", "-t", "1")
            #expect(down.status == 0, "\(down)")
            let left = Leftovers.of(project: project)
            #expect(left.isEmpty, "left behind by \(project): \(left)")
        } catch {
            Issue.record(error)
        }
        try? FileManager.default.removeItem(at: directory)
    }
}

/// The program under test: beside the test bundle, as the build puts it.
enum Binary {
    static let path: String = {
        if let given = ProcessInfo.processInfo.environment["SWCOMPOSE_BINARY"] { return given }
        let products = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        return products.appendingPathComponent("swcompose").path
    }()
}

/// A root file system of nothing but busybox, imported once a run.
enum Image {
    private static let imported = Result { try importBusybox() }

    static func ensure() throws { try imported.get() }

    private static func importBusybox() throws {
        let script = """
            set -e
            root=$(mktemp -d); trap 'rm -rf "$root"' EXIT
            mkdir -p "$root"/bin "$root"/etc "$root"/tmp "$root"/root "$root"/data "$root"/home/app "$root"/proc "$root"/sys "$root"/dev
            cp /bin/busybox "$root"/bin/
            for applet in $(/bin/busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$root"/bin/$applet; done
            chmod 1777 "$root"/tmp
            printf 'root:x:0:0:root:/root:/bin/sh\\napp:x:1000:1000::/home/app:/bin/sh\\n' > "$root"/etc/passwd
            printf 'root:x:0:\\napp:x:1000:\\nextra:x:2000:app\\n' > "$root"/etc/group
            echo from-the-image > "$root"/data/seed; chown -R 1000:1000 "$root"/data; chmod 750 "$root"/data
            tar -C "$root" -cf "$1" .
            """
        let tarball = "/tmp/swcompose-tests-\(getpid()).tar"
        defer { unlink(tarball) }
        let made = try Scenario.execute(["sh", "-c", script, "sh", tarball])
        try #require(made.status == 0, "\(made)")
        let imported = try Scenario.swcompose(
            ["image", "import", tarball, Scenario.imageName], in: URL(fileURLWithPath: "/tmp"))
        try #require(imported.status == 0, "\(imported)")
    }
}
