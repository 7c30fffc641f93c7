internal import CLinux
internal import LinuxSystem

/// A file that one thread writes while another reads what is there already, and waits for more.
final class GrowingFile: @unchecked Sendable {
    private let file: OwnedDescriptor
    private let path: String
    /// Guards the two below.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var size: Int64
    /// Nothing is going to come any more: with an error, or because all is there.
    private var end: Result<Void, any Error>?

    /// - Parameter size: how much of the file is there already.
    init(_ file: OwnedDescriptor, path: String, size: Int64) {
        self.file = file
        self.path = path
        self.size = size
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    private func locked<T>(_ body: () throws -> T) rethrows -> T {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Tells readers that the file has `size` bytes now.
    func grew(to size: Int64) {
        locked {
            self.size = size
            pthread_cond_broadcast(changed)
        }
    }

    /// Tells readers that this was all, or that no more can be had. Only the first time counts.
    func finish(_ result: Result<Void, any Error>) {
        locked {
            if end == nil { end = result }
            pthread_cond_broadcast(changed)
        }
    }

    /// Whether nothing more is going to come.
    var isFinished: Bool { locked { end != nil } }

    /// How much there is beyond `position`; 0 at the end.
    private func wait(beyond position: Int64) throws -> Int64 {
        try locked {
            while size <= position, end == nil { pthread_cond_wait(changed, mutex) }
            if size <= position { try end!.get() }
            return size - position
        }
    }

    /// Reads from the file's beginning; waits where it is ahead of the writer.
    /// - Parameter progress: told how far it has read.
    func source(progress: @escaping @Sendable (Int64) -> Void) -> any ByteSource {
        Source(file: self, progress: progress)
    }

    private final class Source: ByteSource {
        private let growing: GrowingFile
        private let progress: @Sendable (Int64) -> Void
        private var position: Int64 = 0

        init(file: GrowingFile, progress: @escaping @Sendable (Int64) -> Void) {
            growing = file
            self.progress = progress
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
            let available = try growing.wait(beyond: position)
            if available == 0 { return 0 }
            let wanted = Int(min(available, Int64(buffer.count)))
            let (file, start) = (growing.file, position)
            let count = try check("pread", growing.path) { pread(file.raw, buffer.baseAddress, wanted, off_t(start)) }
            position += Int64(count)
            progress(position)
            return count
        }
    }
}
