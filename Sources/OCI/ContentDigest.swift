package import Crypto

extension SHA256Digest {
    /// `sha256:` and hexadecimal digits.
    package var digestString: String {
        let digits = Array("0123456789abcdef".utf8)
        var text = Array("sha256:".utf8)
        text.reserveCapacity(71)
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Digests of whole contents; what comes in pieces is hashed by its reader.
public enum ContentDigest {
    /// `sha256:` and hexadecimal digits.
    public static func of(_ bytes: some Sequence<UInt8>) -> String {
        SHA256.hash(data: Array(bytes)).digestString
    }
}
