/// The order of keys in YAML output: numbers inside names count as numbers, other signs go before letters.
enum KeyOrder {
    static func precedes(_ first: String, _ second: String) -> Bool {
        let a = Array(first.unicodeScalars)
        let b = Array(second.unicodeScalars)
        guard let at = zip(a, b).enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset else {
            return a.count < b.count
        }
        let followsDigit = at > 0 && isDigit(a[at - 1])
        let letters = (a[at].properties.isAlphabetic, b[at].properties.isAlphabetic)
        switch letters {
        case (true, true): return a[at].value < b[at].value
        case (true, false): return followsDigit
        case (false, true): return !followsDigit
        case (false, false): break
        }
        // A zero that continues a number makes it longer, not smaller.
        var continues: Int64 = 0
        if a[at] == "0" || b[at] == "0" {
            var back = at - 1
            while back >= 0, isDigit(a[back]) {
                if a[back] != "0" {
                    continues = 1
                    break
                }
                back -= 1
            }
        }
        let (left, leftEnd) = number(a, at, continues)
        let (right, rightEnd) = number(b, at, continues)
        if left != right { return left < right }
        if leftEnd != rightEnd { return leftEnd < rightEnd }
        return a[at].value < b[at].value
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar.value >= 48 && scalar.value <= 57 }

    private static func number(_ scalars: [Unicode.Scalar], _ start: Int, _ initial: Int64) -> (Int64, end: Int) {
        var value = initial
        var index = start
        while index < scalars.count, isDigit(scalars[index]) {
            value = value &* 10 &+ Int64(scalars[index].value - 48)
            index += 1
        }
        return (value, index)
    }
}
