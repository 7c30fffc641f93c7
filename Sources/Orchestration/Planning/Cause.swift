/// Why an operation is in a plan, in words for people.
public enum Cause: Sendable, Equatable, CustomStringConvertible {
    case noContainer
    /// What differs between the container as it is and as it ought to be; empty where only the hash tells.
    case configChanged([String])
    case imageChanged(from: String, to: String)
    case forced
    case renewVolumes
    case scale(from: Int, to: Int)
    case orphan
    case oneOff
    case missing(String)
    /// Something that this container is built upon is replaced or started anew.
    case dependency(String)
    case state(ObservedContainer.State)
    case unfinished(String)
    case needed(by: String)
    case command(String)
    case upToDate

    public var description: String {
        switch self {
        case .noContainer: "no container"
        case .configChanged(let changes) where changes.isEmpty: "config hash changed"
        case .configChanged(let changes): "config hash changed: " + changes.joined(separator: "; ")
        case .imageChanged(let from, let to): "image changed \(from.shortDigest) → \(to.shortDigest)"
        case .forced: "forced"
        case .renewVolumes: "anonymous volumes renewed"
        case .scale(let from, let to): "scale \(from) → \(to)"
        case .orphan: "orphan"
        case .oneOff: "one-off container"
        case .missing(let what): "\(what) missing"
        case .dependency(let what): what
        case .state(let state): "is \(state.rawValue)"
        case .unfinished(let what): what
        case .needed(let service): "needed by \(service)"
        case .command(let name): name
        case .upToDate: "up to date"
        }
    }
}

extension String {
    /// The first twelve digits of `sha256:…`.
    fileprivate var shortDigest: String {
        let digits = hasPrefix("sha256:") ? dropFirst(7) : self[...]
        return digits.isEmpty ? "unknown" : String(digits.prefix(12))
    }
}
