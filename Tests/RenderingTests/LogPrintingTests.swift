import Foundation
import LinuxSystem
import Rendering
import Testing

@Suite struct LogPrintingTests {
    private func line(_ text: String, stream: LogLine.Stream = .stdout) -> LogLine {
        LogLine(time: Timestamp(seconds: 1_700_000_000), stream: stream, text: Array(text.utf8))
    }

    /// What a printer wrote to its two streams.
    private func printed(
        _ configure: (inout LogPrinter.Options) -> Void, _ body: (LogPrinter) -> Void
    ) throws -> (out: String, err: String) {
        let scratch = Scratch()
        var options = LogPrinter.Options()
        configure(&options)
        let out = try OwnedDescriptor.open("\(scratch.path)/out", O_WRONLY | O_CREAT)
        let err = try OwnedDescriptor.open("\(scratch.path)/err", O_WRONLY | O_CREAT)
        let printer = LogPrinter(options: options, output: OutputBuffer(out.raw), errors: OutputBuffer(err.raw))
        body(printer)
        printer.flush()
        return (try Files.readString("\(scratch.path)/out"), try Files.readString("\(scratch.path)/err"))
    }

    @Test func prefixesAreAsWideAsTheLongestName() throws {
        let result = try printed({ _ in }) { printer in
            printer.register("web-1")
            printer.register("database-1")
            printer.print(line("hello"), of: "web-1")
            printer.print(line("oops", stream: .stderr), of: "database-1")
            printer.status("exited with code 3", of: "web-1")
        }
        #expect(result.out == "web-1       | hello\ndatabase-1  | oops\nweb-1 exited with code 3\n")
        #expect(result.err == "")
    }

    @Test func streamsAreKeptApartForUp() throws {
        let result = try printed({ $0.joinStreams = false }) { printer in
            printer.print(line("out"), of: "a-1")
            printer.print(line("err", stream: .stderr), of: "a-1")
        }
        #expect(result.out == "a-1  | out\n")
        #expect(result.err == "a-1  | err\n")
    }

    @Test func coloursGoByTheOrderOfRegistration() throws {
        let result = try printed({ $0.colour = true }) { printer in
            for number in 1...11 { printer.register("s-\(number)") }
            printer.print(line("x"), of: "s-1")
            printer.print(line("x"), of: "s-2")
            printer.print(line("x"), of: "s-6")
            printer.print(line("x"), of: "s-11")
            printer.status("exited with code 0", of: "s-2")
        }
        #expect(
            result.out == """
                \u{1B}[36ms-1   | \u{1B}[0mx
                \u{1B}[33ms-2   | \u{1B}[0mx
                \u{1B}[36;1ms-6   | \u{1B}[0mx
                \u{1B}[36ms-11  | \u{1B}[0mx
                \u{1B}[33ms-2 exited with code 0
                \u{1B}[0m
                """)
    }

    @Test func timestampsAndNoPrefix() throws {
        let result = try printed({
            $0.prefix = false
            $0.timestamps = true
        }) { $0.print(line("x"), of: "a-1") }
        #expect(result.out == "2023-11-14T22:13:20.000000000Z x\n")
    }

    /// Reads from a pipe until `text` has come.
    private func wait(for text: String, on pipe: OwnedDescriptor, _ seen: inout String) throws {
        var chunk = [UInt8](repeating: 0, count: 4096)
        while !seen.contains(text) {
            var ready = pollfd(fd: pipe.raw, events: Int16(POLLIN), revents: 0)
            try #require(poll(&ready, 1, 60_000) == 1, "still waiting for \(text) after: \(seen)")
            let count = read(pipe.raw, &chunk, chunk.count)
            seen += String(decoding: chunk[0..<max(0, count)], as: UTF8.self)
        }
    }

    @Test func followsAcrossRotationAndRestart() async throws {
        let scratch = Scratch()
        let (read, write) = try OwnedDescriptor.pipe()
        let follower = try LogFollower(
            printer: LogPrinter(
                options: LogPrinter.Options(), output: OutputBuffer(write.raw), errors: OutputBuffer(write.raw)))
        let running = Task { try await follower.run() }
        scratch.append(Scratch.record("before", 1))
        follower.add(id: "1", name: "a-1", path: scratch.log, selection: LogSelection())
        var seen = ""
        try wait(for: "before", on: read, &seen)
        scratch.append(Scratch.record("grows", 2))
        try wait(for: "grows", on: read, &seen)
        scratch.rotate()
        scratch.append(Scratch.record("rotated", 3))
        try wait(for: "rotated", on: read, &seen)
        scratch.append(Scratch.record("last words", 4, newline: false))
        follower.finished(id: "1", status: "exited with code 0 (restarting)")
        try wait(for: "(restarting)", on: read, &seen)
        follower.add(id: "1", name: "a-1", path: scratch.log, selection: LogSelection())
        scratch.append(Scratch.record("again", 5))
        try wait(for: "again", on: read, &seen)
        scratch.append(Scratch.record("at the end", 6))
        follower.stop()
        try await running.value
        try wait(for: "at the end", on: read, &seen)
        #expect(
            seen == """
                a-1  | before
                a-1  | grows
                a-1  | rotated
                a-1  | last words
                a-1 exited with code 0 (restarting)
                a-1  | again
                a-1  | at the end

                """)
    }
}
