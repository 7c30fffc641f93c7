/// How much a load may read and make before it is refused. Far above what people write, and low enough that hostile
/// files end in an error within two seconds and half a gigabyte.
struct LoadLimits: Sendable {
    /// Of one file, of whatever kind.
    var fileBytes = 16 << 20
    /// Of all files together.
    var totalBytes = 32 << 20
    /// Levels of a document.
    var depth = 128
    /// Nodes written in all files together.
    var writtenNodes = 300_000
    /// Nodes that the aliases of a file add to those written.
    var aliasedNodes = 200_000
    var documentsPerFile = 256
    /// Bytes of a mapping's key.
    var keyBytes = 4096
    /// Nodes that `extends`, `include`, further documents and ranges of ports add to those written.
    var madeNodes = 1_000_000
    /// Bytes that the substitution of variables makes; each `$` counts for some more.
    var substitutedBytes = 16 << 20
    /// Variables that env files set, in all services together.
    var variables = 200_000
    /// Services that extend one another in a row.
    var extendsDepth = 128
    /// Files that include one another in a row.
    var includeDepth = 64
}

/// What a load has used of its limits.
final class LoadBudget {
    let limits: LoadLimits
    private var bytes = 0
    private var writtenNodes = 0
    private var madeNodes = 0
    private var substitutedBytes = 0
    private var variables = 0

    /// Something was asked for that the limits do not allow.
    private(set) var isExceeded = false

    init(_ limits: LoadLimits = LoadLimits()) { self.limits = limits }

    /// What is counted over the whole load.
    enum Resource { case bytes, writtenNodes, madeNodes, substitutedBytes, variables }

    /// Counts what is about to be used.
    ///
    /// - Returns: nil, or what to tell the user when that is too much.
    func take(_ amount: Int, of resource: Resource) -> String? {
        func take(_ used: inout Int, _ limit: Int, _ text: String) -> String? {
            if used <= limit, amount <= limit - used {
                used += amount
                return nil
            }
            used = limit + 1
            isExceeded = true
            return "the files \(text): no more than \(limit) are allowed"
        }
        switch resource {
        case .bytes: return take(&bytes, limits.totalBytes, "have too many bytes together")
        case .writtenNodes: return take(&writtenNodes, limits.writtenNodes, "have too many values together")
        case .madeNodes:
            return take(
                &madeNodes, limits.madeNodes,
                "grow too large through extends, include, overrides, ranges or words, in values")
        case .substitutedBytes:
            return take(&substitutedBytes, limits.substitutedBytes, "grow too large through variables, in bytes")
        case .variables: return take(&variables, limits.variables, "set too many variables in env files")
        }
    }

    /// Bytes that substitution may still make.
    var substitutable: Int { max(0, limits.substitutedBytes - substitutedBytes) }
}

extension Node {
    /// The values in this tree, itself included; counting stops soon after `limit`.
    func count(upTo limit: Int) -> Int {
        var total = 1
        switch value {
        case .sequence(let items):
            for item in items where total <= limit { total += item.count(upTo: limit - total) }
        case .mapping(let mapping):
            for entry in mapping where total <= limit { total += entry.value.count(upTo: limit - total) }
        default: break
        }
        return total
    }
}
