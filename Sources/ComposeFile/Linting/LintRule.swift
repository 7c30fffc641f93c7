/// What the linter looks for. Raw values are stable: they are what `--disable` takes.
public enum LintRule: String, Sendable, CaseIterable {
    case appendedPort = "appended-port"
    case portConflict = "port-conflict"
    case exposedDatabase = "exposed-database"
    case dependencyNotAwaited = "dependency-not-awaited"
    case dependencyWithoutHealthcheck = "dependency-without-healthcheck"
    case healthyWithoutHealthcheck = "healthy-without-healthcheck"
    case slowHealthcheck = "slow-healthcheck"
    case lostDollar = "lost-dollar"
    case unusedVolume = "unused-volume"
    case unusedNetwork = "unused-network"
    case unusedSecret = "unused-secret"
    case unusedConfig = "unused-config"
    case shadowedVariable = "shadowed-variable"
    case unreadEnvFile = "unread-env-file"
    case containerNameWithReplicas = "container-name-with-replicas"
    case unpinnedImage = "unpinned-image"
    case missingBindSource = "missing-bind-source"
    case missingSourceFile = "missing-source-file"
    case unsupportedAttribute = "unsupported-attribute"

    /// The rule whose code is near in spelling.
    public static func nearest(to code: String) -> LintRule? {
        Suggestion.nearest(to: code, among: allCases.map(\.rawValue)).flatMap(LintRule.init(rawValue:))
    }

    /// A finding of severity warning makes `lint` exit with 1.
    public var severity: Diagnostic.Severity {
        switch self {
        case .slowHealthcheck, .unreadEnvFile: .info
        default: .warning
        }
    }

    /// What the rule finds, in a line.
    public var summary: String {
        switch self {
        case .appendedPort: "two files publish the same port of a service: lists of ports are appended, not replaced"
        case .portConflict: "two services publish the same port of the host"
        case .exposedDatabase: "a database is published on all addresses of the host"
        case .dependencyNotAwaited: "a dependency has a health check, but only its start is waited for"
        case .dependencyWithoutHealthcheck: "a service is depended on that has no health check"
        case .healthyWithoutHealthcheck: "service_healthy is waited for, but the file gives no health check"
        case .slowHealthcheck: "dependants wait for a health check that first runs after 30 seconds or more"
        case .lostDollar: "a `$` in a value was taken for a variable that is not set"
        case .unusedVolume: "a volume that no service mounts"
        case .unusedNetwork: "a network that no service joins"
        case .unusedSecret: "a secret that no service uses"
        case .unusedConfig: "a config that no service uses"
        case .shadowedVariable: "an env file sets a variable that the environment sets to something else"
        case .unreadEnvFile: "an `.env` file that is not read"
        case .containerNameWithReplicas: "a service with replicas has a fixed container name"
        case .unpinnedImage: "an image without a tag, or with `latest`"
        case .missingBindSource: "a bind mount of a path that does not exist, which makes an empty directory of it"
        case .missingSourceFile: "a secret or config whose file does not exist"
        case .unsupportedAttribute: "an attribute that `up` will refuse"
        }
    }
}
