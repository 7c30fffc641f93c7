internal import CLinux
internal import FoundationEssentials
internal import LinuxSystem

/// Docker's client configuration, as far as it is about credentials. All that we do not know in it is kept.
struct DockerConfigFile: Sendable {
    let path: String
    private(set) var document: JSONValue

    /// A file that is not there, or is empty, says nothing.
    /// - Throws: ``RegistryError/credentials(_:)`` for one that is no JSON object.
    init(_ path: String) throws {
        self.path = path
        let bytes = try Files.readIfThere(path) ?? []
        if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0a }) {
            document = .object([:])
            return
        }
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)), value.object != nil else {
            throw RegistryError.credentials("\(path) is no JSON object: repair or remove it")
        }
        document = value
    }

    /// `DOCKER_CONFIG` names a directory; else it is `.docker` in the user's home.
    static func standardPath(_ environment: [String: String]) -> String {
        if let directory = environment["DOCKER_CONFIG"], !directory.isEmpty { return "\(directory)/config.json" }
        return "\(environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "/root")/.docker/config.json"
    }

    /// The name of the helper that knows about `key`; nil: the file itself does.
    func helper(for key: String) -> String? {
        let name = document["credHelpers"]?[key]?.string ?? document["credsStore"]?.string
        return name.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What the file itself has for a registry.
    /// - Parameter keys: the names the registry may be found by, best first.
    /// - Throws: ``RegistryError/credentials(_:)`` for an entry that is not understood.
    func credential(for keys: [String]) throws(RegistryError) -> RegistryCredential? {
        let entries = document["auths"]?.object ?? [:]
        for key in keys {
            let matching = entries[key] ?? entries.sorted { $0.key < $1.key }.first { Self.host($0.key) == key }?.value
            if let matching, let credential = try Self.credential(matching, key, path) { return credential }
        }
        return nil
    }

    private static func credential(
        _ entry: JSONValue, _ key: String, _ path: String
    ) throws(RegistryError) -> RegistryCredential? {
        var user = entry["username"]?.string ?? ""
        var password = entry["password"]?.string ?? ""
        if let auth = entry["auth"]?.string, !auth.isEmpty {
            guard let text = Base64.decode(auth), let colon = text.firstIndex(of: ":") else {
                throw .credentials("\(path): auths: \(key): \"auth\" is no base64 of USER:PASSWORD")
            }
            user = String(text[..<colon])
            password = text[text.index(after: colon)...].trimmingNULs
        }
        if let token = entry["identitytoken"]?.string, !token.isEmpty {
            return RegistryCredential(user: user, identityToken: token)
        }
        return user.isEmpty ? nil : RegistryCredential(user: user, password: password)
    }

    /// `https://host/v1/` and `host` are one registry.
    private static func host(_ key: String) -> String {
        let rest = key.firstRange(of: "://").map { key[$0.upperBound...] } ?? key[...]
        return String(rest.prefix { $0 != "/" })
    }

    /// Puts a credential in; nil takes it out.
    mutating func set(_ credential: RegistryCredential?, for key: String) {
        var entries = document["auths"]?.object ?? [:]
        switch credential?.secret {
        case nil: entries[key] = nil
        case .password(let password):
            entries[key] = .object(["auth": .string(Base64.encode("\(credential!.user):\(password)"))])
        case .identityToken(let token):
            entries[key] = .object([
                "auth": .string(Base64.encode("\(credential!.user):")), "identitytoken": .string(token),
            ])
        }
        document["auths"] = .object(entries)
    }

    /// Marks a registry whose credential a helper keeps.
    mutating func setKeptByHelper(_ key: String) {
        var entries = document["auths"]?.object ?? [:]
        entries[key] = .object([:])
        document["auths"] = .object(entries)
    }

    func has(_ key: String) -> Bool { document["auths"]?[key] != nil }

    /// Replaces the file, for its owner's eyes only. A symbolic link stays one.
    /// - Throws: ``SystemError``.
    func write() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var target = path
        if let real = realpath(path, nil) {
            target = String(cString: real)
            free(real)
        } else if let slash = path.lastIndex(of: "/") {
            try Files.makeDirectories(String(path[..<slash]), mode: 0o700)
        }
        try Files.replace(target, with: Array(try encoder.encode(document)) + [0x0a], mode: 0o600, durable: true)
    }
}

extension Substring {
    /// Docker pads passwords with NULs where it once encrypted them.
    fileprivate var trimmingNULs: String {
        var text = self
        while text.first == "\0" { text.removeFirst() }
        while text.last == "\0" { text.removeLast() }
        return String(text)
    }
}
