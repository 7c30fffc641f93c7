internal import CLinux
internal import CNetlink
internal import LinuxSystem
internal import SystemPackage

/// Something that others did to the packet filter.
public enum FirewallChange: Sendable, Equatable {
    /// The table of this owner is gone, as after `nft flush ruleset`: to be applied again.
    case removed(owner: String)
    /// Other tables have changed: ``Firewall/reconcileForeign(bridges:)`` may have something to do.
    case foreign
    /// Changes came faster than they could be read: everything is to be looked at.
    case unknown
}

/// A thread that watches the packet filter of the network namespace it was started in, until this object goes.
public final class FirewallWatch: Sendable {
    private let stop: OwnedDescriptor

    fileprivate init(stop: OwnedDescriptor) { self.stop = stop }
    deinit { eventfd_write(stop.raw, 1) }
}

extension Firewall {
    /// Calls `onChange` on a thread of its own for each change by another process. What this process changes is passed
    /// over.
    /// - Returns: to be kept as long as the watch is wanted.
    /// - Throws: ``NetlinkError``, ``SystemError``.
    public static func watchFlush(onChange: @escaping @Sendable (FirewallChange) -> Void) throws -> FirewallWatch {
        let socket = try NetlinkSocket(NETLINK_NETFILTER)
        try socket.join(group: CInt(NFNLGRP_NFTABLES.rawValue))
        let stop = OwnedDescriptor(try check("eventfd") { eventfd(0, CInt(EFD_CLOEXEC)) })
        let job = Unmanaged.passRetained(WatchJob(socket: socket, stop: stop, onChange: onChange))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 256 * 1024)
        defer { pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        let result = pthread_create(
            &thread, &attributes,
            { argument in
                Unmanaged<WatchJob>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, job.toOpaque())
        guard result == 0 else {
            job.release()
            throw SystemError("pthread_create", Errno(rawValue: result))
        }
        return FirewallWatch(stop: stop)
    }
}

private final class WatchJob {
    private let socket: NetlinkSocket
    private let stop: OwnedDescriptor
    private let onChange: @Sendable (FirewallChange) -> Void
    private var transaction = FirewallTransaction()

    init(socket: NetlinkSocket, stop: OwnedDescriptor, onChange: @escaping @Sendable (FirewallChange) -> Void) {
        self.socket = socket
        self.stop = stop
        self.onChange = onChange
    }

    func run() {
        while true {
            var waiting = [
                pollfd(fd: stop.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&waiting, 2, -1) > 0 else { continue }
            if waiting[0].revents != 0 { return }
            do throws(NetlinkError) {
                for reply in try socket.receive(operation: "watch the packet filter") {
                    for change in transaction.take(reply, isOwn: isOwnThread) { onChange(change) }
                }
            } catch {
                transaction = FirewallTransaction()
                onChange(.unknown)
            }
        }
    }
}

private func isOwnThread(_ thread: UInt32) -> Bool { Files.exists("/proc/self/task/\(thread)") }

/// Gathers notifications until the one that ends a transaction and says whose it was.
struct FirewallTransaction {
    private var removed: Set<String> = []
    private var isForeign = false

    /// What the transaction comes to, with its last message; nothing before that.
    /// - Parameter isOwn: whether a thread is of this process.
    mutating func take(_ reply: NetlinkReply, isOwn: (UInt32) -> Bool) -> [FirewallChange] {
        guard reply.type >> 8 == Int(NFNL_SUBSYS_NFTABLES), let family = reply.payload.first else { return [] }
        let attributes = reply.attributes(after: 4)
        switch reply.type & 0xff {
        case Int(NFT_MSG_NEWGEN.rawValue):
            defer { self = FirewallTransaction() }
            // What the kernel calls the process's id is that of the thread.
            if let thread = attributes.big(Int(NFTA_GEN_PROC_PID.rawValue), UInt32.self), isOwn(thread) { return [] }
            return removed.sorted().map { .removed(owner: $0) } + (isForeign ? [.foreign] : [])
        case let type:
            // The table's name is the first attribute of all these messages.
            guard let table = attributes.string(Int(NFTA_TABLE_NAME.rawValue)) else { return [] }
            guard family == NFTFamily.inet.rawValue, table.hasPrefix(Firewall.tablePrefix) else {
                isForeign = true
                return []
            }
            let owner = String(table.dropFirst(Firewall.tablePrefix.count))
            if type == Int(NFT_MSG_DELTABLE.rawValue) { removed.insert(owner) }
            if type == Int(NFT_MSG_NEWTABLE.rawValue) { removed.remove(owner) }
            return []
        }
    }
}
