internal import CLinux
internal import Glibc

/// Bytes on their way to a descriptor, collected and written in large pieces.
public final class OutputBuffer {
    private let descriptor: Int32
    private var bytes: [UInt8] = []
    private static let limit = 64 * 1024

    public init(_ descriptor: Int32) {
        self.descriptor = descriptor
        bytes.reserveCapacity(Self.limit + 4096)
    }

    public func write(_ text: String) {
        bytes.append(contentsOf: text.utf8)
        if bytes.count >= Self.limit { flush() }
    }

    public func write(_ more: some Sequence<UInt8>) {
        bytes.append(contentsOf: more)
        if bytes.count >= Self.limit { flush() }
    }

    public func write(byte: UInt8) { bytes.append(byte) }

    /// Writes what is there. A reader that has gone ends the process as it would have without buffering: by SIGPIPE.
    public func flush() {
        defer { bytes.removeAll(keepingCapacity: true) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                CLinux.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
            }
            if count >= 0 {
                done += count
                continue
            }
            switch swc_errno() {
            case EINTR: continue
            case EAGAIN:
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wait, 1, -1)
            case EPIPE:
                signal(SIGPIPE, SIG_DFL)
                raise(SIGPIPE)
                return
            case let error:
                let text = Array("write to descriptor \(descriptor): \(String(cString: strerror(error)))\n".utf8)
                _ = CLinux.write(2, text, text.count)
                exit(1)
            }
        }
    }

    deinit { flush() }
}
