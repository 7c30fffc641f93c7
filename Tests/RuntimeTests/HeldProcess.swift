import CLinux
import LinuxSystem

/// A shell that waits for ``go()`` before it runs its script, so that it can be put somewhere first. Killed and reaped
/// with this object.
final class HeldProcess {
    let pid: Int32
    private let input: OwnedDescriptor
    private var status: Int32?

    init(_ script: String) throws {
        let ends = try OwnedDescriptor.pipe()
        input = ends.write
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends.read.raw, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let words = ["/bin/sh", "-c", "read line || exit 99; \(script)"]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nil]
        defer { for text in arguments + environment { free(text) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, "/bin/sh", &actions, nil, &arguments, &environment)
        guard result == 0 else { throw Failure(what: "posix_spawn", code: result) }
        self.pid = pid
    }

    deinit {
        if status == nil {
            kill(pid, SIGKILL)
            _ = wait()
        }
    }

    func go() { _ = write(input.raw, "\n", 1) }

    /// As waitpid has it.
    func wait() -> Int32 {
        if let status { return status }
        var result: Int32 = 0
        while waitpid(pid, &result, 0) == -1, swc_errno() == EINTR {}
        status = result
        return result
    }

    /// The exit code, or 128 and the signal.
    func exitCode() -> Int32 {
        let status = wait()
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    struct Failure: Error {
        var what: String
        var code: Int32
    }
}
