internal import CLinux
internal import CNetlink
internal import Synchronization
internal import SystemPackage

/// The packet filter of one owner (a project): one nf_tables table, `inet swcompose-<owner>`, in the network namespace of
/// the thread that calls first. All calls block, most for well under a millisecond.
public final class Firewall: Sendable {
    /// Tables of ours begin with this.
    static let tablePrefix = "swcompose-"

    private let table: NFTTable
    private let state = Mutex(State())

    private struct State {
        /// What the kernel was last told; nil before that.
        var applied: FirewallState?
        /// Kept: closing one waits until what was deleted is really gone, some milliseconds.
        private var socket: NetlinkSocket?

        mutating func commit(_ messages: [NetlinkMessage]) throws(NetlinkError) {
            var batch = NFTBatch()
            for message in messages { batch.add(message) }
            let socket: NetlinkSocket
            if let kept = self.socket { socket = kept } else { socket = try NetlinkSocket(NETLINK_NETFILTER) }
            self.socket = socket
            try batch.commit(socket)
        }
    }

    public init(owner: String) {
        // Names in the kernel are limited to 255 bytes.
        let name = owner.utf8.count <= 200 ? owner : Naming.hex(Naming.hash(owner), digits: 16)
        table = NFTTable(family: .inet, name: Self.tablePrefix + name)
    }

    /// Replaces everything in one transaction. Also puts it back after somebody has flushed the ruleset. To be called
    /// again when a bridge has been made anew.
    /// - Throws: ``NetlinkError``; then nothing has changed.
    public func apply(_ new: FirewallState) throws {
        try state.withLock { state in
            try state.commit(Ruleset(table: table, state: new).messages())
            state.applied = new
        }
        // Published ports are reached from 127.0.0.1 too. Only now: without the rules above this would let containers
        // reach what listens on the host's 127.0.0.1.
        for bridge in new.bridges {
            let setting = NetworkSysctl.path(.v4, bridge.name, "route_localnet")
            if NetworkSysctl.read(setting) == 0 { try NetworkSysctl.writeIfPresent(setting, 1) }
        }
    }

    /// Adds published ports in one transaction. One that is there already is moved to its new container.
    /// - Throws: ``NetworkError/firewallNotApplied(table:)`` before the first ``apply(_:)``; ``NetlinkError``.
    public func publish(_ ports: [PublishedPort]) throws {
        try change { state in
            let taken = Set(ports.compactMap(Self.key))
            state.published.removeAll { Self.key($0).map(taken.contains) ?? false }
            state.published += ports
        }
        try Conntrack.forgetUntranslated(to: ports)
    }

    /// Removes published ports in one transaction. Those not there are passed over.
    public func unpublish(_ ports: [PublishedPort]) throws {
        let gone = Set(ports)
        try change { state in state.published.removeAll { gone.contains($0) } }
        try Conntrack.forgetTranslated(by: ports)
    }

    /// Removes the table. None there is no error.
    public func remove() throws {
        try state.withLock { state in
            // Made first, so that there is one to delete.
            try state.commit([table.create(), table.delete()])
            state.applied = nil
        }
    }

    /// Whether the table is there.
    public func isPresent() throws -> Bool {
        let message = NFTBatch.message("look for table \(table.name)", Int(NFT_MSG_GETTABLE.rawValue), family: .inet)
        message.put(Int(NFTA_TABLE_NAME.rawValue), table.name)
        do throws(NetlinkError) {
            _ = try NetlinkSocket(NETLINK_NETFILTER).query(message)
            return true
        } catch {
            if error.errno == .noSuchFileOrDirectory { return false }
            throw error
        }
    }

    private struct Key: Hashable {
        var map: String
        var key: [UInt8]
    }
    private static func key(_ port: PublishedPort) -> Key? {
        port.element.map { Key(map: $0.map, key: $0.element.key) }
    }

    /// Brings the difference to the kernel. Where that does not fit what is there (somebody has meddled with the table),
    /// all of it.
    private func change(_ body: (inout FirewallState) -> Void) throws {
        try state.withLock { state in
            guard let old = state.applied else { throw NetworkError.firewallNotApplied(table: table.name) }
            var new = old
            body(&new)
            let (before, after) = (Ruleset.elements(of: old.published), Ruleset.elements(of: new.published))
            var messages: [NetlinkMessage] = []
            for map in Set(before.keys).union(after.keys).sorted() {
                let (old, new) = (Set(before[map] ?? []), Set(after[map] ?? []))
                messages += table.elements(Array(old.subtracting(new)), of: map, delete: true)
                messages += table.elements(Array(new.subtracting(old)), of: map)
            }
            do throws(NetlinkError) { try state.commit(messages) } catch {
                guard [Errno.noSuchFileOrDirectory, .fileExists, .resourceBusy].contains(error.errno) else {
                    throw error
                }
                try state.commit(Ruleset(table: table, state: new).messages())
            }
            state.applied = new
        }
    }
}
