internal import CLinux
internal import CNetlink
internal import LinuxSystem
internal import SystemPackage

/// Others' filters of forwarded packets. Where one drops by default (Docker's, ufw's), no accept of ours counts against it:
/// our bridges must be let through there. Our own table still decides after that.
extension Firewall {
    /// What ``reconcileForeign(bridges:)`` found and did.
    public struct ForeignReport: Sendable, Equatable {
        /// Rules added or removed.
        public var changes: Int = 0
        /// For the user: what is in the way and cannot be changed from here.
        public var warnings: [String] = []
    }

    /// Lets our bridges through every filter that drops forwarded packets by default: in Docker's chain for that, else
    /// at the head of the filter itself. Rules of bridges that no longer exist are removed. Called again it changes
    /// nothing; it is to be called again when the packet filter has changed, as Docker makes its chains anew.
    @discardableResult
    public static func reconcileForeign(bridges: [BridgeRule]) throws -> ForeignReport {
        let socket = try NetlinkSocket(NETLINK_NETFILTER)
        let interfaces = Set(try RouteSocket().links().map(\.name))
        var report = ForeignReport()
        for attempt in 1... {
            var batch = NFTBatch()
            for place in try places(NFTListing(socket: socket)) {
                place.reconcile(bridges: bridges, interfaces: interfaces, batch: &batch)
            }
            do throws(NetlinkError) {
                try batch.commit(socket)
                report.changes = batch.messages.count
                break
            } catch {
                // Somebody changed the chain between our look and our change.
                guard attempt < 5, error.errno == .noSuchFileOrDirectory else { throw error }
            }
        }
        if legacyFilterDrops() {
            report.warnings.append(
                "the legacy iptables filter is in use on this host; if its FORWARD chain drops packets, let the containers "
                    + "through with: iptables-legacy -I FORWARD -i \(Naming.bridgePrefix)+ -j ACCEPT; "
                    + "iptables-legacy -I FORWARD -o \(Naming.bridgePrefix)+ -j ACCEPT")
        }
        return report
    }

    /// Removes the rules that let one bridge through.
    static func removeForeign(bridge: String) throws {
        let socket = try NetlinkSocket(NETLINK_NETFILTER)
        var batch = NFTBatch()
        for place in try places(NFTListing(socket: socket)) {
            for rule in place.rules where ForeignRule(comment: rule.comment)?.bridge == bridge {
                batch.add(place.table.deleteRule(in: place.chain, handle: rule.handle))
            }
        }
        try batch.commit(socket)
    }

    /// Its tables are invisible to nf_tables, its policy is not to be read without its own interface.
    private static func legacyFilterDrops() -> Bool {
        guard let names = try? Files.readString("/proc/thread-self/net/ip_tables_names") else { return false }
        return names.split(separator: "\n").contains("filter")
    }

    private static func places(_ listing: NFTListing) throws -> [ForeignPlace] {
        let chains = try listing.chains()
        var places: [ForeignPlace] = []
        for chain in chains
        where chain.hook == UInt32(NF_INET_FORWARD.rawValue) && chain.dropsByDefault
            && !chain.table.hasPrefix(tablePrefix)
        {
            let table = NFTTable(family: chain.family, name: chain.table)
            let own = try listing.rules(of: chain.name, in: table)
            let user = "DOCKER-USER"
            if own.contains(where: { $0.jump == user }) {
                let rules = try listing.rules(of: user, in: table)
                places.append(ForeignPlace(table: table, chain: user, rules: rules, isPreferred: true))
                // Ours may be there from before Docker came.
                places.append(ForeignPlace(table: table, chain: chain.name, rules: own, isPreferred: false))
            } else {
                places.append(ForeignPlace(table: table, chain: chain.name, rules: own, isPreferred: true))
            }
        }
        return places
    }
}

/// One rule of ours in somebody else's chain, as its comment names it.
private struct ForeignRule: Hashable {
    enum Direction: String { case into = "in", out }
    var bridge: String
    var direction: Direction

    init(bridge: String, direction: Direction) {
        self.bridge = bridge
        self.direction = direction
    }

    init?(comment: String?) {
        guard let words = comment?.split(separator: " "), words.count == 3, words[0] == "swcompose",
            let direction = Direction(rawValue: String(words[2]))
        else { return nil }
        self.init(bridge: String(words[1]), direction: direction)
    }

    var comment: String { "swcompose \(bridge) \(direction.rawValue)" }

    /// In the shape that `iptables` understands, else it would refuse to touch the table.
    var expressions: [NFTExpression] {
        [
            .meta(direction == .into ? .inputInterface : .outputInterface, NFTRegister(0)),
            .compare(NFTRegister(0), equal: true, Array(bridge.utf8) + [0]), .counter, .verdict(.accept),
        ]
    }
}

/// A chain in which our bridges must be (or, where not preferred, need not be) let through.
private struct ForeignPlace {
    var table: NFTTable
    var chain: String
    var rules: [NFTListing.Rule]
    var isPreferred: Bool

    func reconcile(bridges: [BridgeRule], interfaces: Set<String>, batch: inout NFTBatch) {
        let family: IPAddress.Family? =
            switch table.family {
            case .ip: .v4
            case .ip6: .v6
            case .inet, .unspecified: nil
            }
        let concerned = bridges.filter { bridge in family == nil || bridge.subnets.contains { $0.family == family } }
        let wanted =
            isPreferred
            ? concerned.flatMap {
                [ForeignRule(bridge: $0.name, direction: .into), ForeignRule(bridge: $0.name, direction: .out)]
            } : []
        let ours = Set(bridges.map(\.name))
        var present: Set<ForeignRule> = []
        for rule in rules {
            guard let mine = ForeignRule(comment: rule.comment) else { continue }
            // Other projects' rules stay, as long as their bridges do.
            let keep =
                isPreferred && interfaces.contains(mine.bridge)
                && (!ours.contains(mine.bridge) || wanted.contains(mine))
            if !keep || !present.insert(mine).inserted {
                batch.add(table.deleteRule(in: chain, handle: rule.handle))
            }
        }
        for rule in wanted where !present.contains(rule) {
            batch.add(table.rule(in: chain, rule.expressions, at: position, comment: rule.comment))
        }
    }

    /// In Docker's chain for users after what the user has put there, which so holds for our containers too; in a filter
    /// itself at its head, before whatever drops.
    private var position: NFTTable.RulePosition {
        guard chain == "DOCKER-USER" else { return .first }
        guard let last = rules.last, last.onlyVerdict == NFT_RETURN.rawValue else { return .last }
        return .before(handle: last.handle)
    }
}
