internal import CLinux

/// Why a container or a process in it was not started. `description` is for the user.
public enum LaunchError: Error, Sendable, CustomStringConvertible {
    /// The program cannot be executed. `interpreterMissing`: it is there, but not what runs it.
    case exec(errno: Int32, path: String, interpreterMissing: Bool)
    /// A step of the set-up failed.
    case setup(step: String, errno: Int32)
    /// What was asked for cannot be carried out by anybody.
    case invalid(String)
    /// What the caller did while the container mounted its file systems.
    case caller(any Error)

    /// The code the container counts as having exited with: as a shell and Docker have it.
    public var exitCode: Int32 {
        switch self {
        case .exec(let error, _, _): error == ENOENT ? 127 : 126
        case .setup, .invalid, .caller: 128
        }
    }

    public var description: String {
        switch self {
        case .exec(_, let path, true):
            "exec \(path): the interpreter it names in its first line, or its loader, is missing"
        case .exec(ENOENT, let path, _) where !path.contains("/"):
            "exec: \"\(path)\": executable file not found in $PATH"
        case .exec(ENOENT, let path, _): "exec: \"\(path)\": stat \(path): no such file or directory"
        case .exec(EACCES, let path, _): "exec: \"\(path)\": permission denied"
        case .exec(ENOEXEC, let path, _): "exec \(path): exec format error"
        case .exec(let error, let path, _): "exec: \"\(path)\": \(message(error))"
        case .setup(let step, let error): "\(step): \(message(error))"
        case .invalid(let text): text
        case .caller(let error): "\(error)"
        }
    }

    private func message(_ error: Int32) -> String { String(cString: strerror(error)) }
}
