internal import FoundationEssentials
internal import LinuxSystem

/// How registries are reached, beside what their names say.
///
/// Read from `/etc/swcompose/registries.json` (`SWCOMPOSE_REGISTRIES` names another file), and where there is none, from
/// Docker's `/etc/docker/daemon.json`. Both have the members `registry-mirrors` and `insecure-registries` as Docker
/// documents them; ours may also have `certificate-directories`.
public struct RegistryConfiguration: Sendable, Equatable {
    /// Tried before Docker Hub, for its images only, in this order.
    var mirrors: [WebAddress] = []
    /// Hosts (`HOST[:PORT]`) and ranges of addresses whose certificates are not checked, and which may speak plain HTTP.
    private var insecureHosts: Set<String> = []
    private var insecureRanges: [NetworkRange] = []
    /// Directories with one directory `HOST[:PORT]` per registry, of certificate authorities (`*.crt`) and of client
    /// certificates (`NAME.cert` with `NAME.key`). The first that knows the registry counts.
    var certificateDirectories = ["/etc/swcompose/certs.d", "/etc/docker/certs.d"]
    var proxies = ProxySettings()

    /// No mirrors, no exceptions, no proxies.
    public init() {}

    /// What the files and the environment say.
    /// - Throws: ``RegistryError/configuration(subject:reason:)``.
    public static func standard(environment: [String: String]) throws -> RegistryConfiguration {
        var result = RegistryConfiguration()
        let own = environment["SWCOMPOSE_REGISTRIES"] ?? "/etc/swcompose/registries.json"
        if let bytes = try Files.readIfThere(own) {
            try result.take(bytes, from: own, isOwn: true)
        } else if environment["SWCOMPOSE_REGISTRIES"] != nil {
            throw RegistryError.configuration(
                subject: own, reason: "there is no such file, but SWCOMPOSE_REGISTRIES names it")
        } else if let bytes = try Files.readIfThere("/etc/docker/daemon.json") {
            try result.take(bytes, from: "/etc/docker/daemon.json", isOwn: false)
        }
        result.proxies = try ProxySettings(environment: environment)
        return result
    }

    private mutating func take(_ bytes: [UInt8], from path: String, isOwn: Bool) throws(RegistryError) {
        // Docker, too, takes an empty file for one that says nothing.
        if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0a }) { return }
        guard let members = (try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)))?.object else {
            throw .configuration(subject: path, reason: "it is no JSON object")
        }
        let known = ["registry-mirrors", "insecure-registries", "certificate-directories"]
        if isOwn, let other = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw .configuration(
                subject: path, reason: "\"\(other)\" is unknown (known: \(known.joined(separator: ", ")))")
        }
        func strings(_ name: String) throws(RegistryError) -> [String]? {
            guard let value = members[name] else { return nil }
            guard let array = value.array, array.allSatisfy({ $0.string != nil }) else {
                throw .configuration(subject: path, reason: "\"\(name)\" must be a list of strings")
            }
            return array.compactMap(\.string)
        }
        mirrors = try (strings("registry-mirrors") ?? []).map { text throws(RegistryError) in
            guard let address = WebAddress(text), address.target == "/" else {
                throw .configuration(
                    subject: path, reason: "mirror \"\(text)\" must be an address such as https://mirror.example.com")
            }
            return address
        }
        for text in try strings("insecure-registries") ?? [] { try allowInsecure(text, path) }
        if isOwn, let directories = try strings("certificate-directories") { certificateDirectories = directories }
    }

    private mutating func allowInsecure(_ text: String, _ path: String) throws(RegistryError) {
        if let range = NetworkRange(text) {
            insecureRanges.append(range)
            return
        }
        let host = text.firstRange(of: "://").map { String(text[$0.upperBound...]) } ?? text
        guard let name = WebAddress.hostAndPort(host.hasSuffix("/") ? String(host.dropLast()) : host) else {
            throw .configuration(
                subject: path, reason: "insecure registry \"\(text)\" must be HOST[:PORT] or a range of addresses")
        }
        insecureHosts.insert(name.host.lowercased() + (name.port.map { ":\($0)" } ?? ""))
    }

    /// Whether plain HTTP, or a certificate that nobody vouches for, will do for this registry (`HOST[:PORT]`): where it
    /// is configured so, and on this machine.
    func isInsecure(_ registry: String) -> Bool {
        guard let name = WebAddress.hostAndPort(registry) else { return false }
        let host = name.host.lowercased()
        if insecureHosts.contains(host) || insecureHosts.contains(registry.lowercased()) { return true }
        if HostName.isLoopback(host) { return true }
        guard let address = NetworkAddress(host) else { return false }
        return insecureRanges.contains { $0.contains(address) }
    }

    /// For tests: this configuration, with more that is allowed to be insecure or to mirror Docker Hub.
    package func with(
        mirrors: [String] = [], insecure: [String] = [], certificateDirectories: [String]? = nil,
        environment: [String: String] = [:]
    ) throws -> RegistryConfiguration {
        var result = self
        result.mirrors += mirrors.compactMap { WebAddress($0) }
        for text in insecure { try result.allowInsecure(text, "insecure registries") }
        result.certificateDirectories = certificateDirectories ?? self.certificateDirectories
        result.proxies = try ProxySettings(environment: environment)
        return result
    }
}
