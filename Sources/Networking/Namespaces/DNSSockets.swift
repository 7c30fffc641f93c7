internal import CLinux
internal import CNetlink
public import LinuxSystem
internal import SystemPackage

/// Sockets in a container's network namespace at which its names are asked: UDP bound, TCP listening, of one port. The
/// namespace's packet filter sends what goes to 127.0.0.11:53 there, so that the container can use port 53 itself.
public struct DNSSockets: Sendable {
    public let udp: OwnedDescriptor
    public let tcp: OwnedDescriptor
    public let port: UInt16

    /// Where a container's resolver looks.
    public static let address = IPAddress(.v4, 0x7f00_000b)
    /// Tried in order: above what the kernel gives to clients, so that none of these is taken in passing.
    static let ports: ClosedRange<UInt16> = 61053...61099

    /// Binds the sockets and installs the redirection, in the calling thread's network namespace. Done again, it
    /// replaces what is there.
    /// - Parameter pid: for messages.
    static func open(pid: Int32) throws -> DNSSockets {
        for port in ports {
            guard let udp = try bound(SOCK_DGRAM, port), let tcp = try bound(SOCK_STREAM, port) else { continue }
            try check("listen", "\(address):\(port)") { listen(tcp.raw, 128) }
            try redirect(to: port)
            return DNSSockets(udp: udp, tcp: tcp, port: port)
        }
        throw NetworkError.dnsPortsTaken(pid: pid)
    }

    /// nil where the port is taken.
    private static func bound(_ type: __socket_type, _ port: UInt16) throws -> OwnedDescriptor? {
        let flags = CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let descriptor = OwnedDescriptor(try check("socket") { socket(AF_INET, flags, 0) })
        if type == SOCK_STREAM {
            // Connections of an earlier server, not quite over, do not keep the port.
            var on: CInt = 1
            setsockopt(descriptor.raw, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
        }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(address.value).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor.raw, .init(__sockaddr__: $0), length)
            }
        }
        if result == 0 { return descriptor }
        if swc_errno() == EADDRINUSE { return nil }
        throw SystemError.last("bind", "\(address):\(port)")
    }

    /// Answers come back from 127.0.0.11:53: connection tracking undoes the translation.
    private static func redirect(to port: UInt16) throws {
        let table = NFTTable(family: .ip, name: "swcompose-dns")
        let chain = "output"
        let socket = try NetlinkSocket(NETLINK_NETFILTER)
        var batch = NFTBatch()
        do throws(NetlinkError) {
            // A new container has none. Replacing costs a grace period of RCU, some milliseconds.
            batch.add(table.create(exclusively: true))
            for message in redirection(table, chain, port) { batch.add(message) }
            try batch.commit(socket)
        } catch {
            guard error.errno == .fileExists else { throw error }
            let present = try? NFTListing(socket: socket).rules(of: chain, in: table).map(\.comment)
            if present == [comment(port), comment(port)] { return }
            batch = NFTBatch()
            for message in [table.create(), table.delete(), table.create()] + redirection(table, chain, port) {
                batch.add(message)
            }
            try batch.commit(socket)
        }
    }

    private static func comment(_ port: UInt16) -> String { "to port \(port)" }

    private static func redirection(_ table: NFTTable, _ chain: String, _ port: UInt16) -> [NetlinkMessage] {
        let (scratch, target, targetPort) = (NFTRegister(0), NFTRegister(1), NFTRegister(2))
        let rules = [IPPROTO_UDP, IPPROTO_TCP].map { transport in
            table.rule(
                in: chain,
                [
                    .payload(.network, offset: 16, length: 4, scratch),
                    .compare(scratch, equal: true, address.bytes),
                    .meta(.transportProtocol, scratch),
                    .compare(scratch, equal: true, [UInt8(transport)]),
                    .payload(.transport, offset: 2, length: 2, scratch),
                    .compare(scratch, equal: true, NFTElement.port(53)),
                    .immediate(address.bytes, target),
                    .immediate(NFTElement.port(port), targetPort),
                    .destinationNAT(.v4, address: target, port: targetPort),
                ], comment: comment(port))
        }
        return [table.baseChain(chain, type: "nat", hook: Int(NF_INET_LOCAL_OUT.rawValue), priority: -100)] + rules
    }
}
