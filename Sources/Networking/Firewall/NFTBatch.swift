internal import CLinux
internal import CNetlink
internal import SystemPackage

/// A transaction of nf_tables: all of it or nothing.
struct NFTBatch {
    private(set) var messages: [NetlinkMessage] = []

    /// The header of every netfilter message.
    struct Header {
        var family: UInt8
        var version: UInt8 = 0
        var resource: UInt16 = 0
    }

    static func message(_ operation: String, _ type: Int, family: NFTFamily, flags: CInt = 0, capacity: Int = 1024)
        -> NetlinkMessage
    {
        let message = NetlinkMessage(
            operation, type: Int(NFNL_SUBSYS_NFTABLES) << 8 | type, flags: Int(flags), capacity: capacity)
        message.append(header: Header(family: family.rawValue))
        return message
    }

    mutating func add(_ message: NetlinkMessage) { messages.append(message) }
    var isEmpty: Bool { messages.isEmpty }

    /// Carries the transaction out, in the network namespace of `socket`.
    /// - Throws: the first refusal; then nothing has changed.
    func commit(_ socket: NetlinkSocket) throws(NetlinkError) {
        guard let last = messages.last else { return }
        var bytes: [UInt8] = []
        var waiting: [UInt32: NetlinkMessage] = [:]
        let begin = Self.frame(Int(NFNL_MSG_BATCH_BEGIN))
        let end = Self.frame(Int(NFNL_MSG_BATCH_END))
        for message in [begin] + messages + [end] {
            // One acknowledgement will do: refusals come unasked.
            let sequence = socket.complete(message, acknowledged: message === last)
            waiting[sequence] = message === begin || message === end ? last : message
            bytes.append(contentsOf: message.bytes)
        }
        try socket.transmit(&bytes, for: last)
        // The kernel has done the work when the send returns, and its answers wait in the socket.
        var refusal: NetlinkError?
        var acknowledged = false
        while socket.hasInput {
            for reply in try socket.receive(for: last) {
                guard let answer = reply.acknowledgement, let message = waiting[reply.sequence] else { continue }
                acknowledged = acknowledged || message === last
                if answer.error != 0, refusal == nil {
                    refusal = NetlinkError(
                        operation: message.operation, errno: Errno(rawValue: answer.error), detail: answer.text)
                }
            }
        }
        if let refusal { throw refusal }
        guard acknowledged else {
            throw NetlinkError(operation: last.operation, errno: .ioError, detail: "the kernel did not answer")
        }
    }

    private static func frame(_ type: Int) -> NetlinkMessage {
        let message = NetlinkMessage("change the packet filter", type: type, flags: 0, capacity: 64)
        message.append(header: Header(family: 0, resource: UInt16(NFNL_SUBSYS_NFTABLES).bigEndian))
        return message
    }
}

/// Address family of a table.
enum NFTFamily: UInt8 {
    case unspecified = 0
    case inet = 1
    case ip = 2
    case ip6 = 10
}
