import LinuxSystem
import Testing

@testable import Registry

@Suite struct CredentialTests {
    /// A home of its own, with programs in a PATH of its own.
    private final class Home {
        let path = "/tmp/swcompose-home-\(RandomHex.digits(12))"
        init() throws { try Files.makeDirectories("\(path)/bin") }
        deinit { try? Files.removeTree(path) }

        func write(_ name: String, _ text: String, mode: UInt32 = 0o600) throws {
            try Files.replace("\(path)/\(name)", with: Array(text.utf8), mode: mode)
        }
        func text(_ name: String) throws -> String { try Files.readString("\(path)/\(name)") }
        var environment: [String: String] { ["DOCKER_CONFIG": path, "PATH": "\(path)/bin:/usr/bin:/bin"] }
        var store: CredentialStore { CredentialStore(environment: environment) }
    }

    @Test func findsWhatDockerWrote() throws {
        let home = try Home()
        try home.write(
            "config.json",
            """
            {"auths": {"https://index.docker.io/v1/": {"auth": "dTpwOnc="},
              "https://quay.example/v1/": {"auth": "YTpi"},
              "reg:5000": {"auth": "dTo=", "identitytoken": "tok"}, "kept:1": {}}}
            """)
        #expect(try home.store.credential(for: "docker.io") == RegistryCredential(user: "u", password: "p:w"))
        #expect(try home.store.credential(for: "quay.example") == RegistryCredential(user: "a", password: "b"))
        #expect(try home.store.credential(for: "reg:5000") == RegistryCredential(user: "u", identityToken: "tok"))
        #expect(try home.store.credential(for: "kept:1") == nil)
        #expect(try home.store.credential(for: "other") == nil)
    }

    @Test func nothingIsKnownWithoutAFile() throws {
        #expect(try Home().store.credential(for: "docker.io") == nil)
    }

    @Test func namesTheFileThatIsBroken() throws {
        let home = try Home()
        try home.write("config.json", "{oops")
        let error = #expect(throws: RegistryError.self) { try home.store.credential(for: "x:1") }
        #expect(error?.description.contains("\(home.path)/config.json") ?? false)
    }

    @Test func keepsTheRestOfTheFile() throws {
        let home = try Home()
        try home.write("config.json", #"{"psFormat": "table", "n": 1, "auths": {"a:1": {"auth": "eDp5"}}}"#)
        #expect(
            try home.store.store(RegistryCredential(user: "me", password: "pw"), for: "b:2")
                == "\(home.path)/config.json")
        let text = try home.text("config.json")
        #expect(text.contains("\"psFormat\" : \"table\"") && text.contains("\"n\" : 1"))
        #expect(try home.store.credential(for: "b:2") == RegistryCredential(user: "me", password: "pw"))
        #expect(try home.store.erase("b:2"))
        #expect(try !home.store.erase("b:2"))
        #expect(try home.store.credential(for: "a:1") == RegistryCredential(user: "x", password: "y"))
        #expect(try Files.list(home.path) == ["bin", "config.json"])
    }

    @Test func asksHelpers() throws {
        let home = try Home()
        try home.write("config.json", #"{"credsStore": "all", "credHelpers": {"special:1": "one"}}"#)
        try home.write(
            "bin/docker-credential-all",
            """
            #!/bin/sh
            read server
            case "$1-$server" in
            get-plain:1) echo '{"ServerURL":"plain:1","Username":"u","Secret":"s"}' ;;
            get-*) echo 'credentials not found in native keychain'; exit 1 ;;
            store-*) echo "$server" > "\(home.path)/stored" ;;
            esac
            """, mode: 0o755)
        try home.write(
            "bin/docker-credential-one",
            "#!/bin/sh\necho '{\"ServerURL\":\"\",\"Username\":\"<token>\",\"Secret\":\"t\"}'\n", mode: 0o755)
        #expect(try home.store.credential(for: "plain:1") == RegistryCredential(user: "u", password: "s"))
        #expect(try home.store.credential(for: "special:1") == RegistryCredential(user: "", identityToken: "t"))
        #expect(try home.store.credential(for: "unknown:1") == nil)
        #expect(try home.store.store(RegistryCredential(user: "n", password: "p"), for: "new:1") == nil)
        #expect(try home.text("stored").contains(#""Secret":"p""#))
        #expect(try !home.text("config.json").contains("\"auth\""))
    }

    @Test func namesTheHelperThatIsMissing() throws {
        let home = try Home()
        try home.write("config.json", #"{"credsStore": "gone"}"#)
        let error = #expect(throws: RegistryError.self) { try home.store.credential(for: "x:1") }
        #expect(error?.description.contains("docker-credential-gone") ?? false)
    }
}
