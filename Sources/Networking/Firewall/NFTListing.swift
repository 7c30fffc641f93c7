internal import CLinux
internal import CNetlink
internal import SystemPackage

/// What is in the packet filter, of all its users.
struct NFTListing {
    struct Chain: Equatable {
        var family: NFTFamily
        var table: String
        var name: String
        /// Of a base chain: where the kernel calls it.
        var hook: UInt32?
        var dropsByDefault: Bool
    }

    struct Rule {
        var handle: UInt64
        var comment: String?
        /// Where it is nothing but a verdict (and a counter).
        var onlyVerdict: Int32?
        /// Chain it jumps to, if any.
        var jump: String?
    }

    let socket: NetlinkSocket

    func chains() throws(NetlinkError) -> [Chain] {
        let message = NFTBatch.message(
            "list packet filter chains", Int(NFT_MSG_GETCHAIN.rawValue), family: .unspecified)
        return try dump(message).compactMap { reply in
            guard let family = reply.payload.first.flatMap(NFTFamily.init) else { return nil }
            let attributes = reply.attributes(after: 4)
            guard let table = attributes.string(Int(NFTA_CHAIN_TABLE.rawValue)),
                let name = attributes.string(Int(NFTA_CHAIN_NAME.rawValue))
            else { return nil }
            let hook = attributes.nested(Int(NFTA_CHAIN_HOOK.rawValue))?.big(
                Int(NFTA_HOOK_HOOKNUM.rawValue), UInt32.self)
            let policy = attributes.big(Int(NFTA_CHAIN_POLICY.rawValue), UInt32.self)
            return Chain(
                family: family, table: table, name: name, hook: hook, dropsByDefault: policy == UInt32(NF_DROP))
        }
    }

    /// In order.
    func rules(of chain: String, in table: NFTTable) throws(NetlinkError) -> [Rule] {
        let message = NFTBatch.message(
            "list rules of chain \(chain)", Int(NFT_MSG_GETRULE.rawValue), family: table.family)
        message.put(Int(NFTA_RULE_TABLE.rawValue), table.name)
        message.put(Int(NFTA_RULE_CHAIN.rawValue), chain)
        return try dump(message).compactMap { reply in
            let attributes = reply.attributes(after: 4)
            // The kernel's filter by chain is young: what it sent too much is left out here.
            guard attributes.string(Int(NFTA_RULE_TABLE.rawValue)) == table.name,
                attributes.string(Int(NFTA_RULE_CHAIN.rawValue)) == chain,
                let handle = attributes.big(Int(NFTA_RULE_HANDLE.rawValue), UInt64.self)
            else { return nil }
            let expressions =
                attributes.nested(Int(NFTA_RULE_EXPRESSIONS.rawValue))?.all.map { NetlinkAttributes($0.value) } ?? []
            let effective = expressions.filter { $0.string(Int(NFTA_EXPR_NAME.rawValue)) != "counter" }
            let verdict = effective.last?.nested(Int(NFTA_EXPR_DATA.rawValue))?.nested(
                Int(NFTA_IMMEDIATE_DATA.rawValue))?
                .nested(Int(NFTA_DATA_VERDICT.rawValue))
            let code = verdict?.big(Int(NFTA_VERDICT_CODE.rawValue), UInt32.self).map { Int32(bitPattern: $0) }
            return Rule(
                handle: handle, comment: attributes[Int(NFTA_RULE_USERDATA.rawValue)].flatMap(NFTUserData.comment(in:)),
                onlyVerdict: effective.count == 1 ? code : nil, jump: verdict?.string(Int(NFTA_VERDICT_CHAIN.rawValue)))
        }
    }

    /// A listing interrupted by a change is begun again.
    private func dump(_ message: NetlinkMessage) throws(NetlinkError) -> [NetlinkReply] {
        while true {
            do { return try socket.dump(message) } catch {
                guard error.errno == .interrupted else { throw error }
            }
        }
    }
}

extension NetlinkAttributes {
    /// An integer in network byte order.
    func big<T: FixedWidthInteger>(_ type: Int, _: T.Type = T.self) -> T? {
        integer(type, T.self).map(T.init(bigEndian:))
    }
}
