/// What an image runs on, such as linux/arm64/v8.
public struct ImagePlatform: Codable, Sendable, Hashable, CustomStringConvertible {
    public var architecture: String
    public var os: String
    public var variant: String?

    public init(architecture: String, os: String, variant: String? = nil) {
        self.architecture = architecture
        self.os = os
        self.variant = variant
    }

    /// The platform this program was built for.
    public static var current: ImagePlatform {
        #if arch(x86_64)
            ImagePlatform(architecture: "amd64", os: "linux")
        #elseif arch(arm64)
            ImagePlatform(architecture: "arm64", os: "linux", variant: "v8")
        #else
            #error("name this architecture as the image specification does")
        #endif
    }

    /// Reads what `platform:` and `--platform` take: `os/architecture[/variant]`, or `architecture` alone for Linux.
    /// Other names that are in use for an architecture (`x86_64`, `aarch64`, `armhf`) are understood.
    /// - Throws: ``ImagePlatformError``.
    public init(parsing text: String) throws(ImagePlatformError) {
        let parts = text.lowercased().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let valid = parts.allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy {
                    (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x5f || $0 == 0x2d || $0 == 0x2e
                }
        }
        guard valid, parts.count <= 3 else { throw ImagePlatformError(text: text) }
        let platform =
            switch parts.count {
            case 1:
                parts[0] == "linux"
                    ? ImagePlatform.current : ImagePlatform(architecture: parts[0], os: "linux")
            case 2: ImagePlatform(architecture: parts[1], os: parts[0])
            default: ImagePlatform(architecture: parts[1], os: parts[0], variant: parts[2])
            }
        self = platform.normalised
    }

    public var description: String { "\(os)/\(architecture)" + (variant.map { "/\($0)" } ?? "") }

    /// One spelling for each platform: the architecture's name in the image specification, the variant with its `v`,
    /// and none where there is but one.
    var normalised: ImagePlatform {
        var result = self
        result.os = os.lowercased()
        var variant = variant.map { $0.lowercased() }.flatMap { $0.isEmpty ? nil : $0 }
        if let number = variant, number.allSatisfy(\.isNumber) { variant = "v\(number)" }
        switch architecture.lowercased() {
        case "x86_64", "x86-64", "amd64":
            result.architecture = "amd64"
            if variant == "v1" { variant = nil }
        case "i386", "i686", "386": (result.architecture, variant) = ("386", nil)
        case "aarch64", "arm64":
            result.architecture = "arm64"
            if variant == "v8" { variant = nil }
        case "armhf": (result.architecture, variant) = ("arm", "v7")
        case "armel": (result.architecture, variant) = ("arm", "v6")
        case "arm":
            result.architecture = "arm"
            variant = variant ?? "v7"
        case let other: result.architecture = other
        }
        result.variant = variant
        return result
    }

    /// What can be run where this platform is wanted, best first: a processor runs what was made for its predecessors.
    private var runnable: [ImagePlatform] {
        let wanted = normalised
        func earlier(_ variant: String?, down to: Int) -> [String] {
            guard let variant, variant.hasPrefix("v"), let number = Int(variant.dropFirst()), number < 100 else {
                return []
            }
            return stride(from: number - 1, through: to, by: -1).map { "v\($0)" }
        }
        func platform(_ architecture: String, _ variant: String?) -> ImagePlatform {
            ImagePlatform(architecture: architecture, os: wanted.os, variant: variant).normalised
        }
        switch wanted.architecture {
        case "amd64":
            return [wanted] + earlier(wanted.variant, down: 1).map { platform("amd64", $0) } + [platform("386", nil)]
        case "arm64":
            let arm = ["v8", "v7", "v6", "v5"].map { platform("arm", $0) }
            return [wanted] + earlier(wanted.variant, down: 8).map { platform("arm64", $0) } + arm
        case "arm": return [wanted] + earlier(wanted.variant, down: 5).map { platform("arm", $0) }
        default: return [wanted]
        }
    }

    /// How well an image of platform `other` serves where this one is wanted: 0 is best.
    /// - Returns: nil where it does not run.
    public func rank(of other: ImagePlatform) -> Int? { runnable.firstIndex(of: other.normalised) }

    /// Whether an image of platform `other` runs here.
    public func accepts(_ other: ImagePlatform) -> Bool { rank(of: other) != nil }
}

/// Text that names no platform.
public struct ImagePlatformError: Error, Sendable, Equatable, CustomStringConvertible {
    public let text: String
    public var description: String {
        "invalid platform \"\(text)\": must be os/architecture or os/architecture/variant, such as linux/arm64"
    }
}
