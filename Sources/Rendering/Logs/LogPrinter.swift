/// Prints lines of containers as Docker Compose does: `web-1  | text`, each container in a colour of its own.
public final class LogPrinter {
    public struct Options: Sendable {
        public var colour = false
        public var prefix = true
        public var timestamps = false
        /// Everything to stdout, as `logs` has it; `up` keeps the streams apart.
        public var joinStreams = true
        public init() {}
    }

    private struct Source {
        var name: String
        var colour: String?
        var prefix: [UInt8] = []
    }

    private let options: Options
    private let output: OutputBuffer
    private let errors: OutputBuffer
    private var sources: [Source] = []
    private var indices: [String: Int] = [:]
    /// Of the last line: the next one is mostly from the same.
    private var last = (name: "", index: -1)
    private var nextColour = 0
    private var width = 0
    private static let palette = ["36", "33", "32", "35", "34", "36;1", "33;1", "32;1", "35;1", "34;1"]

    public init(options: Options, output: OutputBuffer, errors: OutputBuffer) {
        self.options = options
        self.output = output
        self.errors = errors
    }

    /// Makes a container known: colours go by the order of this, and the longest name sets the width of all prefixes.
    public func register(_ name: String) { _ = index(of: name) }

    private func index(of name: String) -> Int {
        if last.index >= 0, last.name == name { return last.index }
        if let index = indices[name] {
            last = (name, index)
            return index
        }
        var colour: String?
        if options.colour {
            colour = Self.palette[nextColour % Self.palette.count]
            nextColour += 1
        }
        indices[name] = sources.count
        sources.append(Source(name: name, colour: colour))
        width = max(width, name.count + 1)
        for index in sources.indices { sources[index].prefix = prefix(of: sources[index]) }
        return sources.count - 1
    }

    private func prefix(of source: Source) -> [UInt8] {
        guard options.prefix else { return [] }
        let padding = String(repeating: " ", count: width - source.name.count)
        return Array(coloured("\(source.name)\(padding) | ", source.colour).utf8)
    }

    private func coloured(_ text: String, _ colour: String?) -> String {
        colour.map { "\u{1B}[\($0)m\(text)\u{1B}[0m" } ?? text
    }

    public func print(_ line: LogLine, of name: String) {
        let index = index(of: name)
        let other = line.stream == .stderr && !options.joinStreams
        // What is still held back of the other stream was said before.
        (other ? output : errors).flush()
        let target = other ? errors : output
        target.write(sources[index].prefix)
        if options.timestamps {
            var stamp: [UInt8] = []
            line.time.appendRFC3339(to: &stamp)
            target.write(stamp)
            target.write(byte: UInt8(ascii: " "))
        }
        target.write(line.text)
        target.write(byte: UInt8(ascii: "\n"))
    }

    /// `web-1 exited with code 3`, on stdout.
    public func status(_ text: String, of name: String) {
        let index = index(of: name)
        errors.flush()
        output.write(coloured("\(name) \(text)\n", sources[index].colour))
    }

    public func flush() {
        output.flush()
        errors.flush()
    }
}
