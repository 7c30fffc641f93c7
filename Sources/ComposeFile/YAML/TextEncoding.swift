/// The encodings that YAML streams may have (YAML 1.2.2, section 5.2).
enum TextEncoding {
    /// UTF-16 with a byte order mark becomes UTF-8; anything else is left as it is.
    static func utf8(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= 2 else { return bytes }
        let isLittle = bytes[0] == 0xFF && bytes[1] == 0xFE
        guard isLittle || (bytes[0] == 0xFE && bytes[1] == 0xFF) else { return bytes }
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        for index in stride(from: 2, to: bytes.count - 1, by: 2) {
            let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
            units.append(isLittle ? second << 8 | first : first << 8 | second)
        }
        // Halves of characters are left for the parser to refuse, in the encoding that it can show.
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        let isBroken = transcode(
            units.makeIterator(), from: UTF16.self, to: UTF8.self, stoppingOnError: true, into: { result.append($0) })
        return isBroken || bytes.count % 2 != 0 ? bytes : result
    }
}
