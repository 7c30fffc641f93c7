import CLinux
import CZlib
import Crypto

/// Writes tar archives, also such as no honest program would write.
struct TarWriter {
    private(set) var bytes: [UInt8] = []

    mutating func add(
        _ name: String, type: Character = "0", content: [UInt8] = [], link: String = "", mode: Int = 0o644,
        uid: Int = 0,
        gid: Int = 0, modified: Int = 1_600_000_000, device: (Int, Int) = (0, 0), size: Int? = nil,
        pax: [(String, [UInt8])] = []
    ) {
        if !pax.isEmpty {
            var records: [UInt8] = []
            for (key, value) in pax { records += Self.record(key, value) }
            addHeader(name: "pax", type: "x", size: records.count)
            addContent(records)
        }
        addHeader(
            name: name, type: type, size: size ?? content.count, link: link, mode: mode, uid: uid, gid: gid,
            modified: modified, device: device)
        addContent(content)
    }

    mutating func directory(_ name: String, mode: Int = 0o755, pax: [(String, [UInt8])] = []) {
        add(name, type: "5", mode: mode, pax: pax)
    }
    mutating func file(_ name: String, _ text: String = "x", mode: Int = 0o644) {
        add(name, content: Array(text.utf8), mode: mode)
    }
    mutating func symlink(_ name: String, _ target: String) { add(name, type: "2", link: target) }
    mutating func hardLink(_ name: String, _ target: String) { add(name, type: "1", link: target) }

    mutating func addHeader(
        name: String, type: Character, size: Int, link: String = "", mode: Int = 0o644, uid: Int = 0, gid: Int = 0,
        modified: Int = 0, device: (Int, Int) = (0, 0), patch: (inout [UInt8]) -> Void = { _ in }
    ) {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: some Sequence<UInt8>, at offset: Int, limit: Int) {
            for (index, byte) in text.enumerated() where index < limit { block[offset + index] = byte }
        }
        func put(octal value: Int, at offset: Int, width: Int) {
            let digits = String(value, radix: 8)
            put(
                (String(repeating: "0", count: max(width - 1 - digits.count, 0)) + digits).utf8, at: offset,
                limit: width)
        }
        put(name.utf8, at: 0, limit: 100)
        put(octal: mode, at: 100, width: 8)
        put(octal: uid, at: 108, width: 8)
        put(octal: gid, at: 116, width: 8)
        put(octal: size, at: 124, width: 12)
        put(octal: modified, at: 136, width: 12)
        block[156] = type.asciiValue!
        put(link.utf8, at: 157, limit: 100)
        put("ustar\0".utf8, at: 257, limit: 6)
        put("00".utf8, at: 263, limit: 2)
        put(octal: device.0, at: 329, width: 8)
        put(octal: device.1, at: 337, width: 8)
        patch(&block)
        for index in 148..<156 { block[index] = 0x20 }
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal: sum, at: 148, width: 7)
        block[154] = 0
        bytes += block
    }

    mutating func addContent(_ content: [UInt8]) {
        bytes += content
        bytes += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    /// With the two zero blocks that end an archive.
    var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = 1 + key.utf8.count + 1 + value.count + 1
        var length = rest + 1
        while String(length).count + rest != length { length = String(length).count + rest }
        return Array("\(length) \(key)=".utf8) + value + [0x0a]
    }
}

func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(
        &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: bytes.count + bytes.count / 100 + 1024)
    input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = CUnsignedInt(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = CUnsignedInt(output.count)
            _ = deflate(&stream, Z_FINISH)
        }
    }
    return Array(output[..<Int(stream.total_out)])
}

func digest(_ bytes: [UInt8]) -> String {
    "sha256:"
        + SHA256.hash(data: bytes).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0\(digits)" : digits
        }.joined()
}
