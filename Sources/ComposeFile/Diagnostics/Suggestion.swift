/// Finds the spelling that was probably meant.
public enum Suggestion {
    /// The candidate with the smallest edit distance, if it is near enough to be plausible.
    public static func nearest(to name: String, among candidates: [String]) -> String? {
        guard name.utf8.count <= longest else { return nil }
        let typed = Array(name.lowercased().utf8)
        let limit = max(1, min(3, typed.count / 3))
        var best: (distance: Int, name: String)?
        for candidate in candidates.prefix(most) where candidate.utf8.count <= longest {
            let other = Array(candidate.lowercased().utf8)
            guard abs(other.count - typed.count) <= limit else { continue }
            let distance = distance(typed, other)
            // A name of one letter is near to every other.
            if distance <= limit, distance < typed.count, distance < best?.distance ?? .max {
                best = (distance, candidate)
            }
        }
        return best?.name
    }

    /// Names that are longer, or more in number, are no matter of a slip of the finger.
    private static let longest = 64
    private static let most = 2000

    /// Edits, where swapping two neighbours counts once.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
        var twoBack = [Int](repeating: 0, count: b.count + 1)
        var previous = Array(0...b.count)
        var current = twoBack
        for i in 1...a.count {
            current[0] = i
            for j in 1...b.count {
                let cost = a[i - 1] == b[j - 1] ? 0 : 1
                current[j] = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    current[j] = min(current[j], twoBack[j - 2] + 1)
                }
            }
            (twoBack, previous, current) = (previous, current, twoBack)
        }
        return previous[b.count]
    }
}
