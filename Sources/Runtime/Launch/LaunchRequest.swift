public import OCI

/// How a container's root is put together.
public enum RootFilesystem: Codable, Sendable, Equatable {
    /// `lower`: read-only layers, the topmost first.
    case overlay(lower: [String], upper: String, work: String)
    case directory(String)
}

/// The json-file log of a container.
public struct LogOptions: Codable, Sendable, Equatable {
    /// nil: what the container says is thrown away.
    public var path: String?
    /// Bytes after which the file is rotated; 0 is unlimited.
    public var maxSize: UInt64
    /// Files kept, the current one included.
    public var maxFiles: UInt32
    public init(path: String?, maxSize: UInt64 = 0, maxFiles: UInt32 = 1) {
        self.path = path
        self.maxSize = maxSize
        self.maxFiles = maxFiles
    }
}

/// A file given to a container without being on disk: it lies on a tmpfs.
public struct InjectedFile: Codable, Sendable, Equatable {
    /// Absolute, in the container; made where missing, covered where there.
    public var path: String
    public var content: [UInt8]
    public var mode: UInt32
    public var uid: UInt32
    public var gid: UInt32
    public var readOnly: Bool
    public init(
        path: String, content: [UInt8], mode: UInt32 = 0o644, uid: UInt32 = 0, gid: UInt32 = 0, readOnly: Bool = false
    ) {
        self.path = path
        self.content = content
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.readOnly = readOnly
    }
}

/// The control groups a new process goes into. They exist and have their limits already.
public enum CgroupPlacement: Codable, Sendable, Equatable {
    /// Stays where the caller is.
    case inherit
    case v1([CgroupHierarchy])
    /// The container's directory in the unified hierarchy.
    case v2(directory: String)
}

/// One v1 hierarchy.
public struct CgroupHierarchy: Codable, Sendable, Equatable {
    /// Name of its directory in /sys/fs/cgroup, such as `memory` or `cpu,cpuacct`.
    public var name: String
    /// The container's directory in it, on the host.
    public var directory: String
    public init(name: String, directory: String) {
        self.name = name
        self.directory = directory
    }
}

/// Rows and columns of a terminal.
public struct TerminalSize: Codable, Sendable, Equatable {
    public var rows: UInt16
    public var columns: UInt16
    public init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }
}

/// All that starting a container takes.
public struct LaunchRequest: Sendable, Equatable {
    public var id: String
    public var spec: RuntimeSpec
    public var rootfs: RootFilesystem
    /// Exists, 0700; the shim leaves `pid`, `exit` and `shim.sock` here.
    public var runDirectory: String
    public var log: LogOptions
    /// stdin is a pipe that attached clients feed; else it is /dev/null.
    public var openStdin: Bool
    /// A minimal init is PID 1 and runs the program.
    public var initProcess: Bool
    public var files: [InjectedFile]
    /// The filter as BPF, for `spec.linux.seccomp`; empty: none.
    public var seccomp: [UInt8]
    public var cgroup: CgroupPlacement
    public var terminalSize: TerminalSize?

    public init(
        id: String, spec: RuntimeSpec, rootfs: RootFilesystem, runDirectory: String,
        log: LogOptions = LogOptions(path: nil), openStdin: Bool = false, initProcess: Bool = false,
        files: [InjectedFile] = [], seccomp: [UInt8] = [], cgroup: CgroupPlacement = .inherit,
        terminalSize: TerminalSize? = nil
    ) {
        self.id = id
        self.spec = spec
        self.rootfs = rootfs
        self.runDirectory = runDirectory
        self.log = log
        self.openStdin = openStdin
        self.initProcess = initProcess
        self.files = files
        self.seccomp = seccomp
        self.cgroup = cgroup
        self.terminalSize = terminalSize
    }
}

/// A container that runs. Pids are believed only with their start times (clock ticks since boot).
public struct LaunchedContainer: Sendable, Equatable {
    public var pid: Int32
    public var pidStartTime: UInt64
    public var shimPid: Int32
    public var shimStartTime: UInt64
    /// What was asked for and this host cannot give.
    public var warnings: [String]
}

/// A process to run in a container that runs already.
public struct ExecLaunch: Sendable {
    /// Of the container; its `pid` file says whom to join.
    public var runDirectory: String
    /// Numeric user, capabilities, environment, working directory and limits, as for the container's own.
    public var process: RuntimeSpec.Process
    public var seccomp: [UInt8]
    public var cgroup: CgroupPlacement
    public var stdio: ExecStdio
    public init(
        runDirectory: String, process: RuntimeSpec.Process, seccomp: [UInt8] = [], cgroup: CgroupPlacement = .inherit,
        stdio: ExecStdio
    ) {
        self.runDirectory = runDirectory
        self.process = process
        self.seccomp = seccomp
        self.cgroup = cgroup
        self.stdio = stdio
    }
}

/// What an exec'd process talks to.
public enum ExecStdio: Sendable {
    /// The caller's descriptors; they stay the caller's.
    case descriptors(input: Int32, output: Int32, error: Int32)
    /// A terminal made in the container; the handle has its master.
    case terminal(TerminalSize?)
}
