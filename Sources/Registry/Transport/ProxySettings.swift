/// The proxies that the environment names: `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in capitals or not, read as Go's
/// programs read them.
struct ProxySettings: Sendable, Equatable {
    /// One proxy.
    struct Proxy: Sendable, Hashable {
        enum Kind: Sendable { case http, socks }
        var kind: Kind
        var host: String
        var port: Int
        var user: String?
        var password: String?
    }

    private var http: Proxy?
    private var https: Proxy?
    private var exceptions: [Exception] = []

    private struct Exception: Sendable, Equatable {
        var pattern: String
        var port: Int?
    }

    /// None at all.
    init() {}

    /// - Throws: ``RegistryError/configuration(subject:reason:)`` for a proxy that cannot be used.
    init(environment: [String: String]) throws(RegistryError) {
        func variable(_ name: String) -> (String, String)? {
            for name in [name, name.lowercased()] {
                if let value = environment[name], !value.isEmpty { return (name, value) }
            }
            return nil
        }
        https = try variable("HTTPS_PROXY").map { (name, value) throws(RegistryError) in try Self.proxy(name, value) }
        // Under CGI, HTTP_PROXY is what a client's header "Proxy" says.
        if environment["REQUEST_METHOD"] == nil {
            http = try variable("HTTP_PROXY").map { (name, value) throws(RegistryError) in try Self.proxy(name, value) }
        }
        exceptions = (variable("NO_PROXY")?.1 ?? "").split(separator: ",").compactMap { part in
            let text = part.filter { !$0.isWhitespace }.lowercased()
            if text.isEmpty { return nil }
            if NetworkRange(text) != nil || NetworkAddress(text) != nil { return Exception(pattern: text) }
            guard let (host, port) = WebAddress.hostAndPort(text) else { return nil }
            return Exception(pattern: host, port: port)
        }
    }

    /// The proxy to ask for this address; nil: none.
    func proxy(for address: WebAddress) -> Proxy? {
        guard let proxy = address.scheme == .https ? https : http else { return nil }
        if HostName.isLoopback(address.host) { return nil }
        return exceptions.contains { Self.matches($0, address) } ? nil : proxy
    }

    private static func matches(_ exception: Exception, _ address: WebAddress) -> Bool {
        if exception.pattern == "*" { return true }
        if let port = exception.port, port != address.port { return false }
        if let ip = NetworkAddress(address.host) {
            return NetworkRange(exception.pattern)?.contains(ip) ?? (NetworkAddress(exception.pattern) == ip)
        }
        var pattern = exception.pattern[...]
        if pattern.hasPrefix("*.") { pattern = pattern.dropFirst() }
        if pattern.hasPrefix(".") { return address.host.hasSuffix(pattern) }
        return address.host == pattern || address.host.hasSuffix("." + pattern)
    }

    private static func proxy(_ name: String, _ value: String) throws(RegistryError) -> Proxy {
        var kind = Proxy.Kind.http
        var rest = value[...]
        if let separator = value.firstRange(of: "://") {
            switch value[..<separator.lowerBound].lowercased() {
            case "http": break
            case "socks5", "socks5h": kind = .socks
            case let other:
                throw .configuration(
                    subject: name, reason: "a proxy reached by \(other): is not supported (known: http, socks5)")
            }
            rest = value[separator.upperBound...]
        }
        rest = rest.prefix { $0 != "/" }
        var user: String?
        var password: String?
        if let at = rest.lastIndex(of: "@") {
            let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = unescaped(parts[0])
            password = parts.count > 1 ? unescaped(parts[1]) : ""
            rest = rest[rest.index(after: at)...]
        }
        guard let (host, port) = WebAddress.hostAndPort(String(rest)), !host.isEmpty else {
            throw .configuration(subject: name, reason: "its value is no proxy's address (http://HOST:PORT)")
        }
        if kind == .socks, user != nil {
            throw .configuration(subject: name, reason: "a user for a SOCKS proxy is not supported")
        }
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        return Proxy(kind: kind, host: bare, port: port ?? (kind == .http ? 80 : 1080), user: user, password: password)
    }

    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 0x25, rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
