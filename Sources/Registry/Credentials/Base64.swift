internal import FoundationEssentials

/// Base64 of text (RFC 4648), as `Authorization` and Docker's configuration have it.
enum Base64 {
    static func encode(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    /// nil for what is no base64 of UTF-8 text.
    static func decode(_ text: String) -> String? {
        Data(base64Encoded: text).flatMap { String(bytes: $0, encoding: .utf8) }
    }
}
