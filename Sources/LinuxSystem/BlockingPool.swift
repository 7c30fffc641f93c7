internal import CLinux
internal import Synchronization

/// Threads for system calls that block, so that these never hold a thread of the cooperative pool. Threads are made
/// on demand up to `limit`, kept for later work, and end with the process.
public final class BlockingPool: Sendable {
    public static let shared = BlockingPool(limit: 16)

    private struct State {
        var queue: [@Sendable () -> Void] = []
        var head = 0
        /// Threads that will take a job without anybody's help: those that wait, and those that just started.
        var idle = 0
        var threads = 0

        var waiting: Int { queue.count - head }
    }
    private let limit: Int
    private let state = Mutex(State())
    private let wakeups: OwnedDescriptor

    public init(limit: Int) {
        self.limit = limit
        wakeups = OwnedDescriptor(eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_SEMAPHORE)))
    }

    /// Runs `body` on a thread of the pool and returns what it returns.
    public func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            submit { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Queues `job` without waiting for it.
    public func submit(_ job: @escaping @Sendable () -> Void) {
        let startThread = state.withLock { state in
            state.queue.append(job)
            // A thread that was woken counts as idle until it has its job, which is still waiting then, too.
            guard state.waiting > state.idle, state.threads < limit else { return false }
            state.threads += 1
            state.idle += 1
            return true
        }
        eventfd_write(wakeups.raw, 1)
        if startThread { spawn() }
    }

    private func spawn() {
        do { try DetachedThread.start(stackSize: 512 * 1024) { self.work() } } catch { fatalError("\(error)") }
    }

    private func work() {
        while true {
            var ticket = eventfd_t()
            while eventfd_read(wakeups.raw, &ticket) != 0 {}
            let job = state.withLock { state in
                state.idle -= 1
                let job = state.queue[state.head]
                state.head += 1
                if state.head == state.queue.count {
                    state.queue.removeAll(keepingCapacity: true)
                    state.head = 0
                }
                return job
            }
            job()
            state.withLock { $0.idle += 1 }
        }
    }
}
