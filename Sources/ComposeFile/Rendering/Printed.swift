/// A value as it is printed: everything decided but the syntax.
indirect enum Printed: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case unsigned(UInt64)
    case float(Double)
    /// A number held with 32 bits.
    case single(Float)
    case string(String)
    case date(String)
    case list([Printed])
    case map([(key: String, value: Printed)])
}

extension Printed {
    /// The first number in it that JSON cannot hold.
    var unrepresentable: Double? {
        switch self {
        case .float(let number): number.isFinite ? nil : number
        case .list(let items): items.lazy.compactMap(\.unrepresentable).first
        case .map(let entries): entries.lazy.compactMap(\.value.unrepresentable).first
        default: nil
        }
    }
}
