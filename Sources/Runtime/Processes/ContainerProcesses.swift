import FoundationEssentials
internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// Whether a container's process runs, by what its shim left in its run directory and by what the kernel says of that.
public enum RuntimeStatus: Sendable, Equatable {
    case running(pid: Int32)
    case exited(ExitFile)
    /// Never started, or lost with the host's last run.
    case gone
}

/// `exit`: written by the shim before it leaves.
public struct ExitFile: Codable, Sendable, Equatable {
    public var pid: Int32
    /// As a shell has it: 128+n for a signal.
    public var code: Int32
    public var oom: Bool
    /// Seconds since the epoch.
    public var finished: Double

    public init(pid: Int32, code: Int32, oom: Bool, finished: Double) {
        self.pid = pid
        self.code = code
        self.oom = oom
        self.finished = finished
    }
}

/// `pid`: written by the shim at the start: the container's process and the shim itself.
public struct PidFile: Sendable, Equatable {
    public var container: ProcessIdentity
    public var shim: ProcessIdentity

    public init?(_ text: String) {
        let numbers = text.split(whereSeparator: \.isWhitespace)
        guard numbers.count == 4, let pid = Int32(numbers[0]), let start = UInt64(numbers[1]),
            let shimPid = Int32(numbers[2]), let shimStart = UInt64(numbers[3])
        else { return nil }
        container = ProcessIdentity(pid: pid, startTime: start)
        shim = ProcessIdentity(pid: shimPid, startTime: shimStart)
    }
}

public enum ContainerProcesses {
    /// - Throws: ``SystemError`` where the files cannot be read.
    public static func status(runDirectory: String) throws -> RuntimeStatus {
        // The exit is looked for again after the process was found dead: it is written in between.
        if let exit = try exitFile(runDirectory) { return .exited(exit) }
        guard let processes = try processes(runDirectory: runDirectory) else { return .gone }
        if processes.container.isAlive { return .running(pid: processes.container.pid) }
        // While the shim lives its record is still to come.
        if processes.shim.isAlive { return .running(pid: processes.container.pid) }
        return try exitFile(runDirectory).map(RuntimeStatus.exited) ?? .gone
    }

    /// nil where nothing was started there.
    /// - Throws: ``SystemError``
    public static func processes(runDirectory: String) throws -> PidFile? {
        try Files.readIfThere("\(runDirectory)/pid").flatMap { PidFile(String(decoding: $0, as: UTF8.self)) }
    }

    /// Sends a signal to PID 1 of the container.
    /// - Returns: false where it has ended.
    /// - Throws: ``SystemError``
    @discardableResult
    public static func signal(runDirectory: String, _ number: Int32) throws -> Bool {
        try processes(runDirectory: runDirectory)?.container.signal(number) ?? false
    }

    private static func exitFile(_ runDirectory: String) throws -> ExitFile? {
        try Files.readIfThere("\(runDirectory)/exit").flatMap {
            try? JSONDecoder().decode(ExitFile.self, from: Data($0))
        }
    }
}
