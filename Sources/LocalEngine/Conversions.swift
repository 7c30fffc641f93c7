internal import ComposeFile
internal import Images
internal import Networking
internal import OCI
internal import Orchestration
internal import Runtime

// Orchestration's words in those of the modules below it, and back.

extension NetworkRequest {
    /// - Throws: ``EngineError/unsupported(_:)`` for a driver that is not a bridge.
    init(_ spec: NetworkSpec) throws {
        guard spec.driver == "bridge" || spec.driver.isEmpty else {
            throw EngineError.unsupported("network \(spec.name): driver \"\(spec.driver)\" is not done yet: bridge is")
        }
        self.init(
            name: spec.name, labels: spec.labels,
            subnets: try spec.subnets.compactMap { pool in
                guard let subnet = pool.subnet else {
                    if pool.gateway != nil || pool.ipRange != nil || !pool.auxAddresses.isEmpty {
                        throw EngineError.failed(
                            "network \(spec.name): ipam.config needs a subnet for its other values")
                    }
                    return nil
                }
                return SubnetRequest(
                    subnet: subnet, gateway: pool.gateway, ipRange: pool.ipRange,
                    auxiliaryAddresses: pool.auxAddresses)
            },
            isInternal: spec.isInternal, enableIPv6: spec.enableIPv6, options: spec.driverOptions)
    }
}

extension AttachRequest {
    init(_ container: StoredContainer, pid: Int32) {
        self.init(
            containerID: container.id.value, pid: pid,
            interfaces: container.spec.networks.map { wish in
                InterfaceRequest(
                    network: wish.network, ipv4: wish.ipv4Address, ipv6: wish.ipv6Address, mac: wish.macAddress,
                    name: wish.interfaceName, gatewayPriority: wish.gatewayPriority)
            },
            dns: !container.spec.networks.isEmpty)
    }
}

extension ImageSummary {
    init(_ image: StoredImage) {
        let defaults = image.config.config
        self.init(
            id: image.id, healthcheck: defaults?.healthcheck.flatMap(Healthcheck.init),
            volumes: defaults?.volumes?.names ?? [], stopSignal: defaults?.stopSignal)
    }
}

extension Healthcheck {
    /// nil where the image has none. An image writes 0 for what it does not set.
    fileprivate init?(_ image: ImageConfiguration.Healthcheck) {
        guard let test = image.test, !test.isEmpty else { return nil }
        self.init()
        self.test = test
        let duration = { (nanoseconds: Int64?) in nanoseconds.flatMap { $0 > 0 ? Duration.nanoseconds($0) : nil } }
        interval = duration(image.interval)
        timeout = duration(image.timeout)
        startPeriod = duration(image.startPeriod)
        startInterval = duration(image.startInterval)
        retries = image.retries.flatMap { $0 > 0 ? $0 : nil }
        disable = test == ["NONE"]
    }
}

extension ExitRecord {
    init(_ file: ExitFile) {
        self.init(code: file.code, oomKilled: file.oom, finishedAt: file.finished)
    }
}
