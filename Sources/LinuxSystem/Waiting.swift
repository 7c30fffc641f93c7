internal import CLinux

/// Waiting on the calling thread. Block; call them off the cooperative pool.
public enum Waiting {
    /// Seconds since some point in the past, not counting suspension.
    public static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    public static func sleep(seconds: Double) {
        guard seconds > 0 else { return }
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int((seconds - seconds.rounded(.down)) * 1e9))
        withUnsafeMutablePointer(to: &time) {
            while nanosleep($0, $0) == -1, swc_errno() == EINTR {}
        }
    }

    /// Asks `condition` again and again, at first every millisecond and then less often, until it holds.
    /// - Returns: whether it held within `seconds`.
    public static func until(seconds: Double, _ condition: () throws -> Bool) rethrows -> Bool {
        let end = now() + seconds
        var pause = 0.001
        while true {
            if try condition() { return true }
            let left = end - now()
            if left <= 0 { return false }
            sleep(seconds: min(pause, left))
            pause = min(pause * 1.5, 0.05)
        }
    }

    /// Waits until a file of the kernel's that announces its changes with `POLLPRI` (`cgroup.events`) satisfies
    /// `condition`, which is given the file's text.
    /// - Returns: whether it did within `seconds`.
    /// - Throws: ``SystemError``.
    public static func file(_ path: String, seconds: Double, _ condition: (String) -> Bool) throws -> Bool {
        let file = try OwnedDescriptor.open(path, O_RDONLY)
        let end = now() + seconds
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            // Reading is what arms the notification, so look first and wait then.
            let count = try check("read", path) { pread(file.raw, &bytes, bytes.count, 0) }
            if condition(String(decoding: bytes[..<count], as: UTF8.self)) { return true }
            let left = end - now()
            if left <= 0 { return false }
            var request = pollfd(fd: file.raw, events: Int16(POLLPRI), revents: 0)
            _ = poll(&request, 1, CInt((left * 1000).rounded(.up)))
        }
    }
}
