/// The short form of a volume: `[SOURCE:]TARGET[:OPTIONS]`.
struct VolumeSpec: Equatable {
    var source: String?
    var target = ""
    var isBind = false
    var isReadOnly = false
    var noCopy = false
    var propagation: String?
    var selinux: String?
    /// Printed even when it says nothing.
    var hasVolumeSettings = true

    struct Failure: Error, Equatable {
        var text: String
    }

    static func parse(_ text: String) throws(Failure) -> VolumeSpec {
        guard !text.isEmpty else { throw Failure(text: "invalid empty volume spec") }
        var spec = VolumeSpec()
        if text.utf8.count <= 2 {
            spec.target = text
            spec.hasVolumeSettings = false
            return spec
        }
        let sections = split(text)
        func invalid(_ reason: String) -> Failure { Failure(text: "invalid spec: \(text): \(reason)") }
        if sections.contains(where: \.isEmpty) { throw invalid("empty section between colons") }
        switch sections.count {
        case 1: spec.target = sections[0]
        case 2: (spec.source, spec.target) = (sections[0], sections[1])
        case 3:
            (spec.source, spec.target) = (sections[0], sections[1])
            for option in sections[2].split(separator: ",", omittingEmptySubsequences: false) {
                spec.apply(String(option))
            }
        default: throw invalid("too many colons")
        }
        spec.isBind = spec.source.map(isPath) ?? false
        return spec
    }

    /// Options that are not known are passed over, as the reference does.
    private mutating func apply(_ option: String) {
        switch option {
        case "ro": isReadOnly = true
        case "rw": isReadOnly = false
        case "nocopy": noCopy = true
        case "rprivate", "private", "rshared", "shared", "rslave", "slave": propagation = option
        case "z", "Z": selinux = option
        default: break
        }
    }

    /// Splits at colons, but not inside `${…}` and not after a single letter, which is a drive of Windows'.
    private static func split(_ text: String) -> [String] {
        var sections: [String] = []
        var current: [UInt8] = []
        var depth = 0
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "$"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "{") { depth += 1 }
            if byte == UInt8(ascii: "}"), depth > 0 { depth -= 1 }
            let isDrive = current.count == 1 && isLetter(current[0])
            if byte == UInt8(ascii: ":"), depth == 0, !isDrive {
                sections.append(String(decoding: current, as: UTF8.self))
                current = []
            } else {
                current.append(byte)
            }
        }
        sections.append(String(decoding: current, as: UTF8.self))
        return sections
    }

    private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A }

    /// A source that names a path of the host, not a volume.
    static func isPath(_ source: String) -> Bool {
        let bytes = Array(source.utf8)
        guard let first = bytes.first else { return false }
        if first == UInt8(ascii: ".") || first == UInt8(ascii: "/") || first == UInt8(ascii: "~") { return true }
        if bytes.starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "\\")]) { return true }
        return bytes.count > 1 && isLetter(first) && bytes[1] == UInt8(ascii: ":")
    }

    /// The long form.
    func node(at mark: Mark) -> Node {
        func string(_ text: String) -> Node { Node(.string(text), at: mark) }
        var result = Mapping()
        result.set("type", string(isBind ? "bind" : "volume"))
        if let source { result.set("source", string(source)) }
        result.set("target", string(Paths.clean(target)))
        if isReadOnly { result.set("read_only", Node(.bool(true), at: mark)) }
        if isBind || propagation != nil || selinux != nil {
            var bind = Mapping()
            if let selinux { bind.set("selinux", string(selinux)) }
            if let propagation { bind.set("propagation", string(propagation)) }
            if isBind { bind.set("create_host_path", Node(.bool(true), at: mark)) }
            result.set("bind", Node(.mapping(bind), at: mark))
        }
        if (!isBind && hasVolumeSettings) || noCopy {
            var volume = Mapping()
            if noCopy { volume.set("nocopy", Node(.bool(true), at: mark)) }
            result.set("volume", Node(.mapping(volume), at: mark))
        }
        return Node(.mapping(result), at: mark)
    }
}
