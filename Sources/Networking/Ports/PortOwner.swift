internal import CLinux
internal import LinuxSystem

/// Finds out who holds a port of this host. Blocks, and reads all of /proc where it comes to that: for errors only.
enum PortOwner {
    struct Process: Sendable, Equatable {
        let name: String
        let pid: Int32
    }

    /// The process with the lowest pid of those that hold a socket bound to `address` and `port`, or to what excludes
    /// these. nil where there is none, or where it is not to be seen.
    static func find(_ transport: PortProtocol, _ address: IPAddress, _ port: UInt16) -> Process? {
        var inodes: [UInt64] = []
        for table in ["\(transport.rawValue)", "\(transport.rawValue)6"] {
            guard let text = try? Files.readString("/proc/self/net/\(table)") else { continue }
            inodes += sockets(in: text, transport, address, port)
        }
        return inodes.lazy.compactMap(process(holding:)).first
    }

    /// Inodes of the sockets in a table of /proc/net that stand in the way: listeners first.
    static func sockets(
        in table: String, _ transport: PortProtocol, _ address: IPAddress, _ port: UInt16
    ) -> [UInt64] {
        var listening: [UInt64] = []
        var others: [UInt64] = []
        for line in table.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count > 9, let (local, localPort) = endpoint(fields[1]), localPort == port,
                let inode = UInt64(fields[9]), inode != 0, excludes(local, address)
            else { continue }
            // TCP_LISTEN; a bound UDP socket is in state 07.
            if fields[3] == "0A" || transport == .udp { listening.append(inode) } else { others.append(inode) }
        }
        return listening + others
    }

    /// `0100007F:1F90`: words in the byte order of the machine, the port as a number.
    static func endpoint(_ text: Substring) -> (IPAddress, UInt16)? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1], radix: 16), [8, 32].contains(parts[0].utf8.count) else {
            return nil
        }
        var bytes: [UInt8] = []
        var rest = parts[0]
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            withUnsafeBytes(of: word) { bytes += $0 }
            rest = rest.dropFirst(8)
        }
        return IPAddress(bytes: bytes).map { ($0, port) }
    }

    /// Whether a socket on `held` is in the way of one on `wanted`. One on `::` may take IPv4 as well.
    private static func excludes(_ held: IPAddress, _ wanted: IPAddress) -> Bool {
        if held == wanted { return true }
        if held.family == wanted.family { return held.isUnspecified || wanted.isUnspecified }
        return held == PortSocket.any6 || held.family == .v6 && wanted.isUnspecified && held.value >> 32 == 0xffff
            || held.family == .v6 && held.value == 0xffff_0000_0000 | wanted.value
    }

    private static func process(holding inode: UInt64) -> Process? {
        let link = "socket:[\(inode)]"
        let pids = ((try? Files.list("/proc")) ?? []).compactMap { Int32($0) }.sorted()
        for pid in pids {
            for descriptor in (try? Files.list("/proc/\(pid)/fd")) ?? []
            where target(of: "/proc/\(pid)/fd/\(descriptor)") == link {
                let name = (try? Files.readString("/proc/\(pid)/comm")) ?? ""
                return Process(name: String(name.prefix { $0 != "\n" }), pid: pid)
            }
        }
        return nil
    }

    private static func target(of link: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = buffer.withUnsafeMutableBytes { readlink(link, $0.baseAddress!, $0.count) }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
