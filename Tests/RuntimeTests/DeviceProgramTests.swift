import OCI
import Testing

@testable import Runtime

@Suite("Device rules as eBPF")
struct DeviceProgramTests {
    @Test("the instructions of one rule, byte for byte")
    func golden() throws {
        let program = try DeviceProgram.instructions([
            .init(allow: false), .init(allow: true, type: "c", major: 1, minor: 3, access: "rw"),
        ])
        #expect(
            program == [
                0x0000_0000_0000_1261,  // r2 = *(u32 *)(r1 + 0)
                0x0000_0000_0000_23BC,  // w3 = w2
                0x0000_FFFF_0000_0254,  // w2 &= 0xffff: the type
                0x0000_0010_0000_0374,  // w3 >>= 16: the access
                0x0000_0000_0004_1461,  // r4 = *(u32 *)(r1 + 4): major
                0x0000_0000_0008_1561,  // r5 = *(u32 *)(r1 + 8): minor
                0x0000_0002_0006_0255,  // if r2 != 2 (character) goto +6
                0x0000_0001_0005_0455,  // if r4 != 1 goto +5
                0x0000_0003_0004_0555,  // if r5 != 3 goto +4
                0x0000_0001_0000_0354,  // w3 &= 1: what is left is mknod
                0x0000_0000_0002_0355,  // if r3 != 0 goto +2
                0x0000_0001_0000_00B4,  // w0 = 1
                0x0000_0000_0000_0095,  // exit
                0x0000_0000_0000_00B4,  // w0 = 0
                0x0000_0000_0000_0095,  // exit
            ])
    }

    private static let docker: [RuntimeSpec.DeviceRule] = [
        .init(allow: false, type: "a", access: "rwm"),
        .init(allow: true, type: "c", access: "m"), .init(allow: true, type: "b", access: "m"),
        .init(allow: true, type: "c", major: 1, minor: 3, access: "r"),
        .init(allow: true, type: "c", major: 1, minor: 3, access: "w"),
        .init(allow: true, type: "c", major: 136, access: "rwm"),
        .init(allow: false, type: "c", major: 136, minor: 7, access: "w"),
        .init(allow: false, type: "c", major: 10, minor: 229, access: "rwm"),
    ]

    @Test(
        "what the program decides",
        arguments: [
            // Two rules together give both accesses.
            ("c", 1, 3, "rw", true), ("c", 1, 3, "rwm", true), ("b", 1, 3, "r", false), ("c", 1, 4, "r", false),
            ("c", 1, 4, "m", true), ("b", 8, 0, "m", true), ("b", 8, 0, "rm", false), ("c", 136, 5, "rw", true),
            ("c", 136, 7, "r", true), ("c", 136, 7, "rw", false), ("c", 10, 229, "m", false),
        ] as [(String, UInt32, UInt32, String, Bool)])
    func verdicts(type: String, major: UInt32, minor: UInt32, access: String, allowed: Bool) throws {
        let program = try DeviceProgram.instructions(Self.docker)
        #expect(run(program, type: type, major: major, minor: minor, access: access) == allowed)
    }

    @Test("what no rule mentions is allowed, and a later rule for everything overrides what is before")
    func catchAll() throws {
        let open = try DeviceProgram.instructions([.init(allow: false, type: "c", major: 1, minor: 5)])
        #expect(run(open, type: "b", major: 8, minor: 0, access: "rw"))
        #expect(!run(open, type: "c", major: 1, minor: 5, access: "r"))
        let privileged = try DeviceProgram.instructions(Self.docker + [.init(allow: true, type: "a")])
        // The verifier refuses instructions that cannot be reached.
        #expect(privileged.count == 8)
        #expect(run(privileged, type: "b", major: 8, minor: 0, access: "rw"))
    }

    /// An interpreter of the few instructions used, checking that jumps stay inside.
    private func run(_ program: [UInt64], type: String, major: UInt32, minor: UInt32, access: String) -> Bool {
        var wanted: UInt32 = 0
        if access.contains("m") { wanted |= 1 }
        if access.contains("r") { wanted |= 2 }
        if access.contains("w") { wanted |= 4 }
        let context = [wanted << 16 | (type == "b" ? 1 : 2), major, minor]
        var registers = [UInt64](repeating: 0, count: 11)
        var place = 0
        while place < program.count {
            let word = program[place]
            let destination = Int(word >> 8 & 0xF)
            let source = Int(word >> 12 & 0xF)
            let offset = Int(Int16(truncatingIfNeeded: word >> 16))
            let immediate = UInt64(word >> 32)
            place += 1
            switch UInt8(truncatingIfNeeded: word) {
            case 0x61: registers[destination] = UInt64(context[offset / 4])
            case 0xBC: registers[destination] = registers[source]
            case 0xB4: registers[destination] = immediate
            case 0x54: registers[destination] &= immediate
            case 0x74: registers[destination] >>= immediate
            case 0x05: place += offset
            case 0x55: if registers[destination] != immediate { place += offset }
            case 0x45: if registers[destination] & immediate != 0 { place += offset }
            case 0x95: return registers[0] == 1
            default:
                Issue.record("unknown instruction \(String(word, radix: 16))")
                return false
            }
        }
        Issue.record("ran off the end")
        return false
    }
}
