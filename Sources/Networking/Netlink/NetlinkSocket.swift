internal import CLinux
internal import CNetlink
internal import LinuxSystem
internal import SystemPackage

/// A netlink socket over libnl. It speaks to the network namespace in which it was opened, wherever the thread goes
/// afterwards. Blocking; not shared between threads.
final class NetlinkSocket {
    private let socket: OpaquePointer
    private let protocolNumber: CInt

    /// - Parameter protocolNumber: `NETLINK_ROUTE` or `NETLINK_NETFILTER`.
    init(_ protocolNumber: CInt) throws(NetlinkError) {
        guard let socket = nl_socket_alloc() else { preconditionFailure("out of memory") }
        self.socket = socket
        self.protocolNumber = protocolNumber
        let result = nl_connect(socket, protocolNumber)
        guard result >= 0 else { throw Self.failure("open a netlink socket", result) }
        nl_socket_disable_auto_ack(socket)
        // One receive call per datagram: the kernel never sends more than 32 KiB at once.
        nl_socket_set_msg_buf_size(socket, 65536)
        nl_socket_disable_msg_peek(socket)
        var on: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        setsockopt(descriptor, SOL_NETLINK, NETLINK_EXT_ACK, &on, size)
        setsockopt(descriptor, SOL_NETLINK, NETLINK_CAP_ACK, &on, size)
    }

    deinit { nl_socket_free(socket) }

    var descriptor: CInt { nl_socket_get_fd(socket) }

    /// Sends all messages at once; the kernel works through them in order. Every message is acknowledged.
    /// - Throws: the first refusal. Later messages have been carried out nevertheless: see ``NFTBatch`` for what is atomic.
    func send(_ messages: [NetlinkMessage], ignoring tolerated: (NetlinkMessage, Errno) -> Bool = { _, _ in false })
        throws(NetlinkError)
    {
        guard let first = messages.first else { return }
        var waiting: [UInt32: NetlinkMessage] = [:]
        var bytes: [UInt8] = []
        for message in messages {
            waiting[complete(message, acknowledged: true)] = message
            bytes.append(contentsOf: message.bytes)
        }
        try transmit(&bytes, for: first)
        var refusal: NetlinkError?
        while !waiting.isEmpty {
            for reply in try receive(for: first) {
                guard let answer = reply.acknowledgement, let message = waiting.removeValue(forKey: reply.sequence)
                else { continue }
                let errno = Errno(rawValue: answer.error)
                if answer.error != 0, refusal == nil, !tolerated(message, errno) {
                    refusal = NetlinkError(operation: message.operation, errno: errno, detail: answer.text)
                }
            }
        }
        if let refusal { throw refusal }
    }

    /// Sends a query that is answered by any number of messages.
    func dump(_ message: NetlinkMessage) throws(NetlinkError) -> [NetlinkReply] {
        let sequence = complete(message, acknowledged: false, extraFlags: NLM_F_ROOT | NLM_F_MATCH)
        var bytes = Array(message.bytes)
        try transmit(&bytes, for: message)
        var answers: [NetlinkReply] = []
        while true {
            for reply in try receive(for: message) where reply.sequence == sequence {
                if let answer = reply.acknowledgement, answer.error != 0 {
                    throw NetlinkError(
                        operation: message.operation, errno: Errno(rawValue: answer.error), detail: answer.text)
                }
                if reply.type == Int(NLMSG_DONE) { return answers }
                answers.append(reply)
            }
        }
    }

    /// Sends a query that is answered by one message.
    func query(_ message: NetlinkMessage) throws(NetlinkError) -> NetlinkReply {
        let sequence = complete(message, acknowledged: false)
        var bytes = Array(message.bytes)
        try transmit(&bytes, for: message)
        while true {
            for reply in try receive(for: message) where reply.sequence == sequence {
                guard let answer = reply.acknowledgement else { return reply }
                throw NetlinkError(
                    operation: message.operation, errno: Errno(rawValue: answer.error), detail: answer.text)
            }
        }
    }

    /// Fills in sequence number and sender. Returns the sequence number.
    @discardableResult
    func complete(_ message: NetlinkMessage, acknowledged: Bool, extraFlags: CInt = 0) -> UInt32 {
        nl_complete_msg(socket, message.message)
        let header = nlmsg_hdr(message.message)!
        header.pointee.nlmsg_flags |= UInt16(NLM_F_REQUEST | extraFlags | (acknowledged ? NLM_F_ACK : 0))
        return header.pointee.nlmsg_seq
    }

    func transmit(_ bytes: inout [UInt8], for message: NetlinkMessage) throws(NetlinkError) {
        if bytes.count > 16384 {
            // A datagram must fit the send buffer, bookkeeping included.
            var size = CInt(bytes.count * 2)
            setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, socklen_t(MemoryLayout<CInt>.size))
        }
        let result = nl_sendto(socket, &bytes, bytes.count)
        if result < 0 { throw Self.failure(message.operation, result) }
    }

    /// Waits for one datagram.
    func receive(for message: NetlinkMessage) throws(NetlinkError) -> [NetlinkReply] {
        try receive(operation: message.operation)
    }

    func receive(operation: String) throws(NetlinkError) -> [NetlinkReply] {
        var sender = sockaddr_nl()
        var buffer: UnsafeMutablePointer<UInt8>?
        let count = nl_recv(socket, &sender, &buffer, nil)
        guard count > 0, let buffer else { throw Self.failure(operation, count) }
        defer { free(buffer) }
        return NetlinkReply.parse(Array(UnsafeBufferPointer(start: buffer, count: Int(count))))
    }

    /// Whether a datagram waits to be read.
    var hasInput: Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 0) > 0
    }

    /// Subscribes to a multicast group of notifications.
    func join(group: CInt) throws(NetlinkError) {
        let result = nl_socket_add_membership(socket, group)
        if result < 0 { throw Self.failure("subscribe to netlink group \(group)", result) }
    }

    /// libnl keeps the system's error number where it came from a system call.
    private static func failure(_ operation: String, _ result: CInt) -> NetlinkError {
        let errno =
            switch -result {
            case NLE_PERM, NLE_NOACCESS: Errno.notPermitted
            case NLE_NOMEM: Errno(rawValue: swc_errno() == ENOBUFS ? ENOBUFS : ENOMEM)
            default: Errno(rawValue: swc_errno() == 0 ? EIO : swc_errno())
            }
        return NetlinkError(operation: operation, errno: errno, detail: String(cString: nl_geterror(result)))
    }
}
