internal import CLinux
internal import LinuxSystem
internal import Synchronization
internal import SystemPackage

/// Tells when processes end, children or not, from one thread that sleeps until then.
public final class ExitWatcher: Sendable {
    private struct Watched {
        let descriptor: OwnedDescriptor
        let onExit: @Sendable () -> Void
    }
    private let epoll: OwnedDescriptor
    private let watched = Mutex<[UInt64: Watched]>([:])
    private let numbers = Atomic<UInt64>(0)
    private let thread = BlockingPool(limit: 1)

    /// - Throws: ``SystemError`` of `epoll_create1`.
    public init() throws {
        epoll = OwnedDescriptor(try check("epoll_create1") { epoll_create1(CInt(EPOLL_CLOEXEC)) })
        let epoll = epoll
        thread.submit { [weak self] in Self.wait(epoll) { self?.ended($0) } }
    }

    /// Calls `onExit` once when the process has ended: on the watcher's thread, or, where it already has, here and at
    /// once. A child of ours is reaped.
    /// - Throws: ``SystemError`` of `pidfd_open` and `epoll_ctl`.
    public func watch(_ process: ProcessIdentity, onExit: @escaping @Sendable () -> Void) throws {
        guard let descriptor = try process.descriptor() else {
            process.reap()
            onExit()
            return
        }
        let number = numbers.wrappingAdd(1, ordering: .relaxed).newValue
        watched.withLock { $0[number] = Watched(descriptor: descriptor, onExit: onExit) }
        var event = epoll_event()
        event.events = UInt32(EPOLLIN.rawValue)
        event.data.u64 = number
        do {
            try check("epoll_ctl") { epoll_ctl(epoll.raw, EPOLL_CTL_ADD, descriptor.raw, &event) }
        } catch {
            _ = watched.withLock { $0.removeValue(forKey: number) }
            throw error
        }
    }

    private static func wait(_ epoll: OwnedDescriptor, _ deliver: (UInt64) -> Void) {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            let count = epoll_wait(epoll.raw, &events, CInt(events.count), -1)
            for index in 0..<max(0, Int(count)) { deliver(events[index].data.u64) }
        }
    }

    private func ended(_ number: UInt64) {
        guard let entry = watched.withLock({ $0.removeValue(forKey: number) }) else { return }
        epoll_ctl(epoll.raw, EPOLL_CTL_DEL, entry.descriptor.raw, nil)
        ProcessIdentity.reap(entry.descriptor)
        entry.onExit()
    }
}
