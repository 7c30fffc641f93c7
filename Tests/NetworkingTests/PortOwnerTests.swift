import Glibc
import Testing

@testable import Networking

@Suite("Holders of ports") struct PortOwnerTests {
    static let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

    static func line(_ local: String, _ state: String, _ inode: Int) -> String {
        "   0: \(local) 00000000:0000 \(state) 00000000:00000000 00:00000000 00000000     0        0 \(inode) 1 0\n"
    }

    @Test func endpoints() throws {
        let v4 = try #require(PortOwner.endpoint("0100007F:1F90"))
        #expect(v4.0 == IPAddress("127.0.0.1")! && v4.1 == 8080)
        let v6 = try #require(PortOwner.endpoint("B80D0120000000000000000001000000:0050"))
        #expect(v6.0 == IPAddress("2001:db8::1")! && v6.1 == 80)
        #expect(PortOwner.endpoint("0100007F") == nil)
        #expect(PortOwner.endpoint("01:0050") == nil)
    }

    @Test func socketsInTheWay() {
        let any6 = String(repeating: "0", count: 32)
        let mapped = "0000000000000000FFFF0000" + "0100007F"
        let table =
            Self.head + Self.line("0100007F:0050", "01", 1) + Self.line("0100007F:0050", "0A", 2)
            + Self.line("0200007F:0050", "0A", 3) + Self.line("00000000:0051", "0A", 4)
            + Self.line("\(any6):0050", "0A", 5) + Self.line("\(mapped):0050", "0A", 6)
            + Self.line("\(any6):0050", "06", 0)
        func inodes(_ address: String) -> [UInt64] {
            PortOwner.sockets(in: table, .tcp, IPAddress(address)!, 80)
        }
        #expect(inodes("127.0.0.1") == [2, 5, 6, 1])
        #expect(inodes("127.0.0.3") == [5])
        #expect(inodes("0.0.0.0") == [2, 3, 5, 6, 1])
        #expect(inodes("::1") == [5])
        #expect(inodes("::") == [5, 6])
    }

    @Test func ownSocketIsFound() throws {
        for transport in [PortProtocol.tcp, .udp] {
            let socket = try PortSocket(transport, IPAddress("127.0.0.1")!, 0)
            #expect(PortOwner.find(transport, PortSocket.any4, socket.port)?.pid == getpid())
        }
        #expect(PortOwner.find(.tcp, PortSocket.any4, 1) == nil)
    }
}
