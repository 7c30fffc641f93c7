/// An image's configuration as the image specification 1.1 has it, with Docker's additions (health check, shell,
/// ONBUILD). Its digest is the image's ID.
public struct ImageConfiguration: Codable, Sendable, Equatable {
    /// RFC 3339.
    public var created: String?
    public var author: String?
    public var architecture: String
    public var os: String
    public var variant: String?
    public var config: Defaults?
    public var rootfs: RootFS
    public var history: [History]?

    public init(platform: ImagePlatform, diffIDs: [String] = []) {
        architecture = platform.architecture
        os = platform.os
        variant = platform.variant
        rootfs = RootFS(diffIDs: diffIDs)
    }

    public var platform: ImagePlatform { ImagePlatform(architecture: architecture, os: os, variant: variant) }

    /// The digests of the layers' uncompressed archives, base first.
    public struct RootFS: Codable, Sendable, Equatable {
        public var type = "layers"
        public var diffIDs: [String]
        public init(diffIDs: [String]) { self.diffIDs = diffIDs }
        private enum CodingKeys: String, CodingKey {
            case type
            case diffIDs = "diff_ids"
        }
    }

    public struct History: Codable, Sendable, Equatable {
        public var created: String?
        public var createdBy: String?
        public var author: String?
        public var comment: String?
        /// Whether this step made no layer.
        public var emptyLayer: Bool?
        public init(created: String? = nil, createdBy: String? = nil, comment: String? = nil) {
            self.created = created
            self.createdBy = createdBy
            self.comment = comment
        }
        private enum CodingKeys: String, CodingKey {
            case created, author, comment
            case createdBy = "created_by"
            case emptyLayer = "empty_layer"
        }
    }

    /// How a container of the image runs where nothing else is said.
    public struct Defaults: Codable, Sendable, Equatable {
        /// `user[:group]`, names or numbers.
        public var user: String?
        /// Such as `80/tcp`.
        public var exposedPorts: NameSet?
        /// `NAME=value`
        public var environment: [String]?
        public var entrypoint: [String]?
        public var command: [String]?
        /// Paths that get an anonymous volume.
        public var volumes: NameSet?
        public var workingDirectory: String?
        public var labels: [String: String]?
        public var stopSignal: String?
        /// In seconds.
        public var stopTimeout: Int?
        public var healthcheck: Healthcheck?
        /// What the shell form of a command is run with; `/bin/sh -c` where not given.
        public var shell: [String]?
        public var onBuild: [String]?
        public init() {}
        private enum CodingKeys: String, CodingKey {
            case user = "User"
            case exposedPorts = "ExposedPorts"
            case environment = "Env"
            case entrypoint = "Entrypoint"
            case command = "Cmd"
            case volumes = "Volumes"
            case workingDirectory = "WorkingDir"
            case labels = "Labels"
            case stopSignal = "StopSignal"
            case stopTimeout = "StopTimeout"
            case healthcheck = "Healthcheck"
            case shell = "Shell"
            case onBuild = "OnBuild"
        }
    }

    /// Durations are in nanoseconds; nil or 0 means the default.
    public struct Healthcheck: Codable, Sendable, Equatable {
        /// Empty: inherited; `["NONE"]`: none; `["CMD", …]`: exec form; `["CMD-SHELL", line]`.
        public var test: [String]?
        public var interval: Int64?
        public var timeout: Int64?
        public var startPeriod: Int64?
        public var startInterval: Int64?
        public var retries: Int?
        public init(test: [String]) { self.test = test }
        private enum CodingKeys: String, CodingKey {
            case test = "Test"
            case interval = "Interval"
            case timeout = "Timeout"
            case startPeriod = "StartPeriod"
            case startInterval = "StartInterval"
            case retries = "Retries"
        }
    }

    /// A set of names, in JSON an object whose values are empty objects.
    public struct NameSet: Codable, Sendable, Equatable, ExpressibleByArrayLiteral {
        /// Sorted, each once.
        public private(set) var names: [String]
        public init(_ names: some Sequence<String>) { self.names = Set(names).sorted() }
        public init(arrayLiteral elements: String...) { self.init(elements) }
        public mutating func insert(_ name: String) { self = NameSet(names + [name]) }

        private struct Nothing: Codable {}
        public init(from decoder: any Decoder) throws {
            self.init(try [String: Nothing?](from: decoder).keys)
        }
        public func encode(to encoder: any Encoder) throws {
            try Dictionary(uniqueKeysWithValues: names.map { ($0, Nothing()) }).encode(to: encoder)
        }
    }
}
