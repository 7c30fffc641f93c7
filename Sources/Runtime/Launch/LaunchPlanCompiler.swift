internal import CLinux
public import LaunchPlan
internal import OCI

/// Turns a container's specification into the steps that start it. Pure: no file is read, nothing is asked of the host.
public enum LaunchPlanCompiler {
    /// Where the init program is mounted in a container that wants one.
    public static let initPath = "/sbin/docker-init"

    /// - Parameter shimPath: of the shim's binary on the host, for `initProcess`.
    /// - Throws: ``LaunchError/invalid(_:)`` where the specification asks for what is not possible.
    public static func plan(for request: LaunchRequest, shimPath: String) throws(LaunchError) -> LaunchPlan {
        guard let process = request.spec.process else { throw .invalid("the container has no process to run") }
        var compiler = RunCompiler(request: request, process: process, shimPath: shimPath)
        return try compiler.compile()
    }

    /// - Parameters:
    ///   - pid: the container's first process, as the host sees it.
    ///   - startTime: of that process; the shim checks it.
    public static func plan(
        for exec: ExecLaunch, joining pid: Int32, startTime: UInt64
    ) throws(LaunchError) -> LaunchPlan {
        var plan = LaunchPlan(kind: .exec)
        plan.operations.append(.target(pid: UInt32(bitPattern: pid), startTime: startTime))
        plan.operations += placement(exec.cgroup)
        plan.operations.append(.awaitCgroup)
        let kinds = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP
        plan.operations.append(.joinTarget(kinds: UInt32(bitPattern: kinds)))
        if case .terminal(let size) = exec.stdio {
            plan.operations.append(
                .terminal(
                    rows: size?.rows ?? 0, columns: size?.columns ?? 0, uid: exec.process.user.uid, console: false))
        }
        plan.operations += try identity(exec.process, seccomp: exec.seccomp, keyring: nil)
        plan.operations.append(.execute(arguments: exec.process.args, environment: exec.process.env))
        return plan
    }

    /// Entering the control groups.
    static func placement(_ cgroup: CgroupPlacement) -> [PlanOperation] {
        switch cgroup {
        case .inherit: []
        case .v1(let hierarchies): hierarchies.map { .cgroupProcs(path: "\($0.directory)/cgroup.procs") }
        case .v2(let directory): [.cgroupDirectory(path: directory)]
        }
    }

    /// What both a container's first process and an exec'd one end with, but for execute. The order matters: limits
    /// and the working directory while still privileged, then the user, and the filter last, as it may deny all
    /// that comes before.
    static func identity(
        _ process: RuntimeSpec.Process, seccomp: [UInt8], keyring: String?
    ) throws(LaunchError) -> [PlanOperation] {
        guard let program = process.args.first, !program.isEmpty else {
            throw .invalid("no command: neither the image nor the service has a command or an entry point")
        }
        guard process.cwd.hasPrefix("/") else {
            throw .invalid("the working directory '\(process.cwd)' is invalid, it needs to be an absolute path")
        }
        var steps: [PlanOperation] = []
        if let keyring { steps.append(.sessionKeyring(name: keyring)) }
        for limit in process.rlimits ?? [] {
            guard let resource = resources[limit.type] else { throw .invalid("unknown resource limit \(limit.type)") }
            guard limit.soft <= limit.hard else {
                throw .invalid("\(limit.type): the soft limit \(limit.soft) is above the hard limit \(limit.hard)")
            }
            steps.append(.rlimit(resource: resource, soft: limit.soft, hard: limit.hard))
        }
        if let adjustment = process.oomScoreAdj { steps.append(.oomScoreAdjust(Int32(clamping: adjustment))) }
        steps.append(.umask(process.user.umask ?? 0o022))
        steps.append(.workingDirectory(process.cwd))
        let capabilities = process.capabilities ?? .init()
        let bounding = CapabilityMask.mask(capabilities.bounding)
        steps.append(.boundingSet(bounding))
        let user = process.user
        steps.append(.user(uid: user.uid, gid: user.gid, groups: user.additionalGids ?? []))
        let noNewPrivileges = process.noNewPrivileges ?? false
        let ambient = CapabilityMask.mask(capabilities.ambient)
        var permitted = CapabilityMask.mask(capabilities.permitted) & bounding
        var effective = CapabilityMask.mask(capabilities.effective) & permitted
        if user.uid != 0 {
            // As execve would have it for anybody but root.
            permitted &= ambient
            effective &= ambient
        }
        steps.append(
            .capabilities(
                permitted: permitted, effective: effective,
                inheritable: CapabilityMask.mask(capabilities.inheritable) & bounding,
                ambient: ambient & bounding, keepAdmin: !seccomp.isEmpty && !noNewPrivileges))
        if noNewPrivileges { steps.append(.noNewPrivileges) }
        if !seccomp.isEmpty { steps.append(.seccomp(flags: 0, program: seccomp)) }
        return steps
    }

    private static let resources: [String: UInt32] = [
        "RLIMIT_CPU": 0, "RLIMIT_FSIZE": 1, "RLIMIT_DATA": 2, "RLIMIT_STACK": 3, "RLIMIT_CORE": 4, "RLIMIT_RSS": 5,
        "RLIMIT_NPROC": 6, "RLIMIT_NOFILE": 7, "RLIMIT_MEMLOCK": 8, "RLIMIT_AS": 9, "RLIMIT_LOCKS": 10,
        "RLIMIT_SIGPENDING": 11, "RLIMIT_MSGQUEUE": 12, "RLIMIT_NICE": 13, "RLIMIT_RTPRIO": 14, "RLIMIT_RTTIME": 15,
    ]
}
