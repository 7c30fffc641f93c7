import Orchestration
import Testing

@testable import LocalEngine

@Suite struct LogLimitsTests {
    @Test(
        arguments: [
            ("10m", 10 << 20), ("1k", 1 << 10), ("2g", 2 << 30), ("512", 512), ("3MB", 3 << 20), ("7b", 7), ("-1", 0),
        ] as [(String, UInt64)])
    func sizes(text: String, bytes: UInt64) throws {
        #expect(try LogLimits(["max-size": text]).maxSize == bytes)
    }

    @Test func aSizeAloneKeepsOneFileAsDockerDoes() throws {
        #expect(try LogLimits(["max-size": "1m"]).maxFiles == 1)
        #expect(try LogLimits(["max-size": "1m", "max-file": "5"]).maxFiles == 5)
    }

    @Test(arguments: [["max-size": "big"], ["max-file": "0"], ["max-file": "x"], ["tag": "{{.Name}}"]])
    func refused(options: [String: String]) {
        #expect(throws: EngineError.self) { _ = try LogLimits(options) }
    }
}
