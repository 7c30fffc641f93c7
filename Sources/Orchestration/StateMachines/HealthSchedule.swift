public import ComposeFile

/// A health check with nothing left open.
public struct HealthSchedule: Sendable, Equatable {
    /// What is executed in the container.
    public var argv: [String]
    public var interval: Duration
    public var timeout: Duration
    public var retries: Int
    public var startPeriod: Duration
    public var startInterval: Duration

    /// - Parameter healthcheck: as merged by ``merge(_:over:)``.
    /// - Returns: nil where there is nothing to probe.
    public init?(_ healthcheck: Healthcheck?) {
        guard let healthcheck, !healthcheck.disable, let test = healthcheck.test, let kind = test.first else {
            return nil
        }
        switch kind {
        case "NONE": return nil
        case "CMD": argv = Array(test.dropFirst())
        case "CMD-SHELL": argv = ["/bin/sh", "-c"] + test.dropFirst()
        default: argv = test
        }
        if argv.isEmpty { return nil }
        interval = Self.positive(healthcheck.interval) ?? .seconds(30)
        timeout = Self.positive(healthcheck.timeout) ?? .seconds(30)
        retries = healthcheck.retries.flatMap { $0 > 0 ? $0 : nil } ?? 3
        startPeriod = healthcheck.startPeriod ?? .zero
        startInterval = Self.positive(healthcheck.startInterval) ?? .seconds(5)
    }

    /// The service's health check, with what it leaves open taken from the image's; nil where there is none or the
    /// service turns it off.
    public static func merge(_ service: Healthcheck?, over image: Healthcheck?) -> Healthcheck? {
        guard let service else { return image.flatMap { isOff($0) ? nil : $0 } }
        if isOff(service) { return nil }
        var merged = service
        if service.test?.isEmpty ?? true { merged.test = image?.test }
        merged.interval = service.interval ?? image?.interval
        merged.timeout = service.timeout ?? image?.timeout
        merged.retries = service.retries ?? image?.retries
        merged.startPeriod = service.startPeriod ?? image?.startPeriod
        merged.startInterval = service.startInterval ?? image?.startInterval
        return merged.test == nil || isOff(merged) ? nil : merged
    }

    private static func isOff(_ check: Healthcheck) -> Bool { check.disable || check.test?.first == "NONE" }

    /// Zero means "not given", as in an image's configuration.
    private static func positive(_ duration: Duration?) -> Duration? { duration.flatMap { $0 > .zero ? $0 : nil } }
}
