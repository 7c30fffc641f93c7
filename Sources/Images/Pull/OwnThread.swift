internal import LinuxSystem

/// For work that blocks for long: a thread of its own, so that it keeps none of a pool that others need to go on.
enum OwnThread {
    /// - Throws: what `body` throws; ``SystemError`` where there can be no thread.
    static func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try DetachedThread.start(stackSize: 1 << 20) { continuation.resume(with: Result { try body() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}
