internal import CLinux
internal import Glibc
internal import LinuxSystem
internal import Synchronization

/// Signals as a stream. A handler writes each to a pipe; nothing is blocked, so that programs started from here
/// inherit nothing unusual.
enum HostSignals {
    /// Where the handler writes; it can reach nothing but globals. As many as there are streams at most.
    private static let pipeEnd = Atomic<Int32>(-1)

    /// From now on a byte comes out of the pipe for each of these signals, which do nothing else. The pipe of one
    /// call at a time.
    static func ring(_ signals: [Int32], _ pipe: OwnedDescriptor) {
        // A descriptor of its own, open as long as the process is: a handler may run at any time.
        pipeEnd.store(swc_fcntl_int(pipe.raw, F_DUPFD_CLOEXEC, 3), ordering: .relaxed)
        for number in signals {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                let saved = swc_errno()
                _ = CLinux.write(HostSignals.pipeEnd.load(ordering: .relaxed), &byte, 1)
                swc_set_errno(saved)
            }
        }
    }

    /// SIGINT and SIGTERM as a stream. To be called once in a process.
    static func interrupts() throws -> AsyncStream<Int32> {
        // A supervisor that goes away while it is written to is an error to report, not a reason to die.
        signal(SIGPIPE, SIG_IGN)
        let (read, write) = try OwnedDescriptor.pipe()
        ring([SIGINT, SIGTERM], write)
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        let thread = BlockingPool(limit: 1)
        Task {
            try? await thread.run {
                var byte: UInt8 = 0
                while try check("read", "signal pipe", { CLinux.read(read.raw, &byte, 1) }) == 1 {
                    continuation.yield(Int32(byte))
                }
            }
        }
        return stream
    }
}
