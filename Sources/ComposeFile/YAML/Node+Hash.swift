extension Node {
    /// Equal for trees of the same content in the sense of ``isSame(as:)``.
    var contentHash: Int {
        var hasher = Hasher()
        feed(&hasher)
        return hasher.finalize()
    }

    private func feed(_ hasher: inout Hasher) {
        switch value {
        case .null: hasher.combine(0)
        case .bool(let flag): hasher.combine(flag)
        case .int(let number): hasher.combine(number)
        case .unsigned(let number): hasher.combine(number)
        case .float(let number): hasher.combine(number)
        case .string(let text), .timestamp(let text): hasher.combine(text)
        case .sequence(let items):
            hasher.combine(items.count)
            for item in items { item.feed(&hasher) }
        case .mapping(let mapping):
            // Whatever the order of the keys.
            var sum = 0
            for entry in mapping {
                var inner = Hasher()
                inner.combine(entry.key)
                entry.value.feed(&inner)
                sum &+= inner.finalize()
            }
            hasher.combine(sum)
        }
    }
}
