internal import LinuxSystem

/// For suites whose tests wait in system calls: their tests run on one thread beside the cooperative pool, one at a
/// time, so that they never keep from it the asynchronous tests that run meanwhile. It has but a thread for each
/// processor.
@globalActor public actor BlockingTests {
    public static let shared = BlockingTests()

    private final class Executor: SerialExecutor {
        private let thread = BlockingPool(limit: 1)

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            thread.submit { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
        }
    }
    private let executor = Executor()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
}
