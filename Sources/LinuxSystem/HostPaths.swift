internal import CLinux

/// Where everything of ours lives on the host. `SWCOMPOSE_DATA_ROOT` and `SWCOMPOSE_RUN_ROOT` move it elsewhere,
/// which tests do.
public struct HostPaths: Sendable, Hashable {
    /// Kept over reboots; `/var/lib/swcompose` for root.
    public let data: String
    /// Gone after a reboot; `/run/swcompose` for root.
    public let run: String

    public init(data: String, run: String) {
        self.data = data
        self.run = run
    }

    public static func standard() -> HostPaths {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        return HostPaths(
            data: variable("SWCOMPOSE_DATA_ROOT") ?? "/var/lib/swcompose",
            run: variable("SWCOMPOSE_RUN_ROOT") ?? "/run/swcompose")
    }

    public var images: String { "\(data)/images" }
    public var layers: String { "\(data)/layers" }
    public var volumes: String { "\(data)/volumes" }
    public var networks: String { "\(data)/networks" }
    public var projects: String { "\(data)/projects" }
    public func project(_ name: String) -> String { "\(projects)/\(name)" }
    public func containers(of project: String) -> String { "\(projects)/\(project)/containers" }
    public func container(_ name: String, of project: String) -> String { "\(containers(of: project))/\(name)" }
    public func projectRun(_ name: String) -> String { "\(run)/projects/\(name)" }
    /// Held by the project's supervisor as long as it lives.
    public func supervisorLock(_ project: String) -> String { "\(projectRun(project))/lock" }
    public func supervisorSocket(_ project: String) -> String { "\(projectRun(project))/supervisor.sock" }
    /// Directory of what a running container leaves in /run: pid, exit, shim.sock.
    public func containerRun(_ id: String) -> String { "\(run)/containers/\(id)" }
}
