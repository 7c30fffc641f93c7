import CNetlink
import TestSupport
import Testing

@testable import Networking

@Suite @BlockingTests struct NetlinkTests {
    @Test func nestedAttributesOnTheWire() {
        let message = NetlinkMessage("test", type: 0x1234, flags: 0x5, capacity: 32)
        message.append(header: UInt32(0x0102_0304))
        message.nest(7) {
            message.putBig(1, UInt32(0xdead_beef))
            message.nest(2) {}
            message.put(3, "eth0")
        }
        let bytes = Array(message.bytes)
        #expect(bytes[0..<8] == [48, 0, 0, 0, 0x34, 0x12, 0x05, 0x00])
        #expect(
            bytes[16...]
                == [
                    0x04, 0x03, 0x02, 0x01,  // the family's header
                    28, 0, 7, 0x80,  // nested
                    8, 0, 1, 0, 0xde, 0xad, 0xbe, 0xef,  // network byte order
                    4, 0, 2, 0x80,  // empty, and there all the same
                    9, 0, 3, 0, 0x65, 0x74, 0x68, 0x30, 0, 0, 0, 0,  // with its NUL, padded
                ])
    }

    /// The buffer moves while attributes are open.
    @Test func growsWithOpenNests() throws {
        let message = NetlinkMessage("test", type: 1, flags: 0, capacity: 64)
        message.nest(1) {
            for number in 0..<500 {
                message.nest(2) {
                    message.put(3, bytes: Array(repeating: UInt8(truncatingIfNeeded: number), count: 40))
                }
            }
        }
        let reply = try #require(NetlinkReply.parse(Array(message.bytes)).first)
        let elements = try #require(reply.attributes(after: 0).nested(1)).all
        #expect(elements.count == 500)
        #expect(NetlinkAttributes(elements[499].value)[3]?.first == 243 as UInt8)
    }

    @Test func acknowledgementWithText() throws {
        // error -17, the request's header (48 bytes long, payload left out), attribute 1: text
        let payload: [UInt8] =
            [0xef, 0xff, 0xff, 0xff] + [48, 0, 0, 0] + Array(repeating: 0, count: 12) + [8, 0, 1, 0] + Array("no!".utf8)
            + [0]
        let capped = NetlinkReply(
            type: Int(NLMSG_ERROR), flags: Int(NLM_F_CAPPED | NLM_F_ACK_TLVS), sequence: 1, payload: payload[...])
        #expect(try #require(capped.acknowledgement) == (17, "no!"))
        let bare = NetlinkReply(type: Int(NLMSG_ERROR), flags: 0, sequence: 1, payload: payload.prefix(20))
        #expect(try #require(bare.acknowledgement) == (17, nil))
    }

    @Test(arguments: [[], [4], [3, 0, 1, 0], [12, 0, 1, 0, 9], [0, 0, 0, 0, 0, 0, 0, 0]] as [[UInt8]])
    func malformedAttributesEndTheList(bytes: [UInt8]) {
        #expect(NetlinkAttributes(bytes[...]).all.isEmpty)
        #expect(NetlinkReply.parse(bytes).isEmpty)
    }

    @Test func ruleComments() {
        let data = [1, 2, 9, 9] + NFTUserData.comment("swcompose x")
        #expect(NFTUserData.comment(in: data[...]) == "swcompose x")
        #expect(NFTUserData.comment(in: data.prefix(9)) == nil)
    }

    @Test func gatewayByPriority() {
        func interface(_ priority: Double, _ gateway: String?) -> NetworkManager.PlannedInterface {
            var result = AttachedInterface(network: "n", name: "e", mac: MACAddress(derivedFrom: 1))
            result.ipv4Gateway = gateway.flatMap { IPAddress($0) }
            let record = NetworkRecord(
                id: "", name: "", bridge: "", labels: [:], isInternal: false, enableIPv6: false, subnets: [], mtu: 0,
                options: [:], createdAt: 0, requested: .init(subnets: []))
            return .init(record: record, port: "", priority: priority, result: result)
        }
        #expect(
            NetworkManager.gatewayInterface([interface(9, nil), interface(0, "10.0.0.1"), interface(0, "10.0.1.1")])
                == [.v4: 1])
        #expect(NetworkManager.gatewayInterface([interface(-1, "10.0.0.1"), interface(0, "10.0.1.1")]) == [.v4: 1])
        #expect(NetworkManager.gatewayInterface([interface(9, nil)]).isEmpty)
    }
}
