internal import CLinux
internal import LinuxSystem

/// A network namespace held by a descriptor: it lives on as long as this does, whatever becomes of its processes.
public struct NetworkNamespace: Sendable {
    let descriptor: OwnedDescriptor

    /// The namespace of a process.
    /// - Throws: ``SystemError``; `ENOENT` where the process is gone.
    public init(ofProcess pid: Int32) throws {
        descriptor = try OwnedDescriptor.open("/proc/\(pid)/ns/net", O_RDONLY)
    }

    /// The namespace of the calling thread.
    public static func current() throws -> NetworkNamespace {
        NetworkNamespace(descriptor: try OwnedDescriptor.open("/proc/thread-self/ns/net", O_RDONLY))
    }

    private init(descriptor: OwnedDescriptor) { self.descriptor = descriptor }

    /// Runs `body` with the calling thread inside, then takes the thread back to where it was. What `body` opens
    /// (sockets, and files of /proc/sys/net) is the namespace's and stays so.
    ///
    /// Not async: a thread that changes hands in between would take somebody else's work into the namespace.
    /// - Throws: ``SystemError`` of `setns`, and what `body` throws.
    public func run<T>(_ body: () throws -> T) throws -> T {
        let home = try Self.current()
        try check("setns", "network namespace") { setns(descriptor.raw, CLONE_NEWNET) }
        defer {
            // A thread left in a container's network would do everything else there: better no process at all.
            precondition(setns(home.descriptor.raw, CLONE_NEWNET) == 0, "cannot return to the host's network namespace")
        }
        return try body()
    }
}
