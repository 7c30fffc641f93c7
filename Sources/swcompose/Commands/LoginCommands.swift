internal import ArgumentParser
internal import LinuxSystem
internal import OCI
internal import Orchestration
internal import Registry
internal import Rendering

/// What the argument of `login` and `logout` means.
private enum RegistryArgument {
    /// `HOST[:PORT]`; nil or an address of Docker Hub's: that.
    static func name(_ argument: String?) throws -> String {
        guard var name = argument, !name.isEmpty else { return "docker.io" }
        for scheme in ["https://", "http://"] where name.hasPrefix(scheme) { name.removeFirst(scheme.count) }
        name = String(name.prefix { $0 != "/" })
        if ["docker.io", "index.docker.io", "registry-1.docker.io"].contains(name) { return "docker.io" }
        // The grammar of image names decides what is a registry's name.
        guard let reference = try? ImageReference("\(name)/x"), reference.domain == name else {
            throw Failure("\"\(argument!)\" is no registry: must be HOST[:PORT]")
        }
        return name
    }
}

struct LoginCommand: Command {
    static let about = CommandConfiguration(
        commandName: "login", abstract: "Authenticate to a registry", usage: "swcompose login [OPTIONS] [SERVER]")

    @Option(name: .shortAndLong, parsing: .unconditional, help: "Username")
    var username: String?
    @Option(name: .shortAndLong, parsing: .unconditional, help: "Password")
    var password: String?
    @Flag(help: "Take the password from stdin")
    var passwordStdin = false
    @Argument(help: "The registry; Docker Hub where none is named") var server: String?

    func validate() throws {
        if password != nil, passwordStdin {
            throw ValidationError("--password and --password-stdin are mutually exclusive")
        }
        if passwordStdin, (username ?? "").isEmpty {
            throw ValidationError("Must provide --username with --password-stdin")
        }
    }

    func run(_ flags: GlobalFlags) async throws {
        let registry = try RegistryArgument.name(server)
        let environment = try HostEnvironment.variables()
        if password != nil {
            Report.warning("using --password is insecure, as other users see it: use --password-stdin")
        }
        let user = try username ?? Self.ask("Username: ", hidden: false)
        let secret: String
        if let password {
            secret = password
        } else if passwordStdin {
            secret = Self.line(try Files.readString("/proc/self/fd/0"))
        } else {
            secret = try Self.ask("Password: ", hidden: true)
        }
        guard !user.isEmpty else { throw Failure("a user name is needed: give it with --username") }
        guard !secret.isEmpty else { throw Failure("a password is needed: give it with --password-stdin") }

        let client = try ImageTransfer.client(environment)
        let kept: RegistryCredential
        do {
            kept = try await client.login(registry, as: RegistryCredential(user: user, password: secret))
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
        let file = try CredentialStore(environment: environment).store(kept, for: registry)
        if let file {
            Report.warning("the password is kept unencrypted in \(file); a credential helper would do better")
        }
        let output = OutputBuffer(1)
        output.write("Login Succeeded\n")
        output.flush()
    }

    /// Without the end of its line.
    private static func line(_ text: String) -> String {
        var text = text
        while text.last?.isNewline ?? false { text.removeLast() }
        return text
    }

    private static func ask(_ prompt: String, hidden: Bool) throws -> String {
        guard Terminal.isTerminal(0) else {
            throw Failure(
                "cannot ask for the user name and password, as stdin is no terminal: use --username and "
                    + "--password-stdin")
        }
        let output = OutputBuffer(2)
        output.write(prompt)
        output.flush()
        let silence = hidden ? SilentTerminal(0) : nil
        defer {
            silence?.restore()
            if hidden {
                output.write("\n")
                output.flush()
            }
        }
        return readLine() ?? ""
    }
}

struct LogoutCommand: Command {
    static let about = CommandConfiguration(
        commandName: "logout", abstract: "Forget the credentials of a registry", usage: "swcompose logout [SERVER]")

    @Argument(help: "The registry; Docker Hub where none is named") var server: String?

    func run(_ flags: GlobalFlags) throws {
        let registry = try RegistryArgument.name(server)
        let store = CredentialStore(environment: try HostEnvironment.variables())
        let output = OutputBuffer(1)
        output.write(
            try store.erase(registry)
                ? "Removing login credentials for \(registry)\n" : "Not logged in to \(registry)\n")
        output.flush()
    }
}
