extension LaunchPlan: CustomStringConvertible {
    /// One line an operation; what golden tests compare. Contents of files and filters are given by size alone, as
    /// the former may be secrets.
    public var description: String {
        operations.enumerated().map { "\($0.offset) \($0.element)" }.joined(separator: "\n")
    }
}

extension PlanOperation: CustomStringConvertible {
    public var description: String {
        switch self {
        case .runDirectory(let path): "runDirectory \(path)"
        case .log(let path, let size, let files): "log \(path) size=\(size) files=\(files)"
        case .stdio(let flags): "stdio flags=\(flags)"
        case .namespaces(let kinds): "namespaces \(hex(kinds))"
        case .joinPidNamespace(let path): "joinPidNamespace \(path)"
        case .cgroupProcs(let path): "cgroupProcs \(path)"
        case .cgroupDirectory(let path): "cgroupDirectory \(path)"
        case .memoryEvents(let path): "memoryEvents \(path)"
        case .target(let pid, let start): "target \(pid) start=\(start)"
        case .joinNamespace(let kind, let path): "joinNamespace \(hex(UInt64(kind))) \(path)"
        case .joinTarget(let kinds): "joinTarget \(hex(UInt64(kinds)))"
        case .mountPropagation(let flags): "mountPropagation \(hex(flags))"
        case .scratch(let path, let size): "scratch \(path) size=\(size)"
        case .rootOverlay(let lower, let upper, let work, let options):
            "rootOverlay \(lower.joined(separator: " ")) upper=\(upper) work=\(work)\(list(options))"
        case .rootDirectory(let path): "rootDirectory \(path)"
        case .bindSource(let path, let recursive): "bindSource \(path)\(recursive ? " recursive" : "")"
        case .mount(let type, let source, let target, let attributes, let options, let flags):
            "mount \(type) \(source) \(target) attributes=\(hex(UInt64(attributes))) flags=\(flags)\(list(options))"
        case .bind(let source, let target, let set, let clear, let propagation, let recursive):
            "bind #\(source) \(target) set=\(hex(UInt64(set))) clear=\(hex(UInt64(clear))) "
                + "propagation=\(hex(UInt64(propagation)))\(recursive ? " recursive" : "")"
        case .file(let target, let content, let mode, let uid, let gid, let readOnly):
            "file \(target) \(content.count) bytes mode=\(octal(mode)) owner=\(uid):\(gid)\(readOnly ? " ro" : "")"
        case .device(let path, let mode, let major, let minor, let uid, let gid):
            "device \(path) mode=\(octal(mode)) \(major):\(minor) owner=\(uid):\(gid)"
        case .symlink(let content, let path): "symlink \(path) -> \(content)"
        case .mask(let path): "mask \(path)"
        case .readOnlyPath(let path): "readOnlyPath \(path)"
        case .mountAttributes(let target, let set): "mountAttributes \(target) set=\(hex(UInt64(set)))"
        case .directory(let path, let mode, let uid, let gid):
            "directory \(path) mode=\(octal(mode)) owner=\(uid):\(gid)"
        case .terminal(let rows, let columns, let uid, let console):
            "terminal \(rows)x\(columns) owner=\(uid)\(console ? " console" : "")"
        case .hostName(let name): "hostName \(name)"
        case .domainName(let name): "domainName \(name)"
        case .sysctl(let path, let value): "sysctl \(path)=\(value)"
        case .awaitCgroup: "awaitCgroup"
        case .awaitGo: "awaitGo"
        case .unshare(let flags): "unshare \(hex(flags))"
        case .pivotRoot: "pivotRoot"
        case .rootReadOnly: "rootReadOnly"
        case .sessionKeyring(let name): "sessionKeyring \(name)"
        case .rlimit(let resource, let soft, let hard): "rlimit \(resource) \(soft):\(hard)"
        case .oomScoreAdjust(let value): "oomScoreAdjust \(value)"
        case .umask(let mask): "umask \(octal(mask))"
        case .boundingSet(let set): "boundingSet \(hex(set))"
        case .user(let uid, let gid, let groups): "user \(uid):\(gid) groups=\(groups)"
        case .capabilities(let permitted, let effective, let inheritable, let ambient, let keep):
            "capabilities permitted=\(hex(permitted)) effective=\(hex(effective)) inheritable=\(hex(inheritable)) "
                + "ambient=\(hex(ambient))\(keep ? " keepAdmin" : "")"
        case .noNewPrivileges: "noNewPrivileges"
        case .workingDirectory(let path): "workingDirectory \(path)"
        case .seccomp(let flags, let program): "seccomp \(program.count / 8) instructions flags=\(flags)"
        case .execute(let arguments, let environment): "execute \(arguments) environment=\(environment.count)"
        }
    }

    /// What a person is told this step does, for "STEP: Permission denied".
    public var step: String {
        switch self {
        case .mount(_, _, let target, _, _, _), .bind(_, let target, _, _, _, _), .file(let target, _, _, _, _, _):
            "mount \(target)"
        case .rootOverlay: "mount the root file system"
        case .rootDirectory(let path): "mount \(path) as the root file system"
        case .bindSource(let path, _): "bind \(path)"
        case .device(let path, _, _, _, _, _): "make device \(path)"
        case .mountAttributes(let target, _): "mount \(target)"
        case .symlink(_, let path): "make symbolic link \(path)"
        case .mask(let path): "mask \(path)"
        case .readOnlyPath(let path): "make \(path) read-only"
        case .directory(let path, _, _, _): "make directory \(path)"
        case .terminal: "make the terminal"
        case .hostName(let name): "set host name \(name)"
        case .domainName(let name): "set domain name \(name)"
        case .sysctl(let path, _): "set sysctl \(path)"
        case .workingDirectory(let path): "enter working directory \(path)"
        case .user(let uid, let gid, _): "become user \(uid):\(gid)"
        case .cgroupProcs(let path), .cgroupDirectory(let path): "enter cgroup \(path)"
        case .joinNamespace(_, let path), .joinPidNamespace(let path): "join namespace \(path)"
        case .joinTarget: "join the container's namespaces"
        case .rlimit: "set a resource limit"
        case .seccomp: "load the seccomp filter"
        case .capabilities, .boundingSet: "set capabilities"
        case .execute(let arguments, _): "execute \(arguments.first ?? "")"
        default: "\(opcode)"
        }
    }
}

private func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
private func octal(_ value: UInt32) -> String { "0" + String(value, radix: 8) }
private func list(_ options: [String]) -> String { options.isEmpty ? "" : " options=\(options.joined(separator: ","))" }
