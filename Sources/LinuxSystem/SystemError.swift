public import SystemPackage
internal import CLinux

/// A system call that failed: which, with what error, and on what.
public struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    public let call: String
    public let errno: Errno
    /// Path, name or address the call was about.
    public let subject: String

    public init(_ call: String, _ errno: Errno, _ subject: String = "") {
        self.call = call
        self.errno = errno
        self.subject = subject
    }

    /// With the calling thread's current errno.
    public static func last(_ call: String, _ subject: String = "") -> SystemError {
        SystemError(call, Errno(rawValue: swc_errno()), subject)
    }

    public var description: String {
        subject.isEmpty ? "\(call): \(errno)" : "\(call) \(subject): \(errno)"
    }
}

/// Runs a call that returns -1 on failure, again while it is interrupted.
/// - Throws: ``SystemError`` naming `call` and `subject`.
@discardableResult
public func check<T: SignedInteger>(
    _ call: StaticString, _ subject: @autoclosure () -> String = "", _ body: () -> T
) throws -> T {
    while true {
        let result = body()
        if result != -1 { return result }
        let error = swc_errno()
        if error == EINTR { continue }
        throw SystemError("\(call)", Errno(rawValue: error), subject())
    }
}
