import LinuxSystem
import OCI
import TestSupport
import Testing

@testable import Runtime

/// Runs compiled programs by an interpreter of classic BPF, so that what a profile means is tested without loading it.
@Suite @BlockingTests struct SeccompTests {
    private static let docker = Result {
        try SeccompCompiler.compile(DockerDefaults.seccomp(capabilities: Capabilities.docker))
    }
    private static let privileged = Result {
        try SeccompCompiler.compile(DockerDefaults.seccomp(capabilities: Capabilities.names))
    }

    private enum Verdict: Equatable {
        case allow
        case errno(UInt32)
        case other(UInt32)
    }

    private func verdict(
        _ program: Result<[UInt8], any Error>, _ number: UInt32, _ arguments: [UInt64] = [],
        architecture: UInt32 = 0xc000_003e
    ) throws -> Verdict {
        let bytes = try program.get()
        func data(_ offset: UInt32) -> UInt32 {
            switch offset {
            case 0: return number
            case 4: return architecture
            default:
                let index = Int(offset - 16) / 8
                guard index < arguments.count else { return 0 }
                return UInt32(truncatingIfNeeded: arguments[index] >> (offset % 8 == 0 ? 0 : 32))
            }
        }
        var accumulator: UInt32 = 0
        var counter = 0
        while true {
            let at = counter * 8
            let code = UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8
            let (ifTrue, ifFalse) = (Int(bytes[at + 2]), Int(bytes[at + 3]))
            let k = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + 4 + $1]) << (8 * UInt32($1)) }
            counter += 1
            switch code {
            case 0x20: accumulator = data(k)
            case 0x54: accumulator &= k
            case 0x05: counter += Int(k)
            case 0x15: counter += accumulator == k ? ifTrue : ifFalse
            case 0x25: counter += accumulator > k ? ifTrue : ifFalse
            case 0x35: counter += accumulator >= k ? ifTrue : ifFalse
            case 0x06:
                switch k & 0xffff_0000 {
                case 0x7fff_0000: return .allow
                case 0x0005_0000: return .errno(k & 0xffff)
                default: return .other(k)
                }
            default: throw UnknownInstruction(code: code)
            }
        }
    }
    private struct UnknownInstruction: Error { let code: UInt16 }

    #if arch(x86_64)
        @Test(arguments: [0, 1, 59, 41, 101, 231, 332, 435 + 4] as [UInt32])
        func ordinaryCallsAreAllowed(number: UInt32) throws {
            #expect(try verdict(Self.docker, number) == .allow)
        }

        @Test(
            arguments: [
                (165, 1), (166, 1), (272, 1), (308, 1), (425, 1), (321, 1), (246, 1), (250, 1), (323, 1),
                (435, 38),  // clone3: its flags cannot be seen
                (454 + 60, 38),  // newer than anything known
            ] as [(UInt32, UInt32)])
        func otherCallsFail(number: UInt32, errno: UInt32) throws {
            #expect(try verdict(Self.docker, number) == .errno(errno))
        }

        @Test func newerCallsThatTheProfileNamesAreAllowed() throws {
            #expect(try verdict(Self.docker, 452) == .allow)  // fchmodat2
            #expect(try verdict(Self.docker, 457) == .errno(38))  // statmount, without CAP_SYS_ADMIN
            #expect(try verdict(Self.privileged, 457) == .allow)
        }

        @Test func cloneMayNotMakeNamespaces() throws {
            #expect(try verdict(Self.docker, 56, [0x01200011]) == .allow)
            #expect(try verdict(Self.docker, 56, [0x1000_0000 | 17]) == .errno(1))
            #expect(try verdict(Self.privileged, 56, [0x1000_0000 | 17]) == .allow)
        }

        @Test func callsNewerThanTheLibraryAreDeniedWhereAllOthersAreAllowed() throws {
            var profile = RuntimeSpec.Seccomp(defaultAction: "SCMP_ACT_ALLOW")
            profile.syscalls = [.init(names: ["mseal", "bpf"], action: "SCMP_ACT_ERRNO", errnoRet: 1)]
            let program = Result { try SeccompCompiler.compile(profile) }
            #expect(try verdict(program, 462) == .errno(1))
            #expect(try verdict(program, 321) == .errno(1))
            #expect(try verdict(program, 463) == .allow)
            profile.syscalls = [.init(names: ["mseal"], action: "SCMP_ACT_ERRNO")]
            profile.syscalls?[0].args = [.init(index: 0, value: 1, op: "SCMP_CMP_EQ")]
            #expect(throws: SeccompError.self) { try SeccompCompiler.compile(profile) }
        }

        @Test func socketFamilies() throws {
            #expect(try verdict(Self.docker, 41, [2]) == .allow)
            #expect(try verdict(Self.docker, 41, [16]) == .allow)
            #expect(try verdict(Self.docker, 41, [38]) == .errno(1))
            #expect(try verdict(Self.docker, 41, [40]) == .errno(1))
            #expect(try verdict(Self.docker, 41, [37]) == .errno(1))
            #expect(try verdict(Self.docker, 41, [45]) == .allow)
            #expect(try verdict(Self.docker, 41, [46]) == .errno(1))
        }

        @Test func thirtyTwoBitCallsHaveTheirOwnNumbers() throws {
            #expect(try verdict(Self.docker, 4, architecture: 0x4000_0003) == .allow)  // write
            #expect(try verdict(Self.docker, 21, architecture: 0x4000_0003) == .errno(1))  // mount
        }
    #endif

    @Test func capabilitiesOpenCalls() throws {
        let names = { (capabilities: [String]) in
            Set(
                DockerDefaults.seccomp(capabilities: capabilities).syscalls?.filter { $0.args == nil }.flatMap(\.names)
                    ?? [])
        }
        #expect(!names(Capabilities.docker).contains("mount"))
        #expect(names(["CAP_SYS_ADMIN"]).isSuperset(of: ["mount", "unshare", "clone3"]))
        #expect(names(["CAP_SYS_TIME"]).contains("settimeofday"))
    }

    @Test func unknownWordsAreRefused() {
        var profile = RuntimeSpec.Seccomp(defaultAction: "SCMP_ACT_PERHAPS")
        #expect(throws: SeccompError.unknownAction("SCMP_ACT_PERHAPS")) { try SeccompCompiler.compile(profile) }
        profile.defaultAction = "SCMP_ACT_ALLOW"
        profile.architectures = ["SCMP_ARCH_VAX"]
        #expect(throws: SeccompError.unknownArchitecture("SCMP_ARCH_VAX")) { try SeccompCompiler.compile(profile) }
    }

    @Test func compiledProgramsAreKeptAndDamagedOnesMadeAnew() throws {
        let run = "/tmp/swcompose-seccomp-\(UInt64.random(in: 0 ... .max))"
        defer { try? Files.removeTree(run) }
        let compiler = SeccompCompiler(paths: HostPaths(data: run, run: run))
        var profile = RuntimeSpec.Seccomp(defaultAction: "SCMP_ACT_ALLOW")
        profile.syscalls = [
            .init(names: ["kexec_load"], action: "SCMP_ACT_ERRNO", errnoRet: UInt32.random(in: 1...4000))
        ]
        let program = try compiler.bpf(for: profile)
        let names = try Files.list("\(run)/seccomp")
        #expect(names.count == 1)
        #expect(try Files.read("\(run)/seccomp/\(names[0])") == program)
    }

    @Test(arguments: [
        (#"{"syscalls": []}"#, "defaultAction is missing"),
        (#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": 5}]}"#, "syscalls[0].action: "),
        (#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"]}]}"#, "syscalls[0].action is missing"),
        (#"{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG"]}"#, "flags: "),
        ("{", ""),
    ])
    func profilesThatAreWrongSayWhere(json: String, place: String) throws {
        let path = "/tmp/swcompose-profile-\(UInt64.random(in: 0 ... .max)).json"
        defer { try? Files.removeTree(path) }
        try Files.replace(path, with: Array(json.utf8))
        #expect {
            try SeccompProfile.load(path, capabilities: [])
        } throws: {
            "\($0)".hasPrefix("seccomp profile \(path): \(place)")
        }
    }

    @Test func dockersProfileFormat() throws {
        let path = "/tmp/swcompose-profile-\(UInt64.random(in: 0 ... .max)).json"
        defer { try? Files.removeTree(path) }
        let json = """
            {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
             "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
             "syscalls": [
               {"names": ["read"], "action": "SCMP_ACT_ALLOW"},
               {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
               {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
               {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
               {"names": ["later"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "99.0"}}
             ]}
            """
        try Files.replace(path, with: Array(json.utf8))
        let plain = try SeccompProfile.load(path, capabilities: []).syscalls?.flatMap(\.names)
        #expect(plain == ["read", "clone3", "ptrace"])
        let admin = try SeccompProfile.load(path, capabilities: ["CAP_SYS_ADMIN"]).syscalls?.flatMap(\.names)
        #expect(admin == ["read", "mount", "ptrace"])
        try Files.replace(path, with: Array("{}".utf8))
        #expect(throws: SeccompError.self) { try SeccompProfile.load(path, capabilities: []) }
    }
}
