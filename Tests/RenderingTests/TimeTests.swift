import Rendering
import Testing

@Suite struct TimeTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
            (1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456789Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (4_107_542_399_999_000_000, "2100-02-28T23:59:59.999000000Z"),
        ] as [(Int64, String)])
    func rfc3339BothWays(nanoseconds: Int64, text: String) {
        #expect(Timestamp(nanoseconds: nanoseconds).rfc3339 == text)
        #expect(Timestamp.parse(rfc3339: text.utf8)?.nanoseconds == nanoseconds)
    }

    @Test(
        arguments: [
            ("2023-11-14T22:13:20Z", 1_700_000_000), ("2023-11-14T23:13:20+01:00", 1_700_000_000),
            ("2023-11-14T22:13:20.5Z", 1_700_000_000), ("2023-11-14", 1_699_920_000),
            ("2023-11-14T22:13", 1_699_999_980),
        ] as [(String, Int64)])
    func shorterForms(text: String, seconds: Int64) {
        #expect(Timestamp.parse(rfc3339: text.utf8).map { $0.nanoseconds / 1_000_000_000 } == seconds)
    }

    @Test(arguments: ["", "2023", "2023-13-01", "2023-11-14T25:00:00Z", "2023-11-14T22:13:20.Z", "2023-11-14Zx"])
    func notATime(text: String) {
        #expect(Timestamp.parse(rfc3339: text.utf8) == nil)
    }

    @Test(
        arguments: [
            ("42m", 1_700_000_000 - 2520), ("1h30m", 1_700_000_000 - 5400), ("1.5s", 1_699_999_998),
            ("0", 1_700_000_000),
            ("1690000000", 1_690_000_000), ("1690000000.75", 1_690_000_000), ("2023-11-14T22:13:20Z", 1_700_000_000),
        ] as [(String, Int64)])
    func sinceAndUntil(text: String, seconds: Int64) throws {
        let parsed = try TimeArgument.parse(text, now: Sample.now)
        #expect(Int64(parsed.seconds.rounded(.down)) == seconds)
    }

    @Test(arguments: ["", "yesterday", "5x", "m", "1h-3m"])
    func refusedTimes(text: String) {
        #expect(throws: InvalidTime(text: text)) { try TimeArgument.parse(text, now: Sample.now) }
    }
}
