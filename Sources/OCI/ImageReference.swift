/// The name of an image as users write it, `[host[:port]/]path[:tag][@digest]`, taken apart and completed by Docker's
/// rules: no host means `docker.io`, a one-part name there is below `library/`, no tag and no digest means `latest`.
public struct ImageReference: Sendable, Hashable, CustomStringConvertible {
    /// Host with port, such as `docker.io`, `localhost:5000` or `[::1]:5000`.
    public let domain: String
    /// Such as `library/nginx`.
    public let path: String
    /// nil only beside a digest.
    public let tag: String?
    /// `sha256:` and 64 hexadecimal digits.
    public let digest: String?

    /// - Throws: ``ImageReferenceError``.
    public init(_ text: String) throws(ImageReferenceError) {
        var rest = Substring(text)
        guard !rest.isEmpty else { throw ImageReferenceError(text, "it is empty") }
        guard !Self.isHex(rest, count: 64) else {
            throw ImageReferenceError(text, "a name must not be 64 hexadecimal digits, which is an image ID")
        }
        var digest: String?
        if let at = rest.firstIndex(of: "@") {
            digest = try Self.checkedDigest(String(rest[rest.index(after: at)...]), of: text)
            rest = rest[..<at]
        }
        var tag: String?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            let name = rest[rest.index(after: colon)...]
            guard Self.isTag(name) else {
                throw ImageReferenceError(
                    text, "tag \"\(name)\" must be at most 128 letters, digits, '_', '.' and '-', not led by '.' or '-'"
                )
            }
            tag = String(name)
            rest = rest[..<colon]
        }
        var domain = "docker.io"
        if let slash = rest.firstIndex(of: "/") {
            let first = rest[..<slash]
            if first == "localhost" || first.contains(where: { $0 == "." || $0 == ":" })
                || first.contains(where: \.isUppercase)
            {
                guard Self.isDomain(first) else { throw ImageReferenceError(text, "\"\(first)\" is no host name") }
                domain = first == "index.docker.io" ? "docker.io" : String(first)
                rest = rest[rest.index(after: slash)...]
            }
        }
        if domain == "docker.io", !rest.contains("/") { rest = "library/\(rest)" }
        guard rest.utf8.count <= 255 else { throw ImageReferenceError(text, "its name is longer than 255 characters") }
        guard !rest.contains(where: \.isUppercase) else {
            throw ImageReferenceError(text, "repository name (\(rest)) must be lowercase")
        }
        for part in rest.split(separator: "/", omittingEmptySubsequences: false) where !Self.isPathPart(part) {
            throw ImageReferenceError(
                text, "\"\(part)\" must be lower-case letters and digits, parted by '.', '_', '__' or dashes")
        }
        self.domain = domain
        self.path = String(rest)
        self.tag = tag ?? (digest == nil ? "latest" : nil)
        self.digest = digest
    }

    private init(domain: String, path: String, tag: String?, digest: String?) {
        self.domain = domain
        self.path = path
        self.tag = tag
        self.digest = digest
    }

    /// Host and path, such as `docker.io/library/nginx`.
    public var repository: String { "\(domain)/\(path)" }

    /// The complete form, such as `docker.io/library/nginx:latest`.
    public var description: String { repository + suffix }

    /// The form that users see: without `docker.io/` and `library/`.
    public var familiar: String { familiarRepository + suffix }

    /// ``familiar`` without tag and digest.
    public var familiarRepository: String {
        guard domain == "docker.io" else { return repository }
        return path.hasPrefix("library/") ? String(path.dropFirst("library/".count)) : path
    }

    /// The same repository, with this digest and no tag.
    public func pinned(to digest: String) -> ImageReference {
        ImageReference(domain: domain, path: path, tag: nil, digest: digest)
    }

    private var suffix: String { (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "") }

    /// Whether `text` is `sha256:` and 64 hexadecimal digits.
    public static func isDigest(_ text: some StringProtocol) -> Bool {
        text.hasPrefix("sha256:") && isHex(text.dropFirst("sha256:".count), count: 64)
    }

    /// Whether `text` is lower-case hexadecimal digits only, `count` of them where given.
    public static func isHex(_ text: some StringProtocol, count: Int? = nil) -> Bool {
        let bytes = text.utf8
        guard count.map({ bytes.count == $0 }) ?? !bytes.isEmpty else { return false }
        return bytes.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func checkedDigest(_ digest: String, of text: String) throws(ImageReferenceError) -> String {
        guard isDigest(digest) else {
            throw ImageReferenceError(text, "digest \"\(digest)\" must be sha256: and 64 hexadecimal digits")
        }
        return digest
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private static func isTag(_ text: Substring) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= 128, first != 0x2e, first != 0x2d else { return false }
        return bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x5f || $0 == 0x2e || $0 == 0x2d }
    }

    private static func isDomain(_ text: Substring) -> Bool {
        var host = text
        if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
            let port = text[text.index(after: colon)...]
            guard !port.isEmpty, port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), UInt16(port) != nil else {
                return false
            }
            host = text[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            return host.count > 2 && host.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == ":" }
        }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            let bytes = Array(label.utf8)
            guard let first = bytes.first, let last = bytes.last, isAlphanumeric(first), isAlphanumeric(last) else {
                return false
            }
            return bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x2d }
        }
    }

    /// Runs of lower-case letters and digits, parted by one '.', one or two '_', or any number of '-'.
    private static func isPathPart(_ text: Substring) -> Bool {
        var separator: [UInt8] = []
        var started = false
        for byte in text.utf8 {
            if (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) {
                guard separator.isEmpty || isSeparator(separator) else { return false }
                separator = []
                started = true
            } else if started, byte == 0x2e || byte == 0x5f || byte == 0x2d {
                separator.append(byte)
            } else {
                return false
            }
        }
        return started && separator.isEmpty
    }

    private static func isSeparator(_ bytes: [UInt8]) -> Bool {
        bytes == [0x2e] || bytes == [0x5f] || bytes == [0x5f, 0x5f] || bytes.allSatisfy { $0 == 0x2d }
    }
}

/// A string that is no image reference.
public struct ImageReferenceError: Error, Sendable, Equatable, CustomStringConvertible {
    public let reference: String
    public let reason: String

    public init(_ reference: String, _ reason: String) {
        self.reference = reference
        self.reason = reason
    }

    public var description: String { "invalid reference format: \"\(reference)\": \(reason)" }
}
