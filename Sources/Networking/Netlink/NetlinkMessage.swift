internal import CNetlink

/// One message under construction, over libnl's `nl_msg`. Grows as needed. Not shared between threads.
final class NetlinkMessage {
    /// For errors: what it asks for.
    let operation: String
    private(set) var message: OpaquePointer
    private var capacity: Int

    /// - Parameter flags: `NLM_F_*`; `NLM_F_REQUEST` is added when it is sent.
    init(_ operation: String, type: Int, flags: Int, capacity: Int = 1024) {
        self.operation = operation
        self.capacity = capacity
        guard let message = nlmsg_alloc_size(capacity), nlmsg_put(message, 0, 0, CInt(type), 0, CInt(flags)) != nil
        else {
            preconditionFailure("out of memory")
        }
        self.message = message
    }

    deinit { nlmsg_free(message) }

    private var header: UnsafeMutablePointer<nlmsghdr> { nlmsg_hdr(message) }

    /// The message as it goes out; complete only when the socket has filled in the header.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len))
    }

    /// libnl says "no memory" when the buffer is full: enlarge it and try again.
    private func growing(_ body: (OpaquePointer) -> CInt) {
        while true {
            let result = body(message)
            if result >= 0 { return }
            precondition(result == -NLE_NOMEM, "malformed netlink attribute: \(result)")
            capacity *= 2
            precondition(nlmsg_expand(message, capacity) >= 0, "out of memory")
        }
    }

    /// The family's fixed header, right after the netlink header.
    func append<T: BitwiseCopyable>(header: T) {
        withUnsafeBytes(of: header) { raw in
            growing {
                nlmsg_append($0, UnsafeMutableRawPointer(mutating: raw.baseAddress!), raw.count, CInt(NLMSG_ALIGNTO))
            }
        }
    }

    func put(_ attribute: Int, bytes: [UInt8]) {
        growing { nla_put($0, CInt(attribute), CInt(bytes.count), bytes) }
    }

    func put(_ attribute: Int, _ value: UInt8) { put(attribute, bytes: [value]) }

    /// In the host's byte order, as route netlink has it.
    func put(_ attribute: Int, _ value: UInt32) { put(attribute, bytes: withUnsafeBytes(of: value) { Array($0) }) }

    /// In network byte order, as netfilter has it.
    func putBig(_ attribute: Int, _ value: UInt32) { put(attribute, value.bigEndian) }
    func putBig(_ attribute: Int, _ value: UInt64) {
        put(attribute, bytes: withUnsafeBytes(of: value.bigEndian) { Array($0) })
    }
    func putBig(_ attribute: Int, _ value: UInt16) {
        put(attribute, bytes: withUnsafeBytes(of: value.bigEndian) { Array($0) })
    }

    func put(_ attribute: Int, _ text: String) { put(attribute, bytes: Array(text.utf8) + [0]) }

    /// An attribute that holds what `body` puts.
    func nest(_ attribute: Int, _ body: () throws -> Void) rethrows {
        var offset = 0
        growing { message in
            guard let start = nla_nest_start(message, CInt(attribute) | CInt(NLA_F_NESTED)) else { return -NLE_NOMEM }
            offset = UnsafeRawPointer(start) - UnsafeRawPointer(nlmsg_hdr(message)!)
            return 0
        }
        try body()
        // The buffer may have moved meanwhile: the start is found again by its offset.
        let start = (UnsafeMutableRawPointer(header) + offset).assumingMemoryBound(to: nlattr.self)
        precondition(bytes.count - offset <= Int(UInt16.max), "netlink attribute too long")
        nla_nest_end_keep_empty(message, start)
    }
}
