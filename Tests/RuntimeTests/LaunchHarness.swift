import CLinux
import FoundationEssentials
import LinuxSystem
import OCI
import SystemPackage
import Testing

@testable import Runtime

/// A container of busybox's in a directory of its own under /tmp, taken away with this object.
final class LaunchHarness {
    let base: String
    private let isOwner: Bool
    var root: String { "\(base)/lower" }
    var upper: String { "\(base)/upper" }
    var runDirectory: String { "\(base)/run" }
    var logPath: String { "\(base)/log/container.log" }

    init() throws {
        isOwner = true
        base = "/tmp/swc-launch-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        for name in ["lower/bin", "lower/etc", "lower/proc", "lower/sys", "lower/tmp", "upper", "work", "log", "run"] {
            try Files.makeDirectories("\(base)/\(name)")
        }
        let busybox = try Files.read("/bin/busybox")
        let file = try OwnedDescriptor.open("\(root)/bin/busybox", O_WRONLY | O_CREAT, mode: 0o755)
        try Files.writeAll(file.raw, busybox)
        for name in [
            "sh", "true", "echo", "cat", "ls", "sleep", "id", "stat", "head", "printf", "stty", "readlink",
            "kill", "ps", "dd", "seq", "touch", "mkdir", "mount", "ulimit", "test", "grep", "hostname", "wc", "tr",
            "sed", "cut",
        ] {
            symlink("busybox", "\(root)/bin/\(name)")
        }
        Self.nameShim
    }

    /// One that another process has made and will take away.
    init(existing base: String) throws {
        self.base = base
        Self.nameShim
        isOwner = false
    }

    deinit {
        guard isOwner else { return }
        if case .running? = try? ContainerProcesses.status(runDirectory: runDirectory) {
            _ = try? ContainerProcesses.signal(runDirectory: runDirectory, SIGKILL)
            _ = try? waitForExit()
        }
        try? Files.removeTree(base)
    }

    /// Beside the test bundle, as both are built by one command.
    static let shimPath: String = {
        let source = #filePath
        let package = source.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(package)/.build/debug/swcompose-shim"
    }()

    /// Once: other threads read the environment.
    private static let nameShim: Void = { _ = setenv("SWCOMPOSE_SHIM", shimPath, 1) }()

    static let dockerCapabilities = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
        "CAP_AUDIT_WRITE",
    ]

    static func process(_ arguments: [String]) -> RuntimeSpec.Process {
        var process = RuntimeSpec.Process()
        process.args = arguments
        process.env = ["PATH=/bin:/usr/bin"]
        var capabilities = RuntimeSpec.Capabilities()
        capabilities.bounding = dockerCapabilities
        capabilities.effective = dockerCapabilities
        capabilities.permitted = dockerCapabilities
        process.capabilities = capabilities
        return process
    }

    /// With Docker's namespaces, mounts and masks.
    func request(_ arguments: String..., change: (inout LaunchRequest) -> Void = { _ in }) -> LaunchRequest {
        var spec = RuntimeSpec()
        spec.process = Self.process(arguments)
        spec.hostname = "box"
        spec.linux.namespaces = [.init(.mount), .init(.pid), .init(.network), .init(.uts), .init(.ipc)]
        spec.mounts = [
            .init(destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
            .init(
                destination: "/dev", type: "tmpfs", source: "tmpfs",
                options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            .init(
                destination: "/dev/pts", type: "devpts", source: "devpts",
                options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            .init(
                destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"]),
            .init(
                destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"]),
            .init(
                destination: "/dev/shm", type: "tmpfs", source: "shm",
                options: ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"]),
        ]
        spec.linux.maskedPaths = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"]
        spec.linux.readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
        var request = LaunchRequest(
            id: "test", spec: spec, rootfs: .overlay(lower: [root], upper: upper, work: "\(base)/work"),
            runDirectory: runDirectory, log: LogOptions(path: logPath))
        change(&request)
        return request
    }

    /// Launches, waits for the end, and gives its exit file and what it said on stdout.
    func run(_ request: LaunchRequest) throws -> (exit: ExitFile, stdout: String) {
        _ = try ContainerRuntime.launch(request)
        let exit = try waitForExit()
        return (exit, try log().filter { $0.stream == "stdout" }.map(\.log).joined())
    }

    func shell(_ script: String, change: (inout LaunchRequest) -> Void = { _ in }) throws -> (
        exit: ExitFile, stdout: String
    ) {
        try run(request("sh", "-c", script, change: change))
    }

    func waitForExit(seconds: Int = 20) throws -> ExitFile {
        for _ in 0..<(seconds * 200) {
            if case .exited(let exit) = try ContainerProcesses.status(runDirectory: runDirectory) { return exit }
            usleep(5000)
        }
        throw SystemError("wait for exit", .timedOut, runDirectory)
    }

    /// Waits until the last record has this in it, without reading all of the file over and over.
    func waitForLog(endingWith text: String) throws {
        var tail = [UInt8](repeating: 0, count: 160)
        for _ in 0..<1000 {
            if let file = try? OwnedDescriptor.open(logPath, O_RDONLY) {
                let end = lseek(file.raw, 0, Int32(SEEK_END))
                let count = pread(file.raw, &tail, tail.count, max(0, end - tail.count))
                if count > 0, String(decoding: tail[0..<count], as: UTF8.self).contains(text) { return }
            }
            usleep(10_000)
        }
        throw SystemError("wait for log", .timedOut, text)
    }

    struct LogRecord: Codable, Equatable {
        var log: String
        var stream: String
        var time: String
    }

    func log(_ suffix: String = "") throws -> [LogRecord] {
        try Files.read(logPath + suffix).split(separator: UInt8(ascii: "\n")).map { line in
            try JSONDecoder().decode(LogRecord.self, from: Data(line))
        }
    }
}
