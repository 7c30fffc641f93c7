import CLinux
import LinuxSystem
import OCI
import TestSupport
import Testing

@testable import Runtime

@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
@BlockingTests struct LaunchLogTests {
    let harness: LaunchHarness

    init() throws { harness = try LaunchHarness() }

    @Test func streamsAndTimes() throws {
        _ = try harness.shell("echo out; sleep 0.1; echo err >&2; sleep 0.1; printf last")
        let log = try harness.log()
        #expect(log.map(\.log) == ["out\n", "err\n", "last"])
        #expect(log.map(\.stream) == ["stdout", "stderr", "stdout"])
        #expect(log.map(\.time) == log.map(\.time).sorted())
        var now = time(nil)
        let today = gmtime(&now).pointee
        let prefix = "\(today.tm_year + 1900)-\(two(today.tm_mon + 1))-\(two(today.tm_mday))T\(two(today.tm_hour)):"
        #expect(log[0].time.hasPrefix(prefix) && log[0].time.hasSuffix("Z") && log[0].time.utf8.count == 30)
    }

    private func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }

    @Test func notUTF8() throws {
        // Stray bytes, a cut character, an overlong form, a surrogate; and what is right stays.
        _ = try harness.shell(#"printf 'a\377b\303\n\300\200\355\240\200 \303\244\360\237\220\263\001\342\200\250\n'"#)
        let text = try Files.readString(harness.logPath)
        let lines = text.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix(#"{"log":"a\ufffdb\ufffd\n","#))
        #expect(lines[1].hasPrefix(##"{"log":"\ufffd\ufffd\ufffd\ufffd\ufffd ä🐳\u0001\u2028\n","##))
    }

    @Test func longLinesAreSplit() throws {
        // 40,000 two-byte characters and one byte before, so that a split would cut one.
        _ = try harness.shell("printf x; head -c 40000 /dev/zero | tr '\\0' 'y' | sed 's/y/\u{e4}/g'; echo")
        let log = try harness.log()
        #expect(log.count == 5)
        #expect(log.dropLast().allSatisfy { (16_383...16_384).contains($0.log.utf8.count) && !$0.log.hasSuffix("\n") })
        #expect(log.map(\.log).joined() == "x" + String(repeating: "ä", count: 40_000) + "\n")
    }

    @Test func rotation() throws {
        _ = try harness.shell("seq 1000") { $0.log = LogOptions(path: harness.logPath, maxSize: 10_000, maxFiles: 3) }
        let files = ["", ".1", ".2"]
        for file in files {
            #expect(try Files.read(harness.logPath + file).count < 10_000 + 200)
        }
        #expect(!Files.exists(harness.logPath + ".3"))
        let numbers = try files.reversed().flatMap { try harness.log($0).map { Int($0.log.dropLast()) } }
        let first = try #require(numbers.first ?? nil)
        #expect(numbers == (first...1000).map { $0 })
    }

    @Test func oneFileBeginsAnew() throws {
        _ = try harness.shell("seq 1000") { $0.log = LogOptions(path: harness.logPath, maxSize: 10_000, maxFiles: 1) }
        #expect(try Files.list("\(harness.base)/log") == ["container.log"])
        #expect(try harness.log().last?.log == "1000\n")
    }

    @Test func aNewStartAppends() throws {
        _ = try harness.shell("echo one")
        _ = try harness.shell("echo two")
        #expect(try harness.log().map(\.log) == ["one\n", "two\n"])
    }

    @Test func aLogThatCannotBeWrittenHoldsUpNothing() throws {
        let request = harness.request("sh", "-c", "seq 100000; exit 3") { $0.log = LogOptions(path: "/dev/full") }
        _ = try ContainerRuntime.launch(request)
        #expect(try harness.waitForExit().code == 3)
    }

    @Test func withoutALog() throws {
        _ = try ContainerRuntime.launch(harness.request("sh", "-c", "seq 10000; exit 2") { $0.log.path = nil })
        #expect(try harness.waitForExit().code == 2)
    }
}
