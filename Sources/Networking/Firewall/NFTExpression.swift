internal import CLinux
internal import CNetlink

/// A 32-bit register of the nf_tables machine, by number from 0 to 15. Longer values take several in a row, which is
/// also how a concatenated key is put together.
struct NFTRegister {
    let number: UInt32
    static let verdict = NFTRegister(raw: UInt32(NFT_REG_VERDICT.rawValue))
    let raw: UInt32

    init(_ number: UInt32) {
        self.number = number
        raw = UInt32(NFT_REG32_00.rawValue) + number
    }
    private init(raw: UInt32) {
        number = 0
        self.raw = raw
    }
}

enum NFTVerdict: Hashable {
    case drop, accept, `return`
    case jump(String)

    func put(in message: NetlinkMessage) {
        message.nest(Int(NFTA_DATA_VERDICT.rawValue)) {
            switch self {
            case .drop: message.putBig(Int(NFTA_VERDICT_CODE.rawValue), UInt32(NF_DROP))
            case .accept: message.putBig(Int(NFTA_VERDICT_CODE.rawValue), UInt32(NF_ACCEPT))
            case .return: message.putBig(Int(NFTA_VERDICT_CODE.rawValue), UInt32(bitPattern: NFT_RETURN.rawValue))
            case .jump(let chain):
                message.putBig(Int(NFTA_VERDICT_CODE.rawValue), UInt32(bitPattern: NFT_JUMP.rawValue))
                message.put(Int(NFTA_VERDICT_CHAIN.rawValue), chain)
            }
        }
    }
}

/// One step of a rule: the kinds our rules are made of.
enum NFTExpression {
    enum Meta: UInt32 {
        case protocolFamily, transportProtocol, inputInterface, outputInterface
        var key: UInt32 {
            switch self {
            case .protocolFamily: UInt32(NFT_META_NFPROTO.rawValue)
            case .transportProtocol: UInt32(NFT_META_L4PROTO.rawValue)
            case .inputInterface: UInt32(NFT_META_IIFNAME.rawValue)
            case .outputInterface: UInt32(NFT_META_OIFNAME.rawValue)
            }
        }
    }
    enum Layer {
        case network, transport
        var base: UInt32 {
            UInt32(self == .network ? NFT_PAYLOAD_NETWORK_HEADER.rawValue : NFT_PAYLOAD_TRANSPORT_HEADER.rawValue)
        }
    }
    enum ConnTrack {
        case state, status
        var key: UInt32 { UInt32(self == .state ? NFT_CT_STATE.rawValue : NFT_CT_STATUS.rawValue) }
    }

    case meta(Meta, NFTRegister)
    case payload(Layer, offset: UInt32, length: UInt32, NFTRegister)
    case compare(NFTRegister, equal: Bool, [UInt8])
    case mask(NFTRegister, [UInt8])
    /// The packet goes on if its key is in the set (or is not, where negated).
    case lookup(NFTRegister, set: String, negated: Bool)
    case map(NFTRegister, map: String, into: NFTRegister)
    case connTrack(ConnTrack, NFTRegister)
    /// Kind of the destination address as the host's routes have it: `RTN_LOCAL` and so on.
    case destinationType(NFTRegister)
    case immediate([UInt8], NFTRegister)
    case destinationNAT(IPAddress.Family, address: NFTRegister, port: NFTRegister)
    case masquerade
    case counter
    case verdict(NFTVerdict)

    func put(in message: NetlinkMessage) {
        message.nest(Int(NFTA_LIST_ELEM.rawValue)) {
            message.put(Int(NFTA_EXPR_NAME.rawValue), name)
            message.nest(Int(NFTA_EXPR_DATA.rawValue)) { putData(message) }
        }
    }

    private var name: String {
        switch self {
        case .meta: "meta"
        case .payload: "payload"
        case .compare: "cmp"
        case .mask: "bitwise"
        case .lookup, .map: "lookup"
        case .connTrack: "ct"
        case .destinationType: "fib"
        case .immediate, .verdict: "immediate"
        case .destinationNAT: "nat"
        case .masquerade: "masq"
        case .counter: "counter"
        }
    }

    private func putData(_ message: NetlinkMessage) {
        func value(_ attribute: Int, _ bytes: [UInt8]) {
            message.nest(attribute) { message.put(Int(NFTA_DATA_VALUE.rawValue), bytes: bytes) }
        }
        switch self {
        case .meta(let key, let register):
            message.putBig(Int(NFTA_META_KEY.rawValue), key.key)
            message.putBig(Int(NFTA_META_DREG.rawValue), register.raw)
        case .payload(let layer, let offset, let length, let register):
            message.putBig(Int(NFTA_PAYLOAD_DREG.rawValue), register.raw)
            message.putBig(Int(NFTA_PAYLOAD_BASE.rawValue), layer.base)
            message.putBig(Int(NFTA_PAYLOAD_OFFSET.rawValue), offset)
            message.putBig(Int(NFTA_PAYLOAD_LEN.rawValue), length)
        case .compare(let register, let equal, let bytes):
            message.putBig(Int(NFTA_CMP_SREG.rawValue), register.raw)
            message.putBig(Int(NFTA_CMP_OP.rawValue), UInt32(equal ? NFT_CMP_EQ.rawValue : NFT_CMP_NEQ.rawValue))
            value(Int(NFTA_CMP_DATA.rawValue), bytes)
        case .mask(let register, let bits):
            message.putBig(Int(NFTA_BITWISE_SREG.rawValue), register.raw)
            message.putBig(Int(NFTA_BITWISE_DREG.rawValue), register.raw)
            message.putBig(Int(NFTA_BITWISE_LEN.rawValue), UInt32(bits.count))
            value(Int(NFTA_BITWISE_MASK.rawValue), bits)
            value(Int(NFTA_BITWISE_XOR.rawValue), bits.map { _ in 0 })
        case .lookup(let register, let set, let negated):
            message.put(Int(NFTA_LOOKUP_SET.rawValue), set)
            message.putBig(Int(NFTA_LOOKUP_SREG.rawValue), register.raw)
            if negated { message.putBig(Int(NFTA_LOOKUP_FLAGS.rawValue), UInt32(NFT_LOOKUP_F_INV.rawValue)) }
        case .map(let register, let map, let result):
            message.put(Int(NFTA_LOOKUP_SET.rawValue), map)
            message.putBig(Int(NFTA_LOOKUP_SREG.rawValue), register.raw)
            message.putBig(Int(NFTA_LOOKUP_DREG.rawValue), result.raw)
        case .connTrack(let key, let register):
            message.putBig(Int(NFTA_CT_KEY.rawValue), key.key)
            message.putBig(Int(NFTA_CT_DREG.rawValue), register.raw)
        case .destinationType(let register):
            message.putBig(Int(NFTA_FIB_DREG.rawValue), register.raw)
            message.putBig(Int(NFTA_FIB_RESULT.rawValue), UInt32(NFT_FIB_RESULT_ADDRTYPE.rawValue))
            message.putBig(Int(NFTA_FIB_FLAGS.rawValue), UInt32(NFTA_FIB_F_DADDR.rawValue))
        case .immediate(let bytes, let register):
            message.putBig(Int(NFTA_IMMEDIATE_DREG.rawValue), register.raw)
            value(Int(NFTA_IMMEDIATE_DATA.rawValue), bytes)
        case .destinationNAT(let family, let address, let port):
            message.putBig(Int(NFTA_NAT_TYPE.rawValue), UInt32(NFT_NAT_DNAT.rawValue))
            message.putBig(Int(NFTA_NAT_FAMILY.rawValue), UInt32(family.rawValue))
            message.putBig(Int(NFTA_NAT_REG_ADDR_MIN.rawValue), address.raw)
            message.putBig(Int(NFTA_NAT_REG_PROTO_MIN.rawValue), port.raw)
        case .verdict(let verdict):
            message.putBig(Int(NFTA_IMMEDIATE_DREG.rawValue), NFTRegister.verdict.raw)
            message.nest(Int(NFTA_IMMEDIATE_DATA.rawValue)) { verdict.put(in: message) }
        case .masquerade, .counter: break
        }
    }
}
