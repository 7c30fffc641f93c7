internal import CLinux
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

enum UnixSocket {
    /// nil where nobody listens there.
    static func connect(_ path: String) throws -> OwnedDescriptor? {
        let descriptor = OwnedDescriptor(
            try check("socket") { socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0) })
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError("connect", .fileNameTooLong, path)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        do {
            try withUnsafePointer(to: &address) { pointer in
                try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    _ = try check("connect", path) {
                        CLinux.connect(descriptor.raw, generic, socklen_t(MemoryLayout<sockaddr_un>.size))
                    }
                }
            }
        } catch let error as SystemError where error.errno == .noSuchFileOrDirectory || error.errno == .connectionRefused {
            return nil
        }
        return descriptor
    }
}

/// A value behind a lock, where `Mutex` cannot be stored directly.
final class Guarded<Value>: @unchecked Sendable {
    private let lock = Mutex(())
    private var value: Value
    init(_ value: Value) { self.value = value }
    func withLock<T>(_ body: (inout Value) throws -> T) rethrows -> T { try lock.withLock { _ in try body(&value) } }
}
