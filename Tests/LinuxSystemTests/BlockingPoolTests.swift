import LinuxSystem
import Synchronization
import Testing

@Suite("Blocking pool")
struct BlockingPoolTests {
    struct Refused: Error, Equatable {}

    final class Running: Sendable {
        let count = Mutex((now: 0, most: 0))
    }

    @Test("results and errors come back")
    func results() async throws {
        let pool = BlockingPool(limit: 2)
        #expect(try await pool.run { 42 } == 42)
        await #expect(throws: Refused()) { try await pool.run { throw Refused() } }
    }

    @Test("never more threads than the limit, and every job done", .timeLimit(.minutes(1)))
    func limit() async throws {
        let pool = BlockingPool(limit: 3)
        let running = Running()
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await pool.run {
                        running.count.withLock {
                            $0.now += 1
                            $0.most = max($0.most, $0.now)
                        }
                        if number % 20 == 0 { Waiting.sleep(seconds: 0.01) }
                        running.count.withLock { $0.now -= 1 }
                        return number
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 19_900)
        #expect((1...3).contains(running.count.withLock { $0.most }))
    }

    @Test("jobs that wait for each other get a thread each", .timeLimit(.minutes(1)))
    func together() async throws {
        let pool = BlockingPool(limit: 4)
        let running = Running()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await pool.run {
                        running.count.withLock { $0.now += 1 }
                        return Waiting.until(seconds: 10) { running.count.withLock { $0.now } == 4 }
                    }
                }
            }
            for try await met in group { #expect(met) }
        }
    }
    @Test("an idle thread is not counted on twice", .timeLimit(.minutes(1)))
    func burst() async throws {
        for _ in 0..<50 {
            let pool = BlockingPool(limit: 3)
            try await pool.run {}
            // The one thread is idle, or about to be: the first of these must not keep the others waiting.
            let running = Running()
            let done = Running()
            for _ in 0..<3 {
                pool.submit {
                    running.count.withLock { $0.now += 1 }
                    if Waiting.until(seconds: 10, { running.count.withLock { $0.now } == 3 }) {
                        done.count.withLock { $0.now += 1 }
                    }
                }
            }
            for _ in 0..<2000 where done.count.withLock({ $0.now }) < 3 { try await Task.sleep(for: .milliseconds(10)) }
            try #require(done.count.withLock { $0.now } == 3)
        }
    }
}
