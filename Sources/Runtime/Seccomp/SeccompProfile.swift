import FoundationEssentials
public import OCI
internal import LinuxSystem

/// Profiles that users bring, in Docker's JSON format.
public enum SeccompProfile {
    private struct File: Decodable {
        var defaultAction: String
        var defaultErrnoRet: UInt32?
        var architectures: [String]?
        var archMap: [Architectures]?
        var flags: [String]?
        var listenerPath: String?
        var syscalls: [Rule]?
    }
    private struct Architectures: Decodable {
        var architecture: String
        var subArchitectures: [String]?
    }
    private struct Rule: Decodable {
        var name: String?
        var names: [String]?
        var action: String
        var errnoRet: UInt32?
        var args: [Argument]?
        var includes: Condition?
        var excludes: Condition?
    }
    private struct Argument: Decodable {
        var index: UInt32
        var value: UInt64
        var valueTwo: UInt64?
        var op: String
    }
    private struct Condition: Decodable {
        var caps: [String]?
        var arches: [String]?
        var minKernel: String?
    }

    /// The profile in a file, with the rules that hold for these capabilities, this machine and this kernel.
    /// - Throws: ``SeccompError/unreadableProfile(path:reason:)``
    public static func load(_ path: String, capabilities: [String]) throws -> RuntimeSpec.Seccomp {
        let file: File
        do {
            file = try JSONDecoder().decode(File.self, from: Data(try Files.read(path)))
        } catch let error as DecodingError {
            throw SeccompError.unreadableProfile(path: path, reason: describe(error))
        } catch {
            throw SeccompError.unreadableProfile(path: path, reason: "\(error)")
        }
        if let flag = file.flags?.first {
            throw SeccompError.unreadableProfile(path: path, reason: "flags: \(flag) cannot be had")
        }
        if file.listenerPath != nil {
            throw SeccompError.unreadableProfile(path: path, reason: "listenerPath: notifications cannot be had")
        }
        var result = RuntimeSpec.Seccomp(defaultAction: file.defaultAction)
        result.defaultErrnoRet = file.defaultErrnoRet
        let own = SeccompArchitecture.ownNames[0]
        let mapped = file.archMap?.first { $0.architecture == own }.map { [own] + ($0.subArchitectures ?? []) }
        result.architectures = mapped ?? file.architectures ?? [own]
        let host = Host(capabilities: Set(capabilities))
        result.syscalls = (file.syscalls ?? []).compactMap { rule in
            if let condition = rule.includes, !host.meets(all: condition) { return nil }
            if let condition = rule.excludes, host.meets(any: condition) { return nil }
            return .init(
                names: rule.names ?? rule.name.map { [$0] } ?? [], action: rule.action, errnoRet: rule.errnoRet,
                args: rule.args.map {
                    $0.map { .init(index: $0.index, value: $0.value, valueTwo: $0.valueTwo, op: $0.op) }
                })
        }
        return result
    }

    /// Which field, such as `syscalls[3].args[0].value`, and what is wrong with it.
    private static func describe(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.reduce("") { text, key in
                if let index = key.intValue { return "\(text)[\(index)]" }
                return text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)"
            }
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(place(context.codingPath + [key])) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            return (context.codingPath.isEmpty ? "" : "\(place(context.codingPath)): ") + context.debugDescription
        @unknown default: return "\(error)"
        }
    }

    private struct Host {
        let capabilities: Set<String>
        let kernel = KernelVersion.running

        private var architecture: String {
            #if arch(x86_64)
                "amd64"
            #elseif arch(arm64)
                "arm64"
            #endif
        }

        func meets(all condition: Condition) -> Bool {
            (condition.caps ?? []).allSatisfy(capabilities.contains)
                && (condition.arches.map { $0.contains(architecture) } ?? true)
                && (condition.minKernel.flatMap(KernelVersion.init).map { kernel >= $0 } ?? true)
        }

        func meets(any condition: Condition) -> Bool {
            (condition.caps ?? []).contains(where: capabilities.contains)
                || (condition.arches ?? []).contains(architecture)
                || (condition.minKernel.flatMap(KernelVersion.init).map { kernel >= $0 } ?? false)
        }
    }
}

/// A kernel's version, as far as profiles ask for it.
struct KernelVersion: Comparable {
    let major: Int
    let minor: Int

    static let running =
        KernelVersion((try? Files.readString("/proc/sys/kernel/osrelease")) ?? "") ?? .init(major: 0, minor: 0)

    init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    init?(_ text: String) {
        let numbers = text.split(separator: ".").prefix(2).map { Int($0.prefix(while: \.isNumber)) }
        guard numbers.count == 2, let major = numbers[0], let minor = numbers[1] else { return nil }
        self.init(major: major, minor: minor)
    }

    static func < (left: KernelVersion, right: KernelVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
