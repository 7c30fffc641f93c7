import LaunchPlan
import Testing

struct PlanFormatTests {
    @Test func bytesOfASmallPlan() throws {
        let plan = LaunchPlan(
            kind: .run, operations: [.hostName("ab"), .umask(0o22), .execute(arguments: ["x"], environment: [])])
        let expected: [UInt8] = [
            0x53, 0x57, 0x4C, 0x50,  // "SWLP"
            1, 0,  // version
            1, 0,  // kind: run
            65, 0, 0, 0,  // length
            3, 0, 0, 0,  // records
            // hostName
            47, 0, 0, 0, 7, 0, 0, 0,  // opcode, flags, payload length
            2, 0, 0, 0, 0x61, 0x62, 0,  // "ab" and its NUL
            // umask
            58, 0, 0, 0, 4, 0, 0, 0,
            0o22, 0, 0, 0,
            // execute
            65, 0, 0, 0, 14, 0, 0, 0,
            1, 0, 0, 0,  // one argument
            1, 0, 0, 0, 0x78, 0,  // "x"
            0, 0, 0, 0,  // no environment
        ]
        #expect(try plan.encoded() == expected)
    }
}
