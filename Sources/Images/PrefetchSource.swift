internal import CLinux
internal import LinuxSystem

/// Reads another source ahead on a thread of its own, so that reading, inflating and hashing go on while what they gave
/// is written to the disk. From its first use on, the other source belongs to that thread, until the end is read.
final class PrefetchSource: ByteSource {
    private let queue = Queue()
    private var current: Chunk?
    private var position = 0

    init(_ source: any ByteSource) throws {
        let work = Work(source, queue)
        try DetachedThread.start(stackSize: 512 * 1024) { work.run() }
    }

    /// The thread is not waited for: it may be in a read of a pipe that gives nothing. It ends with that.
    deinit { queue.cancel() }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if current == nil {
            current = queue.next()
            position = 0
        }
        guard let chunk = current else { return 0 }
        switch chunk.result {
        case .failure(let error): throw error
        case .success(0): return 0
        case .success(let length):
            let count = min(buffer.count, length - position)
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: chunk.bytes[position..<(position + count)]))
            position += count
            if position == length {
                queue.giveBack(chunk)
                current = nil
            }
            return count
        }
    }

    /// A buffer and what reading into it gave; owned by one side at a time.
    private final class Chunk {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 19, alignment: 4096)
        var result: Result<Int, any Error> = .success(0)
        deinit { bytes.deallocate() }
    }

    /// Used by its thread only.
    private final class Work: @unchecked Sendable {
        private let source: any ByteSource
        private let queue: Queue

        init(_ source: any ByteSource, _ queue: Queue) {
            self.source = source
            self.queue = queue
        }

        func run() {
            while let chunk = queue.takeFree() {
                chunk.result = Result { try fill(chunk.bytes) }
                let isLast: Bool
                if case .success(let count) = chunk.result { isLast = count == 0 } else { isLast = true }
                queue.put(chunk)
                if isLast { return }
            }
        }

        private func fill(_ bytes: UnsafeMutableRawBufferPointer) throws -> Int {
            var count = 0
            while count < bytes.count {
                let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[count...]))
                if got == 0 { break }
                count += got
            }
            return count
        }
    }

    /// Hands chunks to and fro. All state is used under `mutex` only.
    private final class Queue: @unchecked Sendable {
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        private var free = (0..<4).map { _ in Chunk() }
        private var full: [Chunk] = []
        private var isCancelled = false

        init() {
            pthread_mutex_init(mutex, nil)
            pthread_cond_init(changed, nil)
        }

        deinit {
            pthread_cond_destroy(changed)
            pthread_mutex_destroy(mutex)
            changed.deallocate()
            mutex.deallocate()
        }

        private func locked<T>(_ body: () -> T) -> T {
            pthread_mutex_lock(mutex)
            defer {
                pthread_cond_signal(changed)
                pthread_mutex_unlock(mutex)
            }
            return body()
        }

        /// nil when nobody wants more.
        func takeFree() -> Chunk? {
            locked {
                while free.isEmpty, !isCancelled { pthread_cond_wait(changed, mutex) }
                return isCancelled ? nil : free.removeLast()
            }
        }

        func next() -> Chunk {
            locked {
                while full.isEmpty { pthread_cond_wait(changed, mutex) }
                return full.removeFirst()
            }
        }

        func put(_ chunk: Chunk) { locked { full.append(chunk) } }
        func giveBack(_ chunk: Chunk) { locked { free.append(chunk) } }
        func cancel() { locked { isCancelled = true } }
    }
}
