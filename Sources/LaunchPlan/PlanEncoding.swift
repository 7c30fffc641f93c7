extension LaunchPlan {
    /// The plan as the shim reads it.
    /// - Throws: ``PlanError/nulByte(in:)`` where a string would be cut short by the kernel.
    public func encoded() throws(PlanError) -> [UInt8] {
        var writer = PlanWriter()
        writer.put(PlanHeader.magic)
        writer.put(PlanHeader.version)
        writer.put(kind.rawValue)
        writer.put(UInt32(0))
        writer.put(UInt32(operations.count))
        for operation in operations {
            writer.put(operation.opcode.rawValue)
            writer.put(operation.flags)
            let start = writer.bytes.count
            writer.put(UInt32(0))
            try operation.write(to: &writer)
            writer.patch(UInt32(writer.bytes.count - start - 4), at: start)
        }
        writer.patch(UInt32(writer.bytes.count), at: 8)
        return writer.bytes
    }
}

struct PlanWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    mutating func patch(_ value: UInt32, at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + 4, with: $0) }
    }
    mutating func put(_ text: String) throws(PlanError) {
        if text.utf8.contains(0) { throw .nulByte(in: text) }
        put(UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
        bytes.append(0)
    }
    mutating func put(content: [UInt8]) {
        put(UInt32(content.count))
        bytes.append(contentsOf: content)
        bytes.append(0)
    }
    mutating func put(_ list: [String]) throws(PlanError) {
        put(UInt32(list.count))
        for text in list { try put(text) }
    }
}

extension PlanOperation {
    var flags: UInt16 {
        switch self {
        case .stdio(let flags): flags
        case .bindSource(_, let recursive): recursive ? PlanFlag.recursive : 0
        case .bind(_, _, _, _, _, let recursive): recursive ? PlanFlag.recursive : 0
        case .mount(_, _, _, _, _, let flags): flags
        case .file(_, _, _, _, _, let readOnly): readOnly ? PlanFlag.readOnly : 0
        case .terminal(_, _, _, let console): console ? PlanFlag.console : 0
        case .capabilities(_, _, _, _, let keep): keep ? PlanFlag.keepAdmin : 0
        default: 0
        }
    }

    fileprivate func write(to writer: inout PlanWriter) throws(PlanError) {
        switch self {
        case .stdio, .awaitCgroup, .awaitGo, .pivotRoot, .rootReadOnly, .noNewPrivileges: break
        case .runDirectory(let text), .joinPidNamespace(let text), .cgroupProcs(let text), .cgroupDirectory(let text),
            .memoryEvents(let text), .rootDirectory(let text), .mask(let text), .readOnlyPath(let text),
            .hostName(let text), .domainName(let text), .sessionKeyring(let text), .workingDirectory(let text),
            .bindSource(let text, _):
            try writer.put(text)
        case .namespaces(let value), .mountPropagation(let value), .unshare(let value), .boundingSet(let value):
            writer.put(value)
        case .joinTarget(let value), .umask(let value): writer.put(value)
        case .oomScoreAdjust(let value): writer.put(UInt32(bitPattern: value))
        case .log(let path, let size, let files):
            try writer.put(path)
            writer.put(size)
            writer.put(files)
        case .target(let pid, let start):
            writer.put(pid)
            writer.put(start)
        case .joinNamespace(let kind, let path):
            writer.put(kind)
            try writer.put(path)
        case .scratch(let path, let size):
            try writer.put(path)
            writer.put(size)
        case .rootOverlay(let lower, let upper, let work, let options):
            try writer.put(lower)
            try writer.put(upper)
            try writer.put(work)
            try writer.put(options)
        case .mount(let type, let source, let target, let attributes, let options, _):
            try writer.put(type)
            try writer.put(source)
            try writer.put(target)
            writer.put(attributes)
            try writer.put(options)
        case .bind(let source, let target, let set, let clear, let propagation, _):
            writer.put(source)
            try writer.put(target)
            writer.put(set)
            writer.put(clear)
            writer.put(propagation)
        case .file(let target, let content, let mode, let uid, let gid, _):
            try writer.put(target)
            writer.put(content: content)
            for value in [mode, uid, gid] { writer.put(value) }
        case .device(let path, let mode, let major, let minor, let uid, let gid):
            try writer.put(path)
            for value in [mode, major, minor, uid, gid] { writer.put(value) }
        case .mountAttributes(let target, let set):
            try writer.put(target)
            writer.put(set)
        case .symlink(let content, let path):
            try writer.put(content)
            try writer.put(path)
        case .directory(let path, let mode, let uid, let gid):
            try writer.put(path)
            for value in [mode, uid, gid] { writer.put(value) }
        case .terminal(let rows, let columns, let uid, _):
            writer.put(rows)
            writer.put(columns)
            writer.put(uid)
        case .sysctl(let path, let value):
            try writer.put(path)
            try writer.put(value)
        case .rlimit(let resource, let soft, let hard):
            writer.put(resource)
            writer.put(soft)
            writer.put(hard)
        case .user(let uid, let gid, let groups):
            writer.put(uid)
            writer.put(gid)
            writer.put(UInt32(groups.count))
            for group in groups { writer.put(group) }
        case .capabilities(let permitted, let effective, let inheritable, let ambient, _):
            for value in [permitted, effective, inheritable, ambient] { writer.put(value) }
        case .seccomp(let flags, let program):
            writer.put(flags)
            writer.put(content: program)
        case .execute(let arguments, let environment):
            try writer.put(arguments)
            try writer.put(environment)
        }
    }

    /// The record's number in the file.
    public var opcode: Opcode {
        switch self {
        case .runDirectory: .runDirectory
        case .log: .log
        case .stdio: .stdio
        case .namespaces: .namespaces
        case .joinPidNamespace: .joinPidNamespace
        case .cgroupProcs: .cgroupProcs
        case .cgroupDirectory: .cgroupDirectory
        case .memoryEvents: .memoryEvents
        case .target: .target
        case .joinNamespace: .joinNamespace
        case .joinTarget: .joinTarget
        case .mountPropagation: .mountPropagation
        case .scratch: .scratch
        case .rootOverlay: .rootOverlay
        case .rootDirectory: .rootDirectory
        case .bindSource: .bindSource
        case .mount: .mount
        case .bind: .bind
        case .file: .file
        case .device: .device
        case .symlink: .symlink
        case .mask: .mask
        case .readOnlyPath: .readOnlyPath
        case .mountAttributes: .mountAttributes
        case .directory: .directory
        case .terminal: .terminal
        case .hostName: .hostName
        case .domainName: .domainName
        case .sysctl: .sysctl
        case .awaitCgroup: .awaitCgroup
        case .awaitGo: .awaitGo
        case .unshare: .unshare
        case .pivotRoot: .pivotRoot
        case .rootReadOnly: .rootReadOnly
        case .sessionKeyring: .sessionKeyring
        case .rlimit: .rlimit
        case .oomScoreAdjust: .oomScoreAdjust
        case .umask: .umask
        case .boundingSet: .boundingSet
        case .user: .user
        case .capabilities: .capabilities
        case .noNewPrivileges: .noNewPrivileges
        case .workingDirectory: .workingDirectory
        case .seccomp: .seccomp
        case .execute: .execute
        }
    }
}
