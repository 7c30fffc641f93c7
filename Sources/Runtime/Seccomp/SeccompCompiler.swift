internal import CLinux
internal import CSeccomp
public import LinuxSystem
public import OCI
internal import Synchronization
internal import SystemPackage

public enum SeccompError: Error, Sendable, Equatable, CustomStringConvertible {
    case unknownAction(String)
    case unknownComparison(String)
    case unknownArchitecture(String)
    case rejected(rule: String, reason: String)
    case unreadableProfile(path: String, reason: String)

    public var description: String {
        switch self {
        case .unknownAction(let name): "seccomp profile: unknown action \(name)"
        case .unknownComparison(let name): "seccomp profile: unknown comparison \(name)"
        case .unknownArchitecture(let name): "seccomp profile: unknown architecture \(name)"
        case .rejected(let rule, let reason): "seccomp profile: \(rule): \(reason)"
        case .unreadableProfile(let path, let reason): "seccomp profile \(path): \(reason)"
        }
    }
}

/// Profiles as filter programs. Compiling one takes longer than starting a container does, so what was compiled is
/// kept: in memory, and in `<run>/seccomp` for the next process.
public struct SeccompCompiler: Sendable {
    private let directory: String
    private static let memory = Mutex<[String: [UInt8]]>([:])

    public init(paths: HostPaths) { directory = "\(paths.run)/seccomp" }

    /// The program's instructions, each a `struct sock_filter`.
    /// - Throws: ``SeccompError``
    public func bpf(for profile: RuntimeSpec.Seccomp) throws -> [UInt8] {
        let key = Self.key(profile)
        if let known = Self.memory.withLock({ $0[key] }) { return known }
        let path = "\(directory)/\(key)"
        let program: [UInt8]
        if let stored = Self.read(path) {
            program = stored
        } else {
            program = try Self.compile(profile)
            // A cache: without it the next one compiles again.
            try? Files.makeDirectories(directory, mode: 0o700)
            try? Files.replace(path, with: program, mode: 0o600)
        }
        Self.memory.withLock { $0[key] = program }
        return program
    }

    /// Only what root wrote, and what has the form of a program.
    private static func read(_ path: String) -> [UInt8]? {
        guard let file = try? OwnedDescriptor.open(path, O_RDONLY | O_NOFOLLOW) else { return nil }
        var info = stat()
        guard fstat(file.raw, &info) == 0, info.st_uid == geteuid(), info.st_mode & 0o022 == 0,
            let bytes = try? Files.read("/proc/self/fd/\(file.raw)"), !bytes.isEmpty,
            bytes.count % FilterInstruction.size == 0
        else { return nil }
        return bytes
    }

    // MARK: Compiling

    static func compile(_ profile: RuntimeSpec.Seccomp) throws -> [UInt8] {
        guard let context = seccomp_init(try action(profile.defaultAction, profile.defaultErrnoRet)) else {
            throw SeccompError.unknownAction(profile.defaultAction)
        }
        defer { seccomp_release(context) }
        for name in profile.architectures ?? [] {
            guard let token = SeccompArchitecture.token(name) else { throw SeccompError.unknownArchitecture(name) }
            // Its own is there from the start.
            let result = seccomp_arch_add(context, token)
            guard result == 0 || result == -EEXIST else { throw failure(name, result) }
        }
        // Looked up in a tree: a chain of some four hundred comparisons would be walked at every call.
        seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)
        var newer: [UInt32: NewCall] = [:]
        for rule in profile.syscalls ?? [] {
            let action = try action(rule.action, rule.errnoRet)
            let arguments = try (rule.args ?? []).map(comparison)
            for name in rule.names {
                let resolved = seccomp_syscall_resolve_name(name)
                let isKnown = resolved != __NR_SCMP_ERROR
                // Names of other architectures and misspelt ones mean nothing here, as with Docker.
                guard let number = isKnown ? resolved : NewSystemCalls.numbers[name].map(CInt.init) else { continue }
                if NewSystemCalls.range.contains(number) {
                    // Also where this libseccomp knows the call, as distributions add single ones to old versions:
                    // the prologue is asked first.
                    newer[UInt32(number)] = arguments.isEmpty ? .answer(action) : .leave
                    if arguments.isEmpty { continue }
                    guard isKnown else {
                        throw SeccompError.rejected(
                            rule: name, reason: "this libseccomp is too old to look at the call's arguments")
                    }
                }
                let result = seccomp_rule_add_array(context, action, number, UInt32(arguments.count), arguments)
                // A rule that only repeats the default action is refused, and needless.
                guard result == 0 || result == -EACCES || result == -EEXIST else { throw failure(name, result) }
            }
        }
        return prologue(newer, default: try action(profile.defaultAction, profile.defaultErrnoRet))
            + (try export(context))
    }

    /// What the prologue does with a call of ``NewSystemCalls``.
    private enum NewCall {
        case answer(UInt32)
        /// To libseccomp's program.
        case leave
    }

    /// Decides on calls newer than libseccomp before its program runs: those that the profile names get their action.
    /// Where the profile answers all others with an error, those that are as new do not exist.
    private static func prologue(_ calls: [UInt32: NewCall], default action: UInt32) -> [UInt8] {
        let deniesUnknown = action & UInt32(SECCOMP_RET_ACTION_FULL) == UInt32(SECCOMP_RET_ERRNO)
        if calls.isEmpty, !deniesUnknown { return [] }
        var ending: [FilterInstruction] = []
        if deniesUnknown {
            ending = [
                FilterInstruction(
                    code: BPF.jumpIfGreaterOrEqual, ifTrue: 0, ifFalse: 2, k: UInt32(NewSystemCalls.range.lowerBound)),
                FilterInstruction(
                    code: BPF.jumpIfGreaterOrEqual, ifTrue: 1, ifFalse: 0, k: UInt32(NewSystemCalls.range.upperBound)),
                FilterInstruction(code: BPF.return, k: UInt32(SECCOMP_RET_ERRNO) | UInt32(ENOSYS)),
            ]
        }
        // Two instructions a call.
        var remaining = calls.count * 2
        var program = [FilterInstruction(code: BPF.loadWord, k: 0)]
        for (number, call) in calls.sorted(by: { $0.key < $1.key }) {
            remaining -= 2
            program.append(FilterInstruction(code: BPF.jumpIfEqual, ifTrue: 0, ifFalse: 1, k: number))
            switch call {
            case .answer(let action): program.append(FilterInstruction(code: BPF.return, k: action))
            case .leave: program.append(FilterInstruction(code: BPF.jump, k: UInt32(remaining + ending.count)))
            }
        }
        return (program + ending).flatMap(\.bytes)
    }

    private static func export(_ context: scmp_filter_ctx) throws -> [UInt8] {
        let file = OwnedDescriptor(try check("memfd_create") { swc_memfd_create("seccomp", UInt32(MFD_CLOEXEC)) })
        let result = seccomp_export_bpf(context, file.raw)
        guard result == 0 else { throw failure("export", result) }
        return try Files.read("/proc/self/fd/\(file.raw)")
    }

    private static func failure(_ rule: String, _ result: CInt) -> SeccompError {
        .rejected(rule: rule, reason: Errno(rawValue: -result).description)
    }

    private static func action(_ name: String, _ errno: UInt32?) throws -> UInt32 {
        switch name {
        case "SCMP_ACT_ALLOW": UInt32(SECCOMP_RET_ALLOW)
        case "SCMP_ACT_ERRNO": UInt32(SECCOMP_RET_ERRNO) | (errno ?? UInt32(EPERM)) & 0xffff
        case "SCMP_ACT_TRACE": UInt32(SECCOMP_RET_TRACE) | (errno ?? 0) & 0xffff
        case "SCMP_ACT_LOG": UInt32(SECCOMP_RET_LOG)
        case "SCMP_ACT_TRAP": UInt32(SECCOMP_RET_TRAP)
        case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD": UInt32(SECCOMP_RET_KILL_THREAD)
        case "SCMP_ACT_KILL_PROCESS": UInt32(SECCOMP_RET_KILL_PROCESS)
        default: throw SeccompError.unknownAction(name)
        }
    }

    private static func comparison(_ argument: RuntimeSpec.Seccomp.Argument) throws -> scmp_arg_cmp {
        let operations: [String: scmp_compare] = [
            "SCMP_CMP_NE": SCMP_CMP_NE, "SCMP_CMP_LT": SCMP_CMP_LT, "SCMP_CMP_LE": SCMP_CMP_LE,
            "SCMP_CMP_EQ": SCMP_CMP_EQ, "SCMP_CMP_GE": SCMP_CMP_GE, "SCMP_CMP_GT": SCMP_CMP_GT,
            "SCMP_CMP_MASKED_EQ": SCMP_CMP_MASKED_EQ,
        ]
        guard let operation = operations[argument.op] else { throw SeccompError.unknownComparison(argument.op) }
        return scmp_arg_cmp(
            arg: argument.index, op: operation, datum_a: argument.value, datum_b: argument.valueTwo ?? 0)
    }

    /// Of everything that the program depends on.
    private static func key(_ profile: RuntimeSpec.Seccomp) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var second: UInt64 = 0x9e37_79b9_7f4a_7c15
        func mix(_ text: String) {
            for byte in text.utf8 {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
                second = (second &+ UInt64(byte)) &* 0x2545_f491_4f6c_dd1d
                second ^= second >> 29
            }
            hash = (hash ^ 0xff) &* 0x100_0000_01b3
        }
        let version = seccomp_version().pointee
        mix(
            "3 \(version.major).\(version.minor).\(version.micro) \(profile.defaultAction) \(profile.defaultErrnoRet ?? 0)"
        )
        for name in profile.architectures ?? [] { mix(name) }
        for rule in profile.syscalls ?? [] {
            mix("\(rule.action) \(rule.errnoRet ?? 0)")
            for name in rule.names { mix(name) }
            for argument in rule.args ?? [] {
                mix("\(argument.index) \(argument.op) \(argument.value) \(argument.valueTwo ?? 0)")
            }
        }
        return String(hash, radix: 16) + String(second, radix: 16)
    }
}

/// One instruction of a classic BPF program, as `struct sock_filter` lies in memory.
struct FilterInstruction {
    static let size = 8
    var code: UInt16
    var ifTrue: UInt8 = 0
    var ifFalse: UInt8 = 0
    var k: UInt32

    var bytes: [UInt8] {
        withUnsafeBytes(of: code) { Array($0) } + [ifTrue, ifFalse] + withUnsafeBytes(of: k) { Array($0) }
    }
}

/// Opcodes of classic BPF.
enum BPF {
    static let loadWord: UInt16 = 0x20
    static let jump: UInt16 = 0x05
    static let jumpIfEqual: UInt16 = 0x15
    static let jumpIfGreaterOrEqual: UInt16 = 0x35
    static let `return`: UInt16 = 0x06
}
