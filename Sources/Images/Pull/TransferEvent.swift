/// What happens to one layer while an image is pulled or pushed.
public struct TransferEvent: Sendable, Equatable {
    public enum Phase: Sendable, Equatable {
        case waiting
        /// Bytes of the compressed layer.
        case downloading(done: Int64, total: Int64)
        case extracting(done: Int64, total: Int64)
        case pulled
        case alreadyHere
        case uploading(done: Int64, total: Int64)
        case pushed
        case alreadyThere
        /// Taken over from another repository of the registry.
        case mounted(from: String)
        /// Not to be handed on, by its maker's wish.
        case skipped
    }
    /// The first twelve digits of the layer's digest.
    public var layer: String
    public var phase: Phase

    init(_ digest: String, _ phase: Phase) {
        layer = String(digest.dropFirst("sha256:".count).prefix(12))
        self.phase = phase
    }
}
