import Testing

@testable import LaunchPlan

struct PlanRoundTripTests {
    /// One of each, with values that tell the fields apart.
    static let all: [PlanOperation] = [
        .runDirectory("/r"), .log(path: "/l", maximumSize: 1 << 40, maximumFiles: 3), .stdio(flags: 3),
        .namespaces(0x2000_0000), .joinPidNamespace(path: "/p"), .cgroupProcs(path: "/c"),
        .cgroupDirectory(path: "/d"), .memoryEvents(path: "/m"), .target(pid: 7, startTime: 1 << 33),
        .joinNamespace(kind: 5, path: "/n"), .joinTarget(kinds: 6), .mountPropagation(9),
        .scratch(path: "/s", size: 10),
        .rootOverlay(lower: ["/1", "/2"], upper: "/u", work: "/w", options: ["volatile"]), .rootDirectory("/root"),
        .bindSource(path: "/b", recursive: true),
        .mount(type: "t", source: "s", target: "/t", attributes: 1, options: ["a=b", "c"], flags: 2),
        .bind(source: 1, target: "/t", set: 2, clear: 3, propagation: 4, recursive: true),
        .file(target: "/f", content: [0, 1, 255], mode: 0o400, uid: 1, gid: 2, readOnly: true),
        .device(path: "/dev/x", mode: 1, major: 2, minor: 3, uid: 4, gid: 5), .symlink(content: "a", path: "/b"),
        .mask(path: "/m"), .readOnlyPath("/r"), .mountAttributes(target: "/t", set: 8),
        .directory(path: "/d", mode: 1, uid: 2, gid: 3), .terminal(rows: 24, columns: 80, uid: 1, console: true),
        .hostName("ä"), .domainName(""), .sysctl(path: "p", value: "v"), .awaitCgroup, .awaitGo, .unshare(1 << 25),
        .pivotRoot, .rootReadOnly, .sessionKeyring(name: "k"), .rlimit(resource: 7, soft: 1, hard: .max),
        .oomScoreAdjust(-500), .umask(0o22), .boundingSet(.max), .user(uid: 1, gid: 2, groups: [3, 4]),
        .capabilities(permitted: 1, effective: 2, inheritable: 3, ambient: 4, keepAdmin: true), .noNewPrivileges,
        .workingDirectory("/w"), .seccomp(flags: 1, program: [6, 0, 0, 0, 0, 0, 0xFF, 0x7F]),
        .execute(arguments: ["a", ""], environment: ["B=c"]),
    ]

    @Test func everyOperationComesBack() throws {
        #expect(Set(Self.all.map(\.opcode)) == Set(Opcode.allCases))
        let plan = LaunchPlan(kind: .exec, operations: Self.all)
        #expect(try LaunchPlan(decoding: plan.encoded()) == plan)
    }

    @Test func whatIsCutShortIsRefused() throws {
        let bytes = try LaunchPlan(kind: .run, operations: Self.all).encoded()
        for count in 0..<bytes.count {
            #expect(throws: PlanError.self) { try LaunchPlan(decoding: Array(bytes[0..<count])) }
        }
        #expect(throws: PlanError.self) { try LaunchPlan(decoding: bytes + [0]) }
    }

    @Test func wildBytesDoNotTrap() throws {
        let bytes = try LaunchPlan(kind: .run, operations: Self.all).encoded()
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] = ~damaged[index]
            // Another plan or an error, but always an answer.
            _ = try? LaunchPlan(decoding: damaged)
        }
    }

    @Test func nulBytesAreRefused() {
        let plan = LaunchPlan(kind: .run, operations: [.execute(arguments: ["a\0b"], environment: [])])
        #expect(throws: PlanError.nulByte(in: "a\0b")) { try plan.encoded() }
    }

    @Test func secretsAreNotInDumps() {
        let plan = LaunchPlan(
            kind: .run,
            operations: [
                .file(
                    target: "/run/secrets/k", content: Array("hidden".utf8), mode: 0o400, uid: 0, gid: 0, readOnly: true
                ),
                .execute(arguments: ["x"], environment: ["PASSWORD=hidden"]),
            ])
        #expect(!plan.description.contains("hidden"))
    }
}
