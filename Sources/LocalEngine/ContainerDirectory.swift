import FoundationEssentials
internal import LinuxSystem
internal import Orchestration
internal import SystemPackage

/// A container's directory below its project's:
///
///     config.json  state.json       what it is, how it is
///     upper/  work/                 its own layer of the root file system
///     log  log.1 …                  its output, in json-file form
///     hosts  resolv.conf  hostname  bind-mounted to /etc
public struct ContainerDirectory: Sendable, Hashable {
    public let path: String
    init(_ path: String) { self.path = path }

    public var log: String { "\(path)/log" }
    var config: String { "\(path)/config.json" }
    var state: String { "\(path)/state.json" }
    var upper: String { "\(path)/upper" }
    var work: String { "\(path)/work" }
    var hosts: String { "\(path)/hosts" }
    var resolvConf: String { "\(path)/resolv.conf" }
    var hostname: String { "\(path)/hostname" }

    /// nil where there is no container (any more), or where its creation was cut off before it was complete.
    func readConfig() throws -> StoredContainer? { try Self.readJSON(config) }
    func readState() throws -> StoredState { try Self.readJSON(state) ?? StoredState() }

    func write(_ config: StoredContainer) throws {
        // The container's environment may hold passwords: for root's eyes only.
        try Files.replace(self.config, with: [UInt8](try JSONEncoder().encode(config)), mode: 0o600)
    }

    func write(_ state: StoredState) throws {
        try Files.replace(self.state, with: [UInt8](try JSONEncoder().encode(state)), mode: 0o600)
    }

    private static func readJSON<T: Decodable>(_ path: String) throws -> T? {
        guard let bytes = try Files.readIfThere(path) else { return nil }
        // What a power failure can leave of a file that was just made.
        if bytes.isEmpty { return nil }
        do {
            return try JSONDecoder().decode(T.self, from: Data(bytes))
        } catch {
            throw UnreadableRecord(path: path, reason: "\(error)")
        }
    }
}

/// A file of ours that is not what we wrote.
struct UnreadableRecord: Error, CustomStringConvertible {
    let path: String
    let reason: String
    var description: String { "\(path) cannot be read: \(reason)" }
}
