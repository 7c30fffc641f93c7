// shim.sock: a few clients, none of which can hold up the container.
import CLinux

struct ClientTable {
    static let limit = 8
    let listener: CInt
    private struct Client {
        var descriptor: CInt = -1
        var isAttached = false
    }
    private var clients = InlineArray<8, Client>(repeating: Client())

    init(listener: CInt) { self.listener = listener }

    func descriptor(_ index: Int) -> CInt { clients[index].descriptor }

    mutating func accept() {
        let client = swc_accept(listener, CInt(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue))
        guard client >= 0 else { return }
        guard swc_peer_uid(client) == Int(geteuid()) else {
            close(client)
            return
        }
        for i in 0..<Self.limit where clients[i].descriptor < 0 {
            clients[i] = Client(descriptor: client)
            return
        }
        close(client)
    }

    mutating func setAttached(_ index: Int) { clients[index].isAttached = true }

    private mutating func drop(_ index: Int) {
        close(clients[index].descriptor)
        clients[index] = Client()
    }

    /// A packet of at most `ShimMessage.maximumSize`; 0 where there is none.
    mutating func receive(_ index: Int, _ buffer: UnsafeMutablePointer<UInt8>) -> Int {
        let count = recv(clients[index].descriptor, buffer, ShimMessage.maximumSize, CInt(MSG_DONTWAIT))
        if count > 0 { return count }
        if count == 0 || (swc_errno() != EAGAIN && swc_errno() != EINTR) { drop(index) }
        return 0
    }

    mutating func send(_ index: Int, _ data: UnsafePointer<UInt8>, _ count: Int) {
        // Who does not read loses the connection, not the container its time.
        if CLinux.send(clients[index].descriptor, data, count, CInt(MSG_DONTWAIT | MSG_NOSIGNAL)) < 0 {
            drop(index)
        }
    }

    mutating func broadcast(_ data: UnsafePointer<UInt8>, _ count: Int) {
        for i in 0..<Self.limit where clients[i].isAttached { send(i, data, count) }
    }
}

/// What clients typed that the program has not taken yet: one packet at most.
struct InputQueue {
    var descriptor: CInt = -1
    private var pending: UnsafeMutablePointer<UInt8>?
    private var start = 0
    private var end = 0
    private var closeWhenEmpty = false

    /// While true, nothing more is read from clients.
    var isWaiting: Bool { start < end && descriptor >= 0 }

    mutating func write(_ data: UnsafePointer<UInt8>, _ count: Int) {
        guard descriptor >= 0, !closeWhenEmpty else { return }
        if pending == nil { pending = .allocate(capacity: ShimMessage.maximumSize) }
        memcpy(pending!, data, count)
        start = 0
        end = count
        flush()
    }

    mutating func flush() {
        while start < end {
            let done = CLinux.write(descriptor, pending! + start, end - start)
            if done > 0 {
                start += done
            } else if swc_errno() == EAGAIN {
                return
            } else if swc_errno() != EINTR {
                // The program has closed its stdin.
                start = end
                closeWhenEmpty = true
            }
        }
        if closeWhenEmpty { close() }
    }

    mutating func close() {
        closeWhenEmpty = true
        guard start == end, descriptor >= 0 else { return }
        CLinux.close(descriptor)
        descriptor = -1
    }
}

/// Makes `shim.sock`, for its owner alone. Named through the directory's descriptor, as a socket's path is limited
/// to 107 bytes.
func listen(in directory: CInt) throws(Failure) -> CInt {
    let descriptor = try check("socket") {
        socket(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    }
    if unlinkat(directory, "shim.sock", 0) != 0, swc_errno() != ENOENT { throw Failure("unlink shim.sock") }
    var path = TextBuffer(capacity: 48)
    defer { path.free() }
    path.append("/proc/self/fd/")
    path.append(UInt64(directory))
    path.append("/shim.sock")
    var address = sockaddr_un()
    try check("shim.sock") { swc_unix_address(&address, path.path) }
    umask(0o177)
    defer { umask(0) }
    try check("bind shim.sock") { swc_bind_unix(descriptor, &address) }
    try check("listen") { CLinux.listen(descriptor, 8) }
    return descriptor
}
