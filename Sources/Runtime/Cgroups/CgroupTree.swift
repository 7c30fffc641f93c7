internal import CLinux
internal import LinuxSystem

/// Directories of one hierarchy with those below them: containers make cgroups inside their own.
enum CgroupTree {
    /// `/a`, `/a/b` of `/a/b/c`.
    static func ancestors(of path: String) -> [String] {
        path.indices.filter { path[$0] == "/" && $0 != path.startIndex }.map { String(path[..<$0]) }
    }

    /// Process ids in `directory` and below; empty where it does not exist.
    static func processes(_ directory: String) throws -> [Int32] {
        var result: [Int32] = []
        do {
            result = try ControlFile.read("\(directory)/cgroup.procs", limit: 16 << 20)
                .split(separator: "\n").compactMap { Int32($0) }.filter { $0 > 0 }
        } catch let error as SystemError {
            switch error.code {
            case ENOENT, ENODEV: return []
            // A threaded cgroup of v2 lists its processes in the one above.
            case EOPNOTSUPP: break
            default: throw error
            }
        }
        for name in try Directory.subdirectories(directory) {
            result += try processes("\(directory)/\(name)")
        }
        return result
    }

    /// Removes `directory` and what is below. Nothing there is no error.
    static func remove(_ directory: String) throws {
        do { try Directory.remove(directory) } catch let error as SystemError {
            switch error.code {
            case ENOENT: return
            case EBUSY, ENOTEMPTY:
                for name in try Directory.subdirectories(directory) { try remove("\(directory)/\(name)") }
                do { try Directory.remove(directory) } catch let error as SystemError {
                    if error.code != ENOENT { throw error }
                }
            default: throw error
            }
        }
    }
}
