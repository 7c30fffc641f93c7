internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// Settings below /proc/sys/net of the calling thread's network namespace.
enum NetworkSysctl {
    /// Where a setting of an interface is; interface names may hold dots, which is why these are paths.
    static func path(_ family: IPAddress.Family, _ interface: String, _ setting: String) -> String {
        "/proc/sys/net/\(family == .v4 ? "ipv4" : "ipv6")/conf/\(interface)/\(setting)"
    }

    static func write(_ path: String, _ value: Int) throws {
        try Files.writeControl(path, String(value))
    }

    /// As ``write(_:_:)``, but a kernel without the setting (IPv6 compiled out or off at boot) is no error.
    static func writeIfPresent(_ path: String, _ value: Int) throws {
        do { try write(path, value) } catch let error as SystemError where error.errno == .noSuchFileOrDirectory {}
    }

    static func read(_ path: String) -> Int? {
        guard let text = try? Files.readString(path) else { return nil }
        return Int(text.prefix { $0 != "\n" })
    }

    /// Lets the host pass packets between its interfaces. Written only where it is off: the kernel resets the settings
    /// of all interfaces with each write of `ip_forward`.
    /// - Parameter ours: whether an interface is one of our bridges or ports, which never listen to routers.
    static func enableForwarding(ipv6: Bool, ours: (String) -> Bool) throws {
        if read("/proc/sys/net/ipv4/ip_forward") != 1 { try write("/proc/sys/net/ipv4/ip_forward", 1) }
        guard ipv6, read(path(.v6, "all", "forwarding")) == 0 else { return }
        // A router ignores router advertisements, and with them the host loses its own default route, unless an
        // interface has accept_ra=2.
        for name in try Files.list("/proc/sys/net/ipv6/conf")
        where name != "all" && name != "default" && name != "lo" && !ours(name) {
            let setting = path(.v6, name, "accept_ra")
            if read(setting) == 1 { try writeIfPresent(setting, 2) }
        }
        try write(path(.v6, "all", "forwarding"), 1)
    }
}
