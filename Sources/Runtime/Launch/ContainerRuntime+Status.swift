internal import CLinux
internal import FoundationEssentials
internal import LinuxSystem
internal import SystemPackage

/// What `<runDirectory>/exit` says.
public struct ExitFile: Codable, Sendable, Equatable {
    public var pid: Int32
    /// 128 and the signal where it was killed.
    public var code: Int32
    /// Something of the container's was killed for want of memory.
    public var oom: Bool
    /// Seconds since 1970.
    public var finished: Double
}

/// How a container stands, by what its shim left and what the kernel says.
public enum RuntimeStatus: Sendable, Equatable {
    case running(pid: Int32, startTime: UInt64)
    case exited(ExitFile)
    /// It does not run, and nobody saw it end: the host was restarted or its shim was killed. Or it never ran.
    case gone
}

extension ContainerRuntime {
    /// - Throws: ``SystemError`` where what is there cannot be read.
    public static func status(runDirectory: String) throws -> RuntimeStatus {
        // The exit file comes last and stays, so it is asked first; a new start takes it away before it says its pid.
        if let bytes = try readIfThere("\(runDirectory)/exit") {
            guard let exit = try? JSONDecoder().decode(ExitFile.self, from: Data(bytes)) else {
                throw SystemError("read", .badMessage, "\(runDirectory)/exit")
            }
            return .exited(exit)
        }
        guard let (pid, startTime) = try pidFile(runDirectory) else { return .gone }
        if processStartTime(pid) == startTime { return .running(pid: pid, startTime: startTime) }
        // It may have ended between the two looks.
        if Files.exists("\(runDirectory)/exit") { return try status(runDirectory: runDirectory) }
        return .gone
    }

    /// Sends a signal to the container's first process.
    /// - Throws: ``SystemError``; `ESRCH` where it does not run.
    public static func signal(runDirectory: String, _ signal: Int32) throws {
        guard let (pid, startTime) = try pidFile(runDirectory) else { throw SystemError("kill", .noSuchProcess) }
        let process = OwnedDescriptor(try check("pidfd_open") { swc_pidfd_open(pid, 0) })
        // The descriptor is of whoever has the pid now; the start time says whether that is still the container's.
        guard processStartTime(pid) == startTime else { throw SystemError("kill", .noSuchProcess) }
        try check("pidfd_send_signal") { swc_pidfd_send_signal(process.raw, signal) }
    }

    /// Field 22 of /proc/PID/stat, clock ticks since boot; nil where there is no such process, or only its zombie.
    static func processStartTime(_ pid: Int32) -> UInt64? {
        guard let text = try? Files.readString("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return UInt64(fields[19])
    }

    private static func pidFile(_ runDirectory: String) throws -> (pid: Int32, startTime: UInt64)? {
        guard let bytes = try readIfThere("\(runDirectory)/pid") else { return nil }
        let fields = String(decoding: bytes, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard fields.count == 4, let pid = Int32(fields[0]), let startTime = UInt64(fields[1]) else {
            throw SystemError("read", .badMessage, "\(runDirectory)/pid")
        }
        return (pid, startTime)
    }

    private static func readIfThere(_ path: String) throws -> [UInt8]? {
        do {
            return try Files.read(path)
        } catch let error as SystemError where error.errno == .noSuchFileOrDirectory {
            return nil
        }
    }
}
