internal import OCI

/// A device rule with every field said and checked.
struct DeviceRule: Equatable {
    enum Kind: Character { case all = "a", block = "b", character = "c" }
    var allow: Bool
    var kind: Kind
    /// nil: every.
    var major: UInt32?
    var minor: UInt32?
    /// Some of ``DeviceProgram/mknod``, ``DeviceProgram/read`` and ``DeviceProgram/write``.
    var access: UInt32

    /// - Throws: ``CgroupError/invalid(_:)``.
    init(_ rule: RuntimeSpec.DeviceRule) throws {
        func number(_ value: Int64?, _ name: String) throws -> UInt32? {
            guard let value, value != -1 else { return nil }
            // Linux has 12 and 20 bits for them.
            guard value >= 0, value < 1 << 20 else {
                throw CgroupError.invalid("device rule: \(name) number \(value) is not within 0 … 1048575")
            }
            return UInt32(value)
        }
        allow = rule.allow
        let type = rule.type ?? "a"
        guard let kind = type.count == 1 ? Kind(rawValue: type.first!) : nil else {
            throw CgroupError.invalid("device rule: type \"\(type)\" is not one of a, b, c")
        }
        self.kind = kind
        major = try number(rule.major, "major")
        minor = try number(rule.minor, "minor")
        access = 0
        for letter in rule.access ?? "rwm" {
            switch letter {
            case "r": access |= DeviceProgram.read
            case "w": access |= DeviceProgram.write
            case "m": access |= DeviceProgram.mknod
            default: throw CgroupError.invalid("device rule: access \"\(rule.access ?? "")\" has more than r, w and m")
            }
        }
        if access == 0 { access = DeviceProgram.everything }
        // v1 takes "a" for everything whatever else the line says; so it is here.
        if kind == .all {
            major = nil
            minor = nil
            access = DeviceProgram.everything
        }
    }

    /// As v1's `devices.allow` and `devices.deny` take it.
    var text: String {
        if kind == .all { return "a" }
        var letters = ""
        if access & DeviceProgram.read != 0 { letters += "r" }
        if access & DeviceProgram.write != 0 { letters += "w" }
        if access & DeviceProgram.mknod != 0 { letters += "m" }
        return "\(kind.rawValue) \(major.map(String.init) ?? "*"):\(minor.map(String.init) ?? "*") \(letters)"
    }

    var coversEverything: Bool { kind == .all }
}

/// Device rules as an eBPF program for cgroup v2, with v1's meaning: the last rule for a device counts, bit by bit of
/// the access asked for; what no rule mentions is allowed.
///
/// The program walks the rules from the last to the first and keeps the accesses not yet decided: an allowing rule
/// strikes its own from them and allows when none is left, a denying rule that meets one of them denies. A rule for
/// everything ends the program, as no earlier one can count.
enum DeviceProgram {
    static let mknod: UInt32 = 1
    static let read: UInt32 = 2
    static let write: UInt32 = 4
    static let everything: UInt32 = 7
    private static let blockType: Int32 = 1
    private static let characterType: Int32 = 2

    /// - Returns: instructions as the kernel has them, in this machine's byte order.
    /// - Throws: ``CgroupError/invalid(_:)``.
    static func instructions(_ rules: [RuntimeSpec.DeviceRule]) throws -> [UInt64] {
        // r1 is the context: u32 access << 16 | type, u32 major, u32 minor.
        var program: [UInt64] = [
            encode(loadWord, destination: 2, source: 1, offset: 0),
            encode(move32, destination: 3, source: 2),
            encode(and32, destination: 2, immediate: 0xFFFF),
            encode(shiftRight32, destination: 3, immediate: 16),
            encode(loadWord, destination: 4, source: 1, offset: 4),
            encode(loadWord, destination: 5, source: 1, offset: 8),
        ]
        for rule in rules.reversed() {
            let rule = try DeviceRule(rule)
            if rule.coversEverything {
                return program + verdict(rule.allow)
            }
            program += block(rule)
        }
        return program + verdict(true)
    }

    private static func block(_ rule: DeviceRule) -> [UInt64] {
        var action: [UInt64]
        if rule.access == everything {
            action = verdict(rule.allow)
        } else if rule.allow {
            action = [
                encode(and32, destination: 3, immediate: Int32(everything & ~rule.access)),
                encode(jumpUnlessEqual, destination: 3, offset: 2, immediate: 0),
            ]
            action += verdict(true)
        } else {
            action = [
                encode(jumpIfAnyBit, destination: 3, offset: 1, immediate: Int32(rule.access)),
                encode(jump, offset: 2),
            ]
            action += verdict(false)
        }
        // Each condition jumps over those after it and over the action.
        var conditions: [(register: UInt8, value: Int32)] = [
            (2, rule.kind == .block ? blockType : characterType)
        ]
        if let major = rule.major { conditions.append((4, Int32(major))) }
        if let minor = rule.minor { conditions.append((5, Int32(minor))) }
        let checks = conditions.enumerated().map { index, condition in
            encode(
                jumpUnlessEqual, destination: condition.register,
                offset: Int16(conditions.count - index - 1 + action.count), immediate: condition.value)
        }
        return checks + action
    }

    private static func verdict(_ allow: Bool) -> [UInt64] {
        [encode(move32Immediate, destination: 0, immediate: allow ? 1 : 0), encode(exit)]
    }

    // Opcodes, as linux/bpf.h composes them.
    private static let loadWord: UInt8 = 0x61  // LDX | MEM | W
    private static let move32: UInt8 = 0xBC  // ALU | MOV | X
    private static let move32Immediate: UInt8 = 0xB4  // ALU | MOV | K
    private static let and32: UInt8 = 0x54  // ALU | AND | K
    private static let shiftRight32: UInt8 = 0x74  // ALU | RSH | K
    private static let jump: UInt8 = 0x05  // JMP | JA
    private static let jumpUnlessEqual: UInt8 = 0x55  // JMP | JNE | K
    private static let jumpIfAnyBit: UInt8 = 0x45  // JMP | JSET | K
    private static let exit: UInt8 = 0x95  // JMP | EXIT

    private static func encode(
        _ code: UInt8, destination: UInt8 = 0, source: UInt8 = 0, offset: Int16 = 0, immediate: Int32 = 0
    ) -> UInt64 {
        UInt64(code) | UInt64(source << 4 | destination) << 8 | UInt64(UInt16(bitPattern: offset)) << 16
            | UInt64(UInt32(bitPattern: immediate)) << 32
    }
}
