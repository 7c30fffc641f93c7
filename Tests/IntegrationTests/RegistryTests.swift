import Foundation
import Testing

/// Debian's docker-registry on a free port, with a store of its own, gone when the test ends.
private final class LocalRegistry {
    let port: Int
    private let directory = URL(fileURLWithPath: "/tmp/swcompose-registry-\(UUID().uuidString)")
    private let process = Process()
    var host: String { "127.0.0.1:\(port)" }
    /// Docker's configuration directory, and the file that says which authority vouches for the registry.
    var environment: [String: String] {
        [
            "DOCKER_CONFIG": directory.appendingPathComponent("docker").path,
            "SWCOMPOSE_REGISTRIES": directory.appendingPathComponent("registries.json").path,
        ]
    }
    static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/bin/docker-registry")

    /// - Parameter secured: with TLS by an authority of its own, and a password (`me`, `secret`).
    init(secured: Bool = false) throws {
        let probe = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
        port = try #require(Int(try Scenario.execute(["python3", "-c", probe]).lines.first ?? ""))
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        var configuration = """
            version: 0.1
            storage: {filesystem: {rootdirectory: \(directory.path)/data}}
            http:
              addr: 127.0.0.1:\(port)

            """
        if secured { configuration += try secure() }
        try write("registries.json", secured ? #"{"certificate-directories": ["\#(directory.path)/certs"]}"# : "{}")
        try write("config.yml", configuration)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/docker-registry")
        process.arguments = ["serve", directory.appendingPathComponent("config.yml").path]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let deadline = Date().addingTimeInterval(20)
        let scheme = secured ? "https" : "http"
        while try Scenario.execute(["curl", "-ks", "\(scheme)://\(host)/v2/"]).status != 0 {
            try #require(Date() < deadline, "the registry does not come up")
            usleep(50_000)
        }
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: directory)
    }

    private func write(_ name: String, _ text: String) throws {
        try text.write(to: directory.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }

    private func secure() throws -> String {
        let certs = "\(directory.path)/certs/\(host)"
        let script = """
            set -e
            mkdir -p "\(certs)"; cd "\(directory.path)"
            openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out "\(certs)/ca.crt" -days 2 -subj /CN=authority
            openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=registry
            printf 'subjectAltName=IP:127.0.0.1' > extensions
            openssl x509 -req -in request.pem -CA "\(certs)/ca.crt" -CAkey ca.key -CAcreateserial -out cert.pem -days 2 \
                -extfile extensions
            python3 -W ignore -c 'import crypt; print("me:" + crypt.crypt("secret", crypt.mksalt(crypt.METHOD_BLOWFISH)))' \
                > passwords
            """
        let made = try Scenario.execute(["sh", "-c", script])
        try #require(made.status == 0, "\(made)")
        return """
              tls: {certificate: \(directory.path)/cert.pem, key: \(directory.path)/key.pem}
            auth: {htpasswd: {realm: test, path: \(directory.path)/passwords}}

            """
    }

    @discardableResult
    func swcompose(_ arguments: String..., input: String? = nil, expecting status: Int32 = 0) throws -> Outcome {
        var command = [Binary.path] + arguments
        if let input { command = ["sh", "-c", "printf '%s' \"$0\" | exec \"$@\"", input] + command }
        let outcome = try Scenario.execute(command, in: directory, environment: environment)
        try #require(outcome.status == status, "\(outcome)")
        return outcome
    }
}

extension IntegrationTests {
    @Suite(.enabled(if: LocalRegistry.isInstalled, "docker-registry is not installed")) struct RegistryTests {
        @Test func pushedImagesComeBackAndRun() throws {
            let registry = try LocalRegistry()
            let name = "\(registry.host)/team/box:1"
            try Scenario.run("services: {web: {image: \"\(name)\", command: sleep 60}}") { scenario in
                try registry.swcompose("image", "tag", Scenario.imageName, name)
                let pushed = try registry.swcompose("image", "push", name)
                try registry.swcompose("image", "rm", name)
                // Nothing is here but at the registry: `up` fetches it.
                let never = try scenario.swcompose("up", "-d", "--pull", "never")
                #expect(never.status == 1 && never.stderr.contains("--pull is never"), "\(never)")
                try scenario.succeed("up", "-d")
                #expect(try scenario.state("web-1") == "running")
                let pulled = try registry.swcompose("image", "pull", name)
                #expect(pulled.stdout.contains("Image is up to date"))
                let digest = try #require(pushed.stdout.split(separator: " ").last)
                #expect(pulled.stdout.contains("Digest: \(digest)"))
                try scenario.succeed("pull")
                try scenario.succeed("down", "-t", "0")
                let check = try registry.swcompose("system", "check")
                #expect(check.stdout.contains("are what they should be"))
                try registry.swcompose("image", "rm", name)
            }
        }

        @Test func registriesMayWantPasswordsAndHaveTheirOwnAuthority() throws {
            try Image.ensure()
            let registry = try LocalRegistry(secured: true)
            let name = "\(registry.host)/team/box:2"
            try registry.swcompose("image", "tag", Scenario.imageName, name)
            let refused = try registry.swcompose("image", "push", name, expecting: 1)
            #expect(refused.stderr.contains("authentication required"), "\(refused)")
            let wrong = try registry.swcompose(
                "login", "-u", "me", "--password-stdin", registry.host, input: "guess", expecting: 1)
            #expect(wrong.stderr.contains("login to \(registry.host) as me failed"), "\(wrong)")
            try registry.swcompose("login", "-u", "me", "--password-stdin", registry.host, input: "secret")
            try registry.swcompose("image", "push", name)
            try registry.swcompose("image", "pull", name)
            try registry.swcompose("logout", registry.host)
            try registry.swcompose("image", "pull", name, expecting: 1)
            try registry.swcompose("image", "rm", name)
        }
    }
}
