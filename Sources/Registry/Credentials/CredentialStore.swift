internal import LinuxSystem

/// Where credentials are found and kept: Docker's configuration and its helpers; to read, also the file that podman and
/// skopeo write. All methods block.
public struct CredentialStore: Sendable {
    private let path: String
    private let alternativePath: String?
    private let environment: [String: String]

    public init(environment: [String: String]) {
        path = DockerConfigFile.standardPath(environment)
        alternativePath = environment["XDG_RUNTIME_DIR"].map { "\($0)/containers/auth.json" }
        self.environment = environment
    }

    /// The name by which Docker's files know a registry; Docker Hub has a name of its own there.
    static func key(for registry: String) -> String {
        registry == ImageHub.domain ? "https://index.docker.io/v1/" : registry
    }

    private static func keys(for registry: String) -> [String] {
        guard registry == ImageHub.domain else { return [registry] }
        return [key(for: registry), registry, "index.docker.io", ImageHub.server]
    }

    /// - Parameter registry: `HOST[:PORT]`, as image names begin with it.
    /// - Throws: ``RegistryError/credentials(_:)`` where the configuration or a helper is broken.
    public func credential(for registry: String) throws -> RegistryCredential? {
        let file = try DockerConfigFile(path)
        let key = Self.key(for: registry)
        if let name = file.helper(for: key) ?? file.helper(for: registry) {
            if let credential = try CredentialHelper(name: name, environment: environment).get(key) {
                return credential
            }
        }
        if let credential = try file.credential(for: Self.keys(for: registry)) { return credential }
        guard let alternativePath, Files.exists(alternativePath) else { return nil }
        return try DockerConfigFile(alternativePath).credential(for: Self.keys(for: registry))
    }

    /// Keeps a credential.
    /// - Returns: the file where it now lies unencrypted; nil where a helper took it.
    /// - Throws: ``RegistryError/credentials(_:)``; ``SystemError``.
    public func store(_ credential: RegistryCredential, for registry: String) throws -> String? {
        try changing { file in
            let key = Self.key(for: registry)
            if let name = file.helper(for: key) {
                try CredentialHelper(name: name, environment: environment).store(credential, for: key)
                file.setKeptByHelper(key)
                return nil
            }
            file.set(credential, for: key)
            return path
        }
    }

    /// Forgets what is known of a registry.
    /// - Returns: whether anything was.
    /// - Throws: ``RegistryError/credentials(_:)``; ``SystemError``.
    public func erase(_ registry: String) throws -> Bool {
        let file = try DockerConfigFile(path)
        var found = false
        for key in Self.keys(for: registry) {
            if let name = file.helper(for: key), key == Self.key(for: registry) {
                let helper = CredentialHelper(name: name, environment: environment)
                if try helper.get(key) != nil {
                    try helper.erase(key)
                    found = true
                }
            }
            found = file.has(key) || found
        }
        if found {
            try changing { file in for key in Self.keys(for: registry) { file.set(nil, for: key) } }
        }
        return found
    }

    /// Two logins at once must not lose each other's entries; Docker itself takes no lock.
    private func changing<T>(_ body: (inout DockerConfigFile) throws -> T) throws -> T {
        let lock = try FileLock("\(path).lock")
        defer { withExtendedLifetime(lock) { $0.removeFile() } }
        var file = try DockerConfigFile(path)
        let result = try body(&file)
        try file.write()
        return result
    }
}

/// Docker Hub, which is called one thing in image names and another in the network.
enum ImageHub {
    static let domain = "docker.io"
    static let server = "registry-1.docker.io"
}
