internal import CLinux
internal import LinuxSystem
internal import SystemPackage

enum UnixSocket {
    /// nil where nobody listens there.
    static func connect(_ path: String) throws -> OwnedDescriptor? {
        let descriptor = OwnedDescriptor(
            try check("socket") { socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0) })
        var address = sockaddr_un()
        try check("connect", path) { swc_unix_address(&address, path) }
        do {
            try check("connect", path) { swc_connect_unix(descriptor.raw, &address) }
        } catch let error as SystemError
            where error.errno == .noSuchFileOrDirectory || error.errno == .connectionRefused
        {
            return nil
        }
        return descriptor
    }
}
