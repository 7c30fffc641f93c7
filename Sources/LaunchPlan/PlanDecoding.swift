extension LaunchPlan {
    /// Reads a plan back, for dumps and tests. The shim reads the same bytes through ``PlanRecords`` without copying.
    /// - Throws: ``PlanError/malformed(_:)``.
    public init(decoding bytes: [UInt8]) throws(PlanError) {
        let result: Result<LaunchPlan, PlanError> = bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress, var records = PlanRecords(base, count: buffer.count) else {
                return .failure(.malformed("header"))
            }
            var plan = LaunchPlan(kind: records.kind)
            while let record = records.next() {
                var fields = record.payload
                guard let opcode = Opcode(rawValue: record.opcode) else {
                    return .failure(.malformed("opcode \(record.opcode)"))
                }
                let operation = PlanOperation(opcode, record.flags, &fields)
                guard fields.isAtEnd else { return .failure(.malformed("record \(record.index) (\(opcode))")) }
                plan.operations.append(operation)
            }
            return records.isComplete ? .success(plan) : .failure(.malformed("it ends too early"))
        }
        self = try result.get()
    }
}

extension PlanFields {
    fileprivate mutating func text() -> String { String(cString: string()) }
    fileprivate mutating func list() -> [String] {
        var list: [String] = []
        for _ in 0..<listCount() { list.append(text()) }
        return list
    }
    fileprivate mutating func numbers() -> [UInt32] {
        var list: [UInt32] = []
        for _ in 0..<numberCount() { list.append(u32()) }
        return list
    }
}

extension PlanOperation {
    // Swift evaluates arguments from left to right, which is the order of the fields.
    fileprivate init(_ opcode: Opcode, _ flags: UInt16, _ f: inout PlanFields) {
        let bit = flags & 1 != 0
        switch opcode {
        case .runDirectory: self = .runDirectory(f.text())
        case .log: self = .log(path: f.text(), maximumSize: f.u64(), maximumFiles: f.u32())
        case .stdio: self = .stdio(flags: flags)
        case .namespaces: self = .namespaces(f.u64())
        case .joinPidNamespace: self = .joinPidNamespace(path: f.text())
        case .cgroupProcs: self = .cgroupProcs(path: f.text())
        case .cgroupDirectory: self = .cgroupDirectory(path: f.text())
        case .memoryEvents: self = .memoryEvents(path: f.text())
        case .target: self = .target(pid: f.u32(), startTime: f.u64())
        case .joinNamespace: self = .joinNamespace(kind: f.u32(), path: f.text())
        case .joinTarget: self = .joinTarget(kinds: f.u32())
        case .mountPropagation: self = .mountPropagation(f.u64())
        case .scratch: self = .scratch(path: f.text(), size: f.u64())
        case .rootOverlay: self = .rootOverlay(lower: f.list(), upper: f.text(), work: f.text(), options: f.list())
        case .rootDirectory: self = .rootDirectory(f.text())
        case .bindSource: self = .bindSource(path: f.text(), recursive: bit)
        case .mount:
            self = .mount(
                type: f.text(), source: f.text(), target: f.text(), attributes: f.u32(), options: f.list(),
                flags: flags)
        case .bind:
            self = .bind(
                source: f.u32(), target: f.text(), set: f.u32(), clear: f.u32(), propagation: f.u32(), recursive: bit)
        case .file:
            self = .file(
                target: f.text(), content: Array(f.bytes()), mode: f.u32(), uid: f.u32(), gid: f.u32(), readOnly: bit)
        case .device:
            self = .device(
                path: f.text(), mode: f.u32(), major: f.u32(), minor: f.u32(), uid: f.u32(), gid: f.u32())
        case .symlink: self = .symlink(content: f.text(), path: f.text())
        case .mask: self = .mask(path: f.text())
        case .readOnlyPath: self = .readOnlyPath(f.text())
        case .mountAttributes: self = .mountAttributes(target: f.text(), set: f.u32())
        case .directory: self = .directory(path: f.text(), mode: f.u32(), uid: f.u32(), gid: f.u32())
        case .terminal: self = .terminal(rows: f.u16(), columns: f.u16(), uid: f.u32(), console: bit)
        case .hostName: self = .hostName(f.text())
        case .domainName: self = .domainName(f.text())
        case .sysctl: self = .sysctl(path: f.text(), value: f.text())
        case .awaitCgroup: self = .awaitCgroup
        case .awaitGo: self = .awaitGo
        case .unshare: self = .unshare(f.u64())
        case .pivotRoot: self = .pivotRoot
        case .rootReadOnly: self = .rootReadOnly
        case .sessionKeyring: self = .sessionKeyring(name: f.text())
        case .rlimit: self = .rlimit(resource: f.u32(), soft: f.u64(), hard: f.u64())
        case .oomScoreAdjust: self = .oomScoreAdjust(Int32(bitPattern: f.u32()))
        case .umask: self = .umask(f.u32())
        case .boundingSet: self = .boundingSet(f.u64())
        case .user: self = .user(uid: f.u32(), gid: f.u32(), groups: f.numbers())
        case .capabilities:
            self = .capabilities(
                permitted: f.u64(), effective: f.u64(), inheritable: f.u64(), ambient: f.u64(), keepAdmin: bit)
        case .noNewPrivileges: self = .noNewPrivileges
        case .workingDirectory: self = .workingDirectory(f.text())
        case .seccomp: self = .seccomp(flags: f.u32(), program: Array(f.bytes()))
        case .execute: self = .execute(arguments: f.list(), environment: f.list())
        }
    }
}
