internal import CLinux

/// The program's own code in memory.
public enum CodePages {
    /// Lets go of the pages of code that this process has mapped. They stay in the page cache, and those still needed
    /// come back at a minor fault each: what only starting up or one large request used no longer counts as this
    /// process's memory.
    public static func release() {
        guard let maps = try? Files.readString("/proc/self/maps") else { return }
        for line in maps.split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            // Only what is neither writable nor anonymous: nothing in it can differ from the file.
            // The path is set off with spaces.
            guard fields.count == 6, fields[1] == "r-xp", fields[5].drop(while: { $0 == " " }).first == "/" else {
                continue
            }
            let bounds = fields[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
            guard bounds.count == 2, let start = UnsafeMutableRawPointer(bitPattern: bounds[0]) else { continue }
            madvise(start, Int(bounds[1] - bounds[0]), MADV_DONTNEED)
        }
    }
}
