internal import CLinux
internal import LinuxSystem
internal import Orchestration
internal import Runtime
internal import SystemPackage

/// Starting a supervisor: this program once more, in a session of its own, with nothing of the caller's but the
/// variables that say where things are. Between the two is the shim, which starts another when it is killed.
enum SupervisorProcess {
    /// Descriptor on which the new supervisor says that it listens.
    static let readyDescriptor: CInt = 3
    private static let passedVariables = [
        "PATH", "HOME", "LANG", "TZ", "SWCOMPOSE_DATA_ROOT", "SWCOMPOSE_RUN_ROOT", "SWCOMPOSE_SHIM",
    ]

    static func logPath(_ project: String, _ paths: HostPaths) -> String {
        "\(paths.projectRun(project))/supervisor.log"
    }

    /// Returns when the supervisor listens: true; or when it has found another at its place, which listens by now or
    /// soon, or is just leaving: false.
    /// - Throws: ``Failure`` with the end of its log where it did not come up.
    static func start(project: String, paths: HostPaths) throws -> Bool {
        try Files.makeDirectories(paths.projectRun(project), mode: 0o700)
        let log = logPath(project, paths)
        guard let (pid, ready) = try spawn(project: project, log: log) else { return false }

        var byte: UInt8 = 0
        let count = try check("read", "the supervisor's ready pipe") { read(ready.raw, &byte, 1) }
        if count == 1 { return true }
        var status: CInt = 0
        try check("waitpid") { waitpid(pid, &status, 0) }
        if swc_wifexited(status) != 0, swc_wexitstatus(status) == SupervisorMain.anotherRuns { return false }
        let tail = ((try? Files.readString(log)) ?? "").split(separator: "\n").suffix(5).joined(separator: "\n")
        throw Failure(
            "the supervisor of project \"\(project)\" could not be started\(tail.isEmpty ? "" : ":\n\(tail)")")
    }

    /// Starts one without waiting for it, where there is none.
    /// - Throws: ``SystemError``, or `LaunchError` where the shim is missing.
    static func wake(project: String, paths: HostPaths) throws {
        if FileLock.isHeld(paths.supervisorLock(project)) { return }
        try Files.makeDirectories(paths.projectRun(project), mode: 0o700)
        _ = try spawn(project: project, log: logPath(project, paths))
    }

    /// A function of its own so that this process's copy of the write end is closed when it returns: else the end of
    /// a supervisor that never listens would not be seen.
    /// - Returns: nil where one that leaves has just removed the project's directory.
    private static func spawn(project: String, log: String) throws -> (pid: pid_t, ready: OwnedDescriptor)? {
        let (readyRead, readyWrite) = try OwnedDescriptor.pipe()
        let executable = try executablePath()
        let shim = try ShimBinary.locate()

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // First, as the pipe may have one of the numbers that are given away next.
        posix_spawn_file_actions_adddup2(&actions, readyWrite.raw, readyDescriptor)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_addchdir_np(&actions, "/")
        // What the caller's caller left open is none of ours. Here and not in the new process: by the time its main
        // begins, the concurrency runtime has descriptors of its own.
        posix_spawn_file_actions_addclosefrom_np(&actions, readyDescriptor + 1)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSID | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)))

        let arguments = [shim, "watch", executable, project]
        let environment = passedVariables.compactMap { name in
            getenv(name).map { "\(name)=\(String(cString: $0))" }
        }
        var pid: pid_t = 0
        let result = withExtendedLifetime(readyWrite) {
            withCStrings(arguments) { argv in
                withCStrings(environment) { envp in
                    posix_spawn(&pid, shim, &actions, &attributes, argv, envp)
                }
            }
        }
        if result == ENOENT, Files.exists(shim) { return nil }
        guard result == 0 else { throw SystemError("posix_spawn", Errno(rawValue: result), shim) }
        return (pid, readyRead)
    }

    private static func executablePath() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = try check("readlink", "/proc/self/exe") { readlink("/proc/self/exe", &buffer, buffer.count) }
        return String(decoding: buffer[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func withCStrings<T>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> T
    ) -> T {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
    }
}
