/// One line of a container's output.
public struct LogLine: Sendable, Equatable {
    public enum Stream: Sendable, Equatable { case stdout, stderr }
    /// When its first piece was read.
    public var time: Timestamp
    public var stream: Stream
    /// Without the newline.
    public var text: [UInt8]

    public init(time: Timestamp, stream: Stream, text: [UInt8]) {
        self.time = time
        self.stream = stream
        self.text = text
    }
}

/// Which lines of a log are wanted.
public struct LogSelection: Sendable, Equatable {
    /// Only so many from the end; nil: all.
    public var tail: Int?
    public var since: Timestamp?
    public var until: Timestamp?

    public init(tail: Int? = nil, since: Timestamp? = nil, until: Timestamp? = nil) {
        self.tail = tail
        self.since = since
        self.until = until
    }
}
