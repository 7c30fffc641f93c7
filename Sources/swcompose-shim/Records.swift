// What a container leaves in its run directory.
import CLinux

/// `pid`: "PID STARTTIME SHIMPID SHIMSTARTTIME\n", the times in clock ticks since boot.
func writePidFile(_ directory: CInt, _ pid: pid_t, _ start: UInt64, _ shim: pid_t, _ shimStart: UInt64) {
    unlinkat(directory, "exit", 0)
    var text = TextBuffer(capacity: 128)
    defer { text.free() }
    text.append(UInt64(pid))
    text.append(" ")
    text.append(start)
    text.append(" ")
    text.append(UInt64(shim))
    text.append(" ")
    text.append(shimStart)
    text.append("\n")
    replaceFile(directory, literal("pid"), literal("pid.tmp"), text)
}

/// `exit`: {"pid":…,"code":…,"oom":…,"finished":seconds since 1970}.
func writeExitFile(_ directory: CInt, _ pid: pid_t, _ code: CInt, oom: Bool) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var text = TextBuffer(capacity: 128)
    defer { text.free() }
    text.append("{\"pid\":")
    text.append(UInt64(pid))
    text.append(",\"code\":")
    text.append(UInt64(code))
    text.append(oom ? ",\"oom\":true,\"finished\":" : ",\"oom\":false,\"finished\":")
    text.append(UInt64(now.tv_sec))
    text.append(".")
    text.append(UInt64(now.tv_nsec) / 1_000_000, width: 3)
    text.append("}\n")
    replaceFile(directory, literal("exit"), literal("exit.tmp"), text)
}

/// Written beside and renamed, so that a reader sees all of it or nothing.
private func replaceFile(_ directory: CInt, _ name: CPath, _ temporary: CPath, _ text: TextBuffer) {
    let file = swc_openat(directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { return }
    _ = write(file, text.base, text.count)
    close(file)
    renameat(directory, temporary, directory, name)
}

/// The kernel's own count of processes it killed for want of memory in this cgroup: "oom_kill N" in v1's
/// memory.oom_control and in v2's memory.events alike. Read at the start and at the end; an event descriptor would
/// tell the same earlier, to nobody.
struct OOMCounter {
    private let file: CInt
    private let before: UInt64

    init(path: CPath?) {
        file = path.map { swc_open($0, O_RDONLY | O_CLOEXEC, 0) } ?? -1
        before = Self.count(file)
    }

    var hasRisen: Bool { Self.count(file) > before }

    private static func count(_ file: CInt) -> UInt64 {
        guard file >= 0 else { return 0 }
        return withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { buffer in
            let count = pread(file, buffer.baseAddress, buffer.count - 1, 0)
            guard count > 0 else { return 0 }
            buffer[count] = 0
            let text = buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
            guard let at = strstr(text, "oom_kill ") else { return 0 }
            return UInt64(strtoul(at + 9, nil, 10))
        }
    }
}
