import FoundationEssentials
internal import LinuxSystem
internal import OCI

/// What a later `exec` needs to know of a running container: its runtime specification, and its seccomp program as
/// bytes, because reading the profile again would cost more than the exec itself. Both live in /run with the
/// container.
struct RunRecord {
    let spec: RuntimeSpec
    let seccomp: [UInt8]

    static func write(_ spec: RuntimeSpec, seccomp: [UInt8], in runDirectory: String) throws {
        try Files.makeDirectories(runDirectory, mode: 0o700)
        var spec = spec
        spec.linux.seccomp = nil
        try Files.replace("\(runDirectory)/spec.json", with: [UInt8](try JSONEncoder().encode(spec)), mode: 0o600)
        try Files.replace("\(runDirectory)/seccomp.bpf", with: seccomp, mode: 0o600)
    }

    /// - Throws: ``SystemError`` where the container does not run.
    init(runDirectory: String) throws {
        spec = try JSONDecoder().decode(RuntimeSpec.self, from: Data(try Files.read("\(runDirectory)/spec.json")))
        seccomp = try Files.read("\(runDirectory)/seccomp.bpf")
    }
}
