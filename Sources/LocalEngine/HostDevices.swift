internal import CLinux
internal import ComposeFile
internal import LinuxSystem
internal import OCI
internal import Orchestration

/// `devices:` and `device_cgroup_rules:`, and what a privileged container gets of the host's devices.
enum HostDevices {
    struct Grant {
        var node: RuntimeSpec.Device
        var rule: RuntimeSpec.DeviceRule
    }

    /// A device, or every device below a directory.
    /// - Throws: ``EngineError/failed(_:)`` where there is no such device.
    static func expand(_ device: Device) throws -> [Grant] {
        if device.source.contains("=") {
            throw EngineError.unsupported("device \(device.source): CDI devices are not done yet")
        }
        var info = stat()
        guard stat(device.source, &info) == 0 else {
            throw EngineError.failed("no such device: \(device.source)")
        }
        if info.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR) {
            return try Files.list(device.source).flatMap { name -> [Grant] in
                let path = "\(device.source)/\(name)"
                var child = stat()
                // Links are passed over: they may lead round in a circle.
                guard lstat(path, &child) == 0, isDirectory(child) || type(of: child) != nil else { return [] }
                var nested = device
                nested.source = path
                nested.target = "\(device.target)/\(name)"
                return try expand(nested)
            }
        }
        guard let grant = grant(info, path: device.target, access: device.permissions) else {
            throw EngineError.failed("\(device.source) is not a device")
        }
        return [grant]
    }

    /// All of the host's, but terminals and what every container makes for itself.
    static func all() throws -> [Grant] {
        let own: Set = [
            "pts", "shm", "fd", "mqueue", "console", "ptmx", "null", "zero", "full", "random", "urandom", "tty",
        ]
        return try Files.list("/dev").filter { !own.contains($0) }.flatMap { name -> [Grant] in
            var info = stat()
            let path = "/dev/\(name)"
            guard lstat(path, &info) == 0 else { return [] }
            if isDirectory(info) {
                var device = Device()
                device.source = path
                device.target = path
                return try expand(device)
            }
            return grant(info, path: path, access: "rwm").map { [$0] } ?? []
        }
    }

    /// `c 10:200 rwm`, with `*` for any number.
    static func rule(_ text: String) throws -> RuntimeSpec.DeviceRule {
        let parts = text.split(separator: " ")
        let numbers = parts.count == 3 ? parts[1].split(separator: ":", omittingEmptySubsequences: false) : []
        let parsed = numbers.map { $0 == "*" ? Int64(-1) : UInt32($0).map(Int64.init) }
        guard numbers.count == 2, let major = parsed[0], let minor = parsed[1], ["a", "b", "c"].contains(parts[0]),
            parts[2].allSatisfy({ "rwm".contains($0) })
        else {
            throw EngineError.failed(
                "device_cgroup_rules: \"\(text)\" is not of the form \"c 10:200 rwm\" (type a, b or c; numbers or *)")
        }
        return RuntimeSpec.DeviceRule(
            allow: true, type: String(parts[0]), major: major < 0 ? nil : major, minor: minor < 0 ? nil : minor,
            access: String(parts[2]))
    }

    private static func isDirectory(_ info: stat) -> Bool { info.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR) }

    private static func type(of info: stat) -> String? {
        switch CInt(info.st_mode) & CInt(S_IFMT) {
        case CInt(S_IFCHR): "c"
        case CInt(S_IFBLK): "b"
        default: nil
        }
    }

    private static func grant(_ info: stat, path: String, access: String) -> Grant? {
        guard let type = type(of: info) else { return nil }
        let (major, minor) = (swc_major(info.st_rdev), swc_minor(info.st_rdev))
        var node = RuntimeSpec.Device(
            type: type, path: path, major: major, minor: minor, fileMode: info.st_mode & 0o7777)
        node.uid = info.st_uid
        node.gid = info.st_gid
        return Grant(
            node: node,
            rule: .init(allow: true, type: type, major: Int64(major), minor: Int64(minor), access: access))
    }
}
