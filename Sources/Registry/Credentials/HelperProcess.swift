internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// Runs a program to its end. Blocks.
enum HelperProcess {
    struct Result {
        /// Its exit code; 128 and more: killed by a signal.
        var status: Int32
        var output: [UInt8]

        /// The output's first line.
        var text: String {
            let line = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
            return String(line.prefix(300))
        }
    }

    /// More than this of output is not read.
    private static let outputLimit = 1 << 20

    /// - Parameter command: found in `PATH` where its name has no slash.
    /// - Throws: ``SystemError`` where it cannot be started.
    static func run(_ command: [String], input: [UInt8], environment: [String: String]) throws -> Result {
        // A file in memory in place of a pipe: a program that does not read it all breaks nothing.
        let standardInput = OwnedDescriptor(try check("memfd_create") { swc_memfd_create("input", 1) })
        try Files.writeAll(standardInput.raw, input)
        try check("lseek") { lseek(standardInput.raw, 0, SEEK_SET) }
        let (pid, output) = try spawn(command, standardInput, environment)

        var collected: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while collected.count < outputLimit {
            let count = try check("read", command[0]) { read(output.raw, &chunk, chunk.count) }
            if count == 0 { break }
            collected += chunk[..<count]
        }
        var status: CInt = 0
        try check("waitpid", command[0]) { waitpid(pid, &status, 0) }
        let code = swc_wifexited(status) != 0 ? swc_wexitstatus(status) : 128 + swc_wtermsig(status)
        return Result(status: code, output: collected)
    }

    /// The program's path; its name where there is no such program, for the system call to say so.
    private static func find(_ name: String, _ path: String?) -> String {
        if name.contains("/") { return name }
        let directories = (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        return directories.lazy.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 } ?? name
    }

    /// A function of its own, so that this process's copy of the pipe's other end is closed when it returns.
    private static func spawn(
        _ command: [String], _ input: OwnedDescriptor, _ environment: [String: String]
    ) throws -> (pid: pid_t, output: OwnedDescriptor) {
        let (readEnd, writeEnd) = try OwnedDescriptor.pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input.raw, 0)
        posix_spawn_file_actions_adddup2(&actions, writeEnd.raw, 1)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        var pid = pid_t()
        let result = posix_spawn(&pid, find(command[0], environment["PATH"]), &actions, nil, &arguments, &variables)
        guard result == 0 else { throw SystemError("posix_spawn", Errno(rawValue: result), command[0]) }
        return (pid, readEnd)
    }
}
