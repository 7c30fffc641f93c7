internal import CLinux
internal import CNetlink

/// Makes the messages that change one table.
struct NFTTable {
    let family: NFTFamily
    let name: String

    private func message(_ operation: String, _ type: nf_tables_msg_types, flags: CInt = 0, capacity: Int = 1024)
        -> NetlinkMessage
    {
        NFTBatch.message(
            "\(operation) in table \(name)", Int(type.rawValue), family: family, flags: flags, capacity: capacity)
    }

    /// Succeeds where the table exists, unless `exclusively`.
    func create(exclusively: Bool = false) -> NetlinkMessage {
        let message = message(
            "create table", NFT_MSG_NEWTABLE, flags: NLM_F_CREATE | (exclusively ? NLM_F_EXCL : 0))
        message.put(Int(NFTA_TABLE_NAME.rawValue), name)
        message.putBig(Int(NFTA_TABLE_FLAGS.rawValue), UInt32(0))
        return message
    }

    func delete() -> NetlinkMessage {
        let message = message("delete table", NFT_MSG_DELTABLE)
        message.put(Int(NFTA_TABLE_NAME.rawValue), name)
        return message
    }

    func chain(_ chain: String) -> NetlinkMessage {
        let message = message("create chain \(chain)", NFT_MSG_NEWCHAIN, flags: NLM_F_CREATE)
        message.put(Int(NFTA_CHAIN_TABLE.rawValue), name)
        message.put(Int(NFTA_CHAIN_NAME.rawValue), chain)
        return message
    }

    /// A chain the kernel calls by itself.
    /// - Parameter type: "filter" or "nat".
    func baseChain(_ chain: String, type: String, hook: Int, priority: Int32) -> NetlinkMessage {
        let message = self.chain(chain)
        message.nest(Int(NFTA_CHAIN_HOOK.rawValue)) {
            message.putBig(Int(NFTA_HOOK_HOOKNUM.rawValue), UInt32(hook))
            message.putBig(Int(NFTA_HOOK_PRIORITY.rawValue), UInt32(bitPattern: priority))
        }
        message.put(Int(NFTA_CHAIN_TYPE.rawValue), type)
        message.putBig(Int(NFTA_CHAIN_POLICY.rawValue), UInt32(NF_ACCEPT))
        return message
    }

    enum RulePosition {
        case last, first
        case before(handle: UInt64)
    }

    /// - Parameter comment: kept with the rule by the kernel; `nft list` shows it.
    func rule(
        in chain: String, _ expressions: [NFTExpression], at position: RulePosition = .last, comment: String? = nil
    ) -> NetlinkMessage {
        var flags = NLM_F_CREATE
        if case .last = position { flags |= NLM_F_APPEND }
        let message = message("add a rule to chain \(chain)", NFT_MSG_NEWRULE, flags: flags)
        message.put(Int(NFTA_RULE_TABLE.rawValue), name)
        message.put(Int(NFTA_RULE_CHAIN.rawValue), chain)
        message.nest(Int(NFTA_RULE_EXPRESSIONS.rawValue)) {
            for expression in expressions { expression.put(in: message) }
        }
        if case .before(let handle) = position { message.putBig(Int(NFTA_RULE_POSITION.rawValue), handle) }
        if let comment { message.put(Int(NFTA_RULE_USERDATA.rawValue), bytes: NFTUserData.comment(comment)) }
        return message
    }

    func deleteRule(in chain: String, handle: UInt64) -> NetlinkMessage {
        let message = message("delete a rule of chain \(chain)", NFT_MSG_DELRULE)
        message.put(Int(NFTA_RULE_TABLE.rawValue), name)
        message.put(Int(NFTA_RULE_CHAIN.rawValue), chain)
        message.putBig(Int(NFTA_RULE_HANDLE.rawValue), handle)
        return message
    }

    /// - Parameter id: names the set within its transaction.
    func set(_ set: NFTSet, id: UInt32) -> NetlinkMessage {
        let message = message("create set \(set.name)", NFT_MSG_NEWSET, flags: NLM_F_CREATE)
        var flags: UInt32 = 0
        if set.hasIntervals { flags |= UInt32(NFT_SET_INTERVAL.rawValue) }
        if set.hasIntervals, set.key.count > 1 { flags |= UInt32(NFT_SET_CONCAT.rawValue) }
        if set.data != nil { flags |= UInt32(NFT_SET_MAP.rawValue) }
        message.put(Int(NFTA_SET_TABLE.rawValue), name)
        message.put(Int(NFTA_SET_NAME.rawValue), set.name)
        message.putBig(Int(NFTA_SET_FLAGS.rawValue), flags)
        message.putBig(Int(NFTA_SET_KEY_TYPE.rawValue), NFTType.number(of: set.key))
        message.putBig(Int(NFTA_SET_KEY_LEN.rawValue), NFTType.length(of: set.key))
        switch set.data {
        case .verdict: message.putBig(Int(NFTA_SET_DATA_TYPE.rawValue), UInt32(NFT_DATA_VERDICT.rawValue))
        case .value(let types):
            message.putBig(Int(NFTA_SET_DATA_TYPE.rawValue), NFTType.number(of: types))
            message.putBig(Int(NFTA_SET_DATA_LEN.rawValue), NFTType.length(of: types))
        case nil: break
        }
        message.putBig(Int(NFTA_SET_ID.rawValue), id)
        // `nft` would show names back to front.
        if set.key == [.interfaceName] {
            message.put(Int(NFTA_SET_USERDATA.rawValue), bytes: NFTUserData.keyInHostByteOrder)
        }
        if flags & UInt32(NFT_SET_CONCAT.rawValue) != 0 {
            message.nest(Int(NFTA_SET_DESC.rawValue)) {
                message.nest(Int(NFTA_SET_DESC_CONCAT.rawValue)) {
                    for type in set.key {
                        message.nest(Int(NFTA_LIST_ELEM.rawValue)) {
                            message.putBig(Int(NFTA_SET_FIELD_LEN.rawValue), type.length)
                        }
                    }
                }
            }
        }
        return message
    }

    /// Adds elements, or deletes them. As many messages as it takes: the list in one is limited to 64 KiB.
    func elements(_ elements: [NFTElement], of set: String, delete: Bool = false) -> [NetlinkMessage] {
        stride(from: 0, to: elements.count, by: 250).map { start in
            let message = message(
                "\(delete ? "delete" : "add") elements of \(set)", delete ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM,
                flags: delete ? 0 : NLM_F_CREATE, capacity: 4096)
            message.put(Int(NFTA_SET_ELEM_LIST_TABLE.rawValue), name)
            message.put(Int(NFTA_SET_ELEM_LIST_SET.rawValue), set)
            message.nest(Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue)) {
                for element in elements[start..<min(start + 250, elements.count)] {
                    element.put(in: message, withData: !delete)
                }
            }
            return message
        }
    }
}
