/// A Compose project after loading: interpolated, merged, validated, in canonical form, with every default that
/// the Compose Specification names filled in. Plain values: it can be compared, encoded and sent elsewhere.
public struct Project: Codable, Sendable, Equatable {
    /// The project's name, already normalised (`[a-z0-9][a-z0-9_-]*`).
    public var name: String = ""
    /// Absolute path that relative paths in the files were resolved against.
    public var workingDirectory: String = ""
    /// Absolute paths of the files that made up the project, in the order they were merged.
    public var composeFiles: [String] = []
    /// Services that take part, by name (those of inactive profiles are in `disabledServices`).
    public var services: [String: Service] = [:]
    /// Services that exist in the files but whose profiles are not active.
    public var disabledServices: [String: Service] = [:]
    /// Networks by key. Only those a service uses, unless all resources were asked for.
    public var networks: [String: Network] = [:]
    public var volumes: [String: Volume] = [:]
    public var secrets: [String: FileObject] = [:]
    public var configs: [String: FileObject] = [:]
    /// What the runtime cannot do of what the active services and the resources they use ask for.
    public var unsupported: [UnsupportedAttribute] = []
    public init() {}
}

/// A top-level network.
public struct Network: Codable, Sendable, Equatable {
    /// Key in the file.
    public var key: String = ""
    /// Name on the host: `<project>_<key>` unless given.
    public var name: String = ""
    /// `bridge` when not given.
    public var driver: String?
    public var driverOptions: [String: String] = [:]
    public var ipamDriver: String?
    public var subnets: [IPAMPool] = []
    public var external: Bool = false
    /// No route to anything outside the network.
    public var isInternal: Bool = false
    public var attachable: Bool = false
    public var enableIPv4: Bool?
    public var enableIPv6: Bool?
    public var labels: [String: String] = [:]
    public init() {}

    /// One entry of `ipam.config`. Addresses as written in the file, already checked to be well-formed.
    public struct IPAMPool: Codable, Sendable, Equatable {
        public var subnet: String?
        public var ipRange: String?
        public var gateway: String?
        public var auxAddresses: [String: String] = [:]
        public init() {}
    }
}

/// A top-level volume.
public struct Volume: Codable, Sendable, Equatable {
    public var key: String = ""
    /// Name on the host: `<project>_<key>` unless given.
    public var name: String = ""
    public var driver: String?
    public var driverOptions: [String: String] = [:]
    public var external: Bool = false
    public var labels: [String: String] = [:]
    public init() {}
}

/// A top-level secret or config: a named piece of data that services mount as a file.
public struct FileObject: Codable, Sendable, Equatable {
    public var key: String = ""
    public var name: String = ""
    /// Where the data comes from. `environment` names a variable whose value was looked up at loading.
    public var source: Source = .content("")
    public var labels: [String: String] = [:]
    public init() {}

    public enum Source: Codable, Sendable, Equatable {
        /// Absolute path on the host.
        case file(String)
        /// Name of the variable and its value, nil where it was not set.
        case environment(name: String, value: String?)
        case content(String)
        case external
    }
}
