/// The order of keys in YAML output: numbers inside names count as numbers, other signs go before letters.
enum KeyOrder {
    static func precedes(_ first: String, _ second: String) -> Bool {
        // What differs is ASCII as a rule, and bytes need no copy.
        if let result = bytesPrecede(first, second) { return result }
        let a = first.unicodeScalars.map(\.value)
        let b = second.unicodeScalars.map(\.value)
        guard let at = zip(a, b).enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset else {
            return a.count < b.count
        }
        return precedes(a, b, at: at) { Unicode.Scalar($0)?.properties.isAlphabetic ?? false }
    }

    /// nil where the first difference is not ASCII.
    private static func bytesPrecede(_ first: String, _ second: String) -> Bool? {
        var (first, second) = (first, second)
        return first.withUTF8 { a in
            second.withUTF8 { b in
                let shorter = min(a.count, b.count)
                var at = 0
                while at < shorter, a[at] == b[at] { at += 1 }
                if at == shorter { return a.count < b.count }
                guard a[at] < 0x80, b[at] < 0x80 else { return nil }
                return precedes(a, b, at: at) { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A }
            }
        }
    }

    /// - Parameter at: where the two differ first.
    @inline(__always)
    private static func precedes<Units: RandomAccessCollection>(
        _ a: Units, _ b: Units, at: Int, _ isAlphabetic: (Units.Element) -> Bool
    ) -> Bool where Units.Index == Int, Units.Element: FixedWidthInteger {
        let followsDigit = at > 0 && isDigit(a[at - 1])
        switch (isAlphabetic(a[at]), isAlphabetic(b[at])) {
        case (true, true): return a[at] < b[at]
        case (true, false): return followsDigit
        case (false, true): return !followsDigit
        case (false, false): break
        }
        // A zero that continues a number makes it longer, not smaller.
        var continues: Int64 = 0
        if a[at] == 48 || b[at] == 48 {
            var back = at - 1
            while back >= 0, isDigit(a[back]) {
                if a[back] != 48 {
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
        return a[at] < b[at]
    }

    private static func isDigit(_ unit: some FixedWidthInteger) -> Bool { unit >= 48 && unit <= 57 }

    @inline(__always)
    private static func number<Units: RandomAccessCollection>(
        _ units: Units, _ start: Int, _ initial: Int64
    ) -> (Int64, end: Int) where Units.Index == Int, Units.Element: FixedWidthInteger {
        var value = initial
        var index = start
        while index < units.count, isDigit(units[index]) {
            value = value &* 10 &+ Int64(units[index]) &- 48
            index += 1
        }
        return (value, index)
    }
}
