import CLinux
import Glibc
import LinuxSystem
import Synchronization
import Testing

@testable import Networking

/// Whether tests that need a network of their own can run.
let isRoot = geteuid() == 0

/// Processes that hold network namespaces, for one test; ended when it goes.
final class TestNetworks {
    private(set) var processes: [pid_t] = []
    let root: String

    init() {
        root = "/tmp/swcompose-net-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    }

    var paths: HostPaths { HostPaths(data: "\(root)/data", run: "\(root)/run") }

    deinit {
        for pid in processes {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        try? Files.removeTree(root)
    }

    /// A process in a network namespace of its own.
    func makeContainer() throws -> Int32 {
        let home = try NetworkNamespace.current()
        defer { home.enterOrStop() }
        try check("unshare") { unshare(CLONE_NEWNET) }
        return try sleeper()
    }

    /// A process in the calling thread's namespace.
    func sleeper() throws -> Int32 {
        var pid = pid_t()
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("600"), nil]
        defer { for argument in arguments { free(argument) } }
        let result = posix_spawn(&pid, "/bin/sleep", nil, nil, &arguments, nil)
        try #require(result == 0)
        processes.append(pid)
        return pid
    }

    func end(_ pid: Int32) {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        processes.removeAll { $0 == pid }
    }
}

extension NetworkNamespace {
    /// Moves the calling thread for good.
    func enterOrStop() { precondition(setns(descriptor.raw, CLONE_NEWNET) == 0) }
}

/// Runs `body` in a new network namespace with `lo` up and an uplink to a host on the LAN: `up0` 192.0.2.2/24 and
/// 2001:db8::2/64 here, 192.0.2.1 and 2001:db8::1 there, MTU 1400. The real host's network is not touched.
func withPrivateHost(_ body: (TestNetworks, _ lan: NetworkNamespace) throws -> Void) throws {
    let networks = TestNetworks()
    let home = try NetworkNamespace.current()
    defer { home.enterOrStop() }
    try check("unshare") { unshare(CLONE_NEWNET) }
    let lan = try NetworkNamespace(ofProcess: networks.makeContainer())
    let pid = networks.processes[0]
    try run(
        """
        ip link set lo up; ip link add up0 mtu 1400 type veth peer name lan0 mtu 1400 netns \(pid)
        ip addr add 192.0.2.2/24 dev up0; ip addr add 2001:db8::2/64 dev up0 nodad; ip link set up0 up
        nsenter --net=/proc/\(pid)/ns/net sh -ec '
          ip link set lo up; ip addr add 192.0.2.1/24 dev lan0; ip addr add 2001:db8::1/64 dev lan0 nodad; ip link set lan0 up'
        ip route add default via 192.0.2.1; ip -6 route add default via 2001:db8::1
        """)
    try body(networks, lan)
}

/// Runs a shell script in the calling thread's namespace and returns what it prints.
@discardableResult
func run(_ script: String) throws -> String {
    let path = "/tmp/swcompose-net-output-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    defer { unlink(path) }
    var pid = pid_t()
    let wrapped = "exec >\(path) 2>&1; set -e; PATH=/usr/sbin:/usr/bin:/sbin:/bin\n\(script)"
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup(wrapped), nil]
    defer { for argument in arguments { free(argument) } }
    try #require(posix_spawn(&pid, "/bin/sh", nil, nil, &arguments, nil) == 0)
    var status: CInt = 0
    try check("waitpid") { waitpid(pid, &status, 0) }
    let text = try Files.readString(path)
    try #require(status == 0, "\(script): \(text)")
    return text
}

/// Everything that needs root. One after the other: they change the namespaces of their threads and start processes.
@Suite(.serialized, .enabled(if: isRoot)) struct PrivilegedTests {}

/// A thread for blocking work.
final class TestThread {
    private var thread = pthread_t()
    private final class Job {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    init(_ body: @escaping @Sendable () -> Void) {
        pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Job>.fromOpaque(argument!).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Job(body)).toOpaque())
    }

    func join() { pthread_join(thread, nil) }
}

final class Results: Sendable {
    private let values = Mutex<[IPAddress]>([])
    func add(_ value: IPAddress?) { if let value { values.withLock { $0.append(value) } } }
    var all: [IPAddress] { values.withLock { $0 } }
}
