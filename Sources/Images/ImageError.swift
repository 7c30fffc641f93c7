/// What can be wrong with an image, an archive or a request about them. The text is meant for the user.
public enum ImageError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The reference as given.
    case notFound(String)
    /// An ID prefix that several images have.
    case ambiguous(String)
    /// `subject` is not what it should be.
    case malformed(subject: String, reason: String)
    case digestMismatch(subject: String, expected: String, actual: String)
    /// A well-formed thing that is not handled here.
    case unsupported(subject: String, reason: String)
    /// A limit of ``LayerLimits`` was hit.
    case limit(subject: String, reason: String)
    /// Something still needs what was to be removed.
    case conflict(String)
    /// A change of an imported image (`CMD …`) that cannot be made.
    case change(String, reason: String)

    public var description: String {
        switch self {
        case .notFound(let reference): "No such image: \(reference)"
        case .ambiguous(let prefix): "image ID prefix \"\(prefix)\" is ambiguous: give more digits"
        case .malformed(let subject, let reason): "\(subject): \(reason)"
        case .digestMismatch(let subject, let expected, let actual):
            "\(subject): its digest is \(actual), but must be \(expected)"
        case .unsupported(let subject, let reason): "\(subject): \(reason)"
        case .limit(let subject, let reason): "\(subject): \(reason)"
        case .conflict(let text): text
        case .change(let change, let reason): "invalid change \"\(change)\": \(reason)"
        }
    }
}

/// What one layer may hold at most, so that a hostile archive ends in an error and not in a full disk.
public struct LayerLimits: Sendable, Equatable {
    public var entries = 2_000_000
    /// Content of all files together, in bytes.
    public var bytes: Int64 = 64 << 30
    /// Directories inside each other.
    public var depth = 256
    /// Extended header or long name of one entry, in bytes.
    public var headerBytes = 1 << 20
    /// Layers of one image: what overlayfs was always able to stack.
    public var layers = 127
    public init() {}
}
