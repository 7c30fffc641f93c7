public import SystemPackage

/// The kernel's refusal of a netlink message, or a failure to talk to it.
public struct NetlinkError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was asked, with its object: "add address 10.0.0.1/24 to swcb0123456789".
    public let operation: String
    public let errno: Errno
    /// The kernel's own words where it sent some (extended acknowledgement).
    public let detail: String?

    public init(operation: String, errno: Errno, detail: String? = nil) {
        self.operation = operation
        self.errno = errno
        self.detail = detail
    }

    public var description: String {
        "\(operation): \(errno)" + (detail.map { " (\($0))" } ?? "")
    }
}
