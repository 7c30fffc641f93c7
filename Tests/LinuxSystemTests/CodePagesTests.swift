import LinuxSystem
import Testing

@Suite struct CodePagesTests {
    /// Kilobytes of files' code that are mapped.
    private func resident() throws -> Int {
        var total = 0
        var isCode = false
        for line in try Files.readString("/proc/self/smaps").split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            if fields.count > 1, fields[1].count == 4, fields[0].contains("-") {
                isCode = fields[1] == "r-xp" && fields.last?.first == "/"
            } else if isCode, fields[0] == "Rss:" {
                total += Int(fields[1]) ?? 0
            }
        }
        return total
    }

    @Test func whatIsLetGoOfIsNotMappedAnyMore() throws {
        let before = try resident()
        CodePages.release()
        #expect(try resident() < before)
    }
}
