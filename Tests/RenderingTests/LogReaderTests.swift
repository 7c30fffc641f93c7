import Rendering
import Testing

@Suite struct LogReaderTests {
    @Test func everyRotatedFileOldestFirstThenWhatFollows() throws {
        let scratch = Scratch()
        let reader = LogReader(path: scratch.log)
        #expect(try reader.texts() == [])
        scratch.append(Scratch.record("c", 3))
        scratch.append(Scratch.record("b", 2), to: "log.1")
        scratch.append(Scratch.record("a", 1), to: "log.2")
        #expect(try reader.texts() == ["a", "b", "c"])
        scratch.append(Scratch.record("d", 4))
        scratch.rotate()
        scratch.append(Scratch.record("e", 5))
        scratch.rotate()
        scratch.append(Scratch.record("f", 6), Scratch.record("g", 7))
        #expect(try reader.texts() == ["d", "e", "f", "g"])
    }

    @Test func aRecordThatIsBeingWrittenWaits() throws {
        let scratch = Scratch()
        scratch.append(Scratch.record("a", 1), #"{"log":"half"#)
        let reader = LogReader(path: scratch.log)
        #expect(try reader.texts() == ["a"])
        // The test's own newline made the torn record one that is no JSON: it is passed over.
        scratch.append(Scratch.record("b", 2))
        #expect(try reader.texts() == ["b"])
    }

    @Test func piecesOfALineAreJoinedForEachStream() throws {
        let scratch = Scratch()
        scratch.append(
            Scratch.record("out1-", 1, newline: false), Scratch.record("err1-", 2, stream: "stderr", newline: false),
            Scratch.record("out2", 3), Scratch.record("err2", 4, stream: "stderr"),
            Scratch.record("rest", 5, newline: false))
        let reader = LogReader(path: scratch.log)
        var lines: [LogLine] = []
        while let line = try reader.next() { lines.append(line) }
        #expect(
            lines == [
                LogLine(time: Timestamp(seconds: 1), stream: .stdout, text: Array("out1-out2".utf8)),
                LogLine(time: Timestamp(seconds: 2), stream: .stderr, text: Array("err1-err2".utf8)),
            ])
        #expect(reader.remainder().map { String(decoding: $0.text, as: UTF8.self) } == ["rest"])
        #expect(reader.remainder() == [])
    }

    @Test func escapes() throws {
        let scratch = Scratch()
        scratch.append(Scratch.record(#"a\"b\\c\té\ud83d\ude00\u001b[1m\u003c"#, 1))
        #expect(try LogReader(path: scratch.log).texts() == ["a\"b\\c\té😀\u{1B}[1m<"])
    }

    @Test func membersThatWeDoNotKnow() throws {
        let scratch = Scratch()
        scratch.append(#"{"attrs":{"a":["}",1]},"log":"x\n","stream":"stdout","time":"2023-11-14T22:13:20Z"}"#)
        #expect(try LogReader(path: scratch.log).texts() == ["x"])
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5, 6, 100])
    func tailAcrossFilesCountsWholeLines(count: Int) throws {
        let scratch = Scratch()
        scratch.append(Scratch.record("a", 1), Scratch.record("b", 2), to: "log.1")
        scratch.append(
            Scratch.record("c1-", 3, newline: false), Scratch.record("c2", 3), Scratch.record("d", 4),
            Scratch.record("e", 5))
        let reader = LogReader(path: scratch.log, selection: LogSelection(tail: count))
        #expect(try reader.texts() == ["a", "b", "c1-c2", "d", "e"].suffix(count))
        scratch.append(Scratch.record("f", 6))
        #expect(try reader.texts() == ["f"])
    }

    @Test func tailOfALongLog() throws {
        let scratch = Scratch()
        let filler = String(repeating: "x", count: 300)
        for start in stride(from: 0, to: 3000, by: 1000) {
            for number in start..<start + 1000 { scratch.append(Scratch.record("\(number) \(filler)", number)) }
            if start < 2000 { scratch.rotate() }
        }
        let texts = try LogReader(path: scratch.log, selection: LogSelection(tail: 1500)).texts()
        #expect(texts.count == 1500)
        #expect(texts.first?.hasPrefix("1500 ") == true)
        #expect(texts.last?.hasPrefix("2999 ") == true)
    }

    @Test func sinceAndUntil() throws {
        let scratch = Scratch()
        scratch.append(Scratch.record("a", 10), Scratch.record("b", 20), to: "log.1")
        scratch.append(Scratch.record("c", 30), Scratch.record("d", 40))
        func texts(_ selection: LogSelection) throws -> [String] {
            try LogReader(path: scratch.log, selection: selection).texts()
        }
        #expect(try texts(LogSelection(since: Timestamp(seconds: 20))) == ["b", "c", "d"])
        #expect(try texts(LogSelection(since: Timestamp(seconds: 41))) == [])
        #expect(try texts(LogSelection(until: Timestamp(seconds: 30))) == ["a", "b", "c"])
        #expect(try texts(LogSelection(since: Timestamp(seconds: 15), until: Timestamp(seconds: 35))) == ["b", "c"])
        #expect(try texts(LogSelection(tail: 2, since: Timestamp(seconds: 35))) == ["d"])
    }

    @Test func linesOfSeveralLogsComeInTheOrderOfTime() throws {
        let scratch = Scratch()
        scratch.append(Scratch.record("1", 1), Scratch.record("4", 4), Scratch.record("5", 5), to: "a")
        scratch.append(Scratch.record("2", 2), Scratch.record("3", 3), Scratch.record("6", 6), to: "b")
        var merger = LogMerger<String>()
        merger.add("a", LogReader(path: "\(scratch.path)/a"))
        merger.add("b", LogReader(path: "\(scratch.path)/b"))
        var seen: [String] = []
        try merger.drain { seen.append($0 + String(decoding: $1.text, as: UTF8.self)) }
        #expect(seen == ["a1", "b2", "b3", "a4", "a5", "b6"])
        scratch.append(Scratch.record("7", 7), to: "a")
        try merger.drain { seen.append($0 + String(decoding: $1.text, as: UTF8.self)) }
        #expect(seen.last == "a7")
    }
}
