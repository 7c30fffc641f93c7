/// What is kept of a volume beside its content, in `volume.json`.
public struct VolumeRecord: Codable, Sendable, Equatable {
    public var name: String
    public var driver: String
    public var labels: [String: String]
    /// `driver_opts`: type, device and o, or nothing.
    public var options: [String: String]
    /// Seconds since 1970.
    public var createdAt: Double
    /// Made without a name of the user's choice.
    public var isAnonymous: Bool
    /// A copy of an image's directory into the volume was begun and not finished: what is in it is a part of that.
    public var isPopulating: Bool?
}

/// What can be wrong with a volume or a request about one. The text is meant for the user.
public enum VolumeError: Error, Sendable, Equatable, CustomStringConvertible {
    case invalidName(String)
    case notFound(String)
    case unsupportedDriver(String)
    /// `driver_opts` that make no mount.
    case invalidOptions(volume: String, reason: String)
    /// Its record cannot be read.
    case damaged(String, reason: String)

    public var description: String {
        switch self {
        case .invalidName(let name):
            "\"\(name)\" includes invalid characters for a local volume name: at least 2 letters, digits, '_', '.' and "
                + "'-' are allowed, led by a letter or digit"
        case .notFound(let name): "no such volume: \(name)"
        case .unsupportedDriver(let driver): "volume driver \"\(driver)\" is not supported: only \"local\" is"
        case .invalidOptions(let volume, let reason): "volume \(volume): driver_opts: \(reason)"
        case .damaged(let name, let reason): "volume \(name): its record is damaged: \(reason)"
        }
    }
}
