/// Lines of several logs in the order of their times; the lines of one log stay in their own order.
public struct LogMerger<Source> {
    private var heads: [(source: Source, reader: LogReader, line: LogLine?)] = []

    public init() {}

    public mutating func add(_ source: Source, _ reader: LogReader) { heads.append((source, reader, nil)) }

    /// Hands out everything there is now.
    /// - Throws: ``SystemError``, or what `body` throws.
    public mutating func drain(_ body: (Source, LogLine) throws -> Void) throws {
        for index in heads.indices where heads[index].line == nil { heads[index].line = try heads[index].reader.next() }
        while true {
            var earliest: Int?
            var second: Int?
            for index in heads.indices {
                guard let line = heads[index].line else { continue }
                if let best = earliest, heads[best].line!.time <= line.time {
                    if second.map({ heads[$0].line!.time > line.time }) ?? true { second = index }
                } else {
                    second = earliest
                    earliest = index
                }
            }
            guard let earliest else { return }
            // One log often has many lines before the next one has its first: no comparing of all for each.
            let limit = second.flatMap { heads[$0].line?.time }
            repeat {
                try body(heads[earliest].source, heads[earliest].line!)
                heads[earliest].line = try heads[earliest].reader.next()
            } while heads[earliest].line.map { line in limit.map { line.time <= $0 } ?? true } ?? false
        }
    }
}
