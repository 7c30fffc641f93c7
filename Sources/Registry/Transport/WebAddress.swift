/// An `http:` or `https:` address, kept as it was written: registries put state into their addresses, which must come
/// back byte for byte.
struct WebAddress: Sendable, Hashable, CustomStringConvertible {
    enum Scheme: String, Sendable { case http, https }
    let scheme: Scheme
    /// Lower case; IPv6 in brackets.
    let host: String
    let port: Int
    /// Path and query, beginning with `/`.
    let target: String

    /// nil for what is no such address.
    init?(_ text: String) {
        guard let separator = text.firstRange(of: "://"),
            let scheme = Scheme(rawValue: text[..<separator.lowerBound].lowercased())
        else { return nil }
        let rest = text[separator.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        var target = rest[authority.endIndex...]
        if target.first != "/" { target = "/" + target }
        self.init(scheme: scheme, authority: String(authority), target: String(target))
    }

    /// - Parameter authority: `host[:port]`; a user before `@` is no part of an address that is asked here.
    init?(scheme: Scheme, authority: String, target: String) {
        guard let (host, port) = Self.hostAndPort(authority), !host.isEmpty else { return nil }
        guard target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        self.scheme = scheme
        self.host = host.lowercased()
        self.port = port ?? (scheme == .http ? 80 : 443)
        self.target = target
    }

    /// The address that a `Location` header means, which may be relative (RFC 3986, section 5).
    func resolving(_ location: String) -> WebAddress? {
        if location.firstRange(of: "://") != nil, let absolute = WebAddress(location) { return absolute }
        if location.hasPrefix("//") { return WebAddress("\(scheme.rawValue):\(location)") }
        let reference = location.prefix { $0 != "#" }
        let path = target.prefix { $0 != "?" }
        let resolved: String
        if reference.hasPrefix("/") {
            resolved = String(reference)
        } else if reference.hasPrefix("?") {
            resolved = String(path + reference)
        } else {
            resolved = String(path[...(path.lastIndex(of: "/") ?? path.startIndex)] + reference)
        }
        return WebAddress(scheme: scheme, authority: authority, target: Self.withoutDots(resolved))
    }

    /// With more in its query; `name` and `value` are escaped.
    func adding(_ items: [(name: String, value: String)]) -> WebAddress {
        var text = target
        for (name, value) in items {
            text += text.contains("?") ? (text.hasSuffix("?") || text.hasSuffix("&") ? "" : "&") : "?"
            text += "\(Self.escaped(name))=\(Self.escaped(value))"
        }
        return WebAddress(scheme: scheme, authority: authority, target: text)!
    }

    /// Another place on the same server.
    func at(_ target: String) -> WebAddress? { WebAddress(scheme: scheme, authority: authority, target: target) }

    /// Whether credentials for the one may be shown to the other.
    func isSameServer(as other: WebAddress) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    /// With the port only where it is not the scheme's own.
    var authority: String { port == (scheme == .http ? 80 : 443) ? host : "\(host):\(port)" }
    var description: String { "\(scheme.rawValue)://\(authority)\(target)" }

    /// Escapes all but RFC 3986's unreserved characters.
    static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }

    /// Splits `host[:port]`, where an IPv6 address is in brackets.
    /// - Returns: nil where the port is no number or something else is wrong with it.
    static func hostAndPort(_ text: String) -> (host: String, port: Int?)? {
        guard !text.contains("@"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        if text.hasPrefix("[") {
            guard let bracket = text.firstIndex(of: "]") else { return nil }
            let rest = text[text.index(after: bracket)...]
            let host = String(text[...bracket])
            if rest.isEmpty { return (host, nil) }
            guard rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()) else { return nil }
            return (host, Int(port))
        }
        guard let colon = text.firstIndex(of: ":") else { return (text, nil) }
        guard let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        return (String(text[..<colon]), Int(port))
    }

    private static func withoutDots(_ target: String) -> String {
        let path = target.prefix { $0 != "?" }
        guard path.contains("/.") else { return target }
        var parts: [Substring] = []
        let all = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in all.enumerated() {
            let isLast = index == all.count - 1
            switch part {
            case ".": if isLast { parts.append("") }
            case "..":
                _ = parts.popLast()
                if isLast { parts.append("") }
            default: parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/") + target[path.endIndex...]
    }
}
