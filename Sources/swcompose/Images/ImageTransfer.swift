internal import Images
internal import LinuxSystem
internal import OCI
internal import Orchestration
internal import Registry
internal import Rendering

/// Images on their way to and from registries, shown as they go.
struct ImageTransfer: Sendable {
    let store: ImageStore
    private let client: RegistryClient
    private let display: ProgressDisplay
    private let slots = TransferSlots()
    private let defaultPlatform: ImagePlatform?

    /// Makes a client that reaches registries as this host is configured, and closes it when `body` is done.
    /// - Throws: ``RegistryError/configuration(subject:reason:)``, and what `body` throws.
    static func run<T>(
        environment: [String: String], paths: HostPaths, display: ProgressDisplay,
        _ body: (ImageTransfer) async throws -> T
    ) async throws -> T {
        let client = try Self.client(environment)
        let platform = try environment["DOCKER_DEFAULT_PLATFORM"].flatMap {
            $0.isEmpty ? nil : try ImagePlatform(parsing: $0)
        }
        let transfer = ImageTransfer(
            store: try ImageStore(paths: paths, limits: .configured(environment)), client: client, display: display,
            defaultPlatform: platform)
        do {
            let result = try await body(transfer)
            await client.shutdown()
            return result
        } catch {
            await client.shutdown()
            throw error
        }
    }

    static func client(_ environment: [String: String]) throws -> RegistryClient {
        let credentials = CredentialStore(environment: environment)
        return RegistryClient(configuration: try .standard(environment: environment)) { registry in
            try await BlockingPool.shared.run { try credentials.credential(for: registry) }
        }
    }

    private init(
        store: ImageStore, client: RegistryClient, display: ProgressDisplay, defaultPlatform: ImagePlatform?
    ) {
        self.store = store
        self.client = client
        self.display = display
        self.defaultPlatform = defaultPlatform
    }

    /// - Parameter platform: as `platform:` has it.
    /// - Throws: what ``ImageStore/pull(_:from:platform:slots:report:)`` throws, ``ImageReferenceError``,
    ///   ``ImagePlatformError``.
    @discardableResult
    func pull(_ name: String, platform: String? = nil) async throws -> PulledImage {
        try await shown(name, .pulling, .pulled) {
            let wanted = try platform.map { try ImagePlatform(parsing: $0) } ?? defaultPlatform
            return try await store.pull(
                ImageReference(name), from: client, platform: wanted, slots: slots, report: reporter(name))
        }
    }

    /// - Returns: the manifest's digest.
    @discardableResult
    func push(_ name: String) async throws -> String {
        try await shown(name, .pushing, .pushed) {
            try await store.push(ImageReference(name), to: client, slots: slots, report: reporter(name))
        }
    }

    func skip(_ name: String, why: String) { display.show(ProgressEvent(.image, name, .skipped, detail: why)) }

    private func shown<T>(
        _ name: String, _ begin: ProgressEvent.Status, _ end: ProgressEvent.Status, _ body: () async throws -> T
    ) async throws -> T {
        display.show(ProgressEvent(.image, name, begin))
        do {
            let result = try await body()
            display.show(ProgressEvent(.image, name, end))
            return result
        } catch {
            display.show(ProgressEvent(.image, name, .error, detail: String(describing: error)))
            throw error
        }
    }

    private func reporter(_ name: String) -> @Sendable (TransferEvent) -> Void {
        let display = display
        return { display.show(Self.event($0, of: name)) }
    }

    private static func event(_ event: TransferEvent, of image: String) -> ProgressEvent {
        func make(
            _ status: ProgressEvent.Status, _ done: Int64? = nil, _ total: Int64 = 0, _ detail: String? = nil
        ) -> ProgressEvent {
            var result = ProgressEvent(.layer, event.layer, status, detail: detail)
            result.parent = image
            result.amount = done.map { .init(done: $0, total: total) }
            return result
        }
        return switch event.phase {
        case .waiting: make(.waiting)
        case .downloading(let done, let total): make(.downloading, done, total)
        case .extracting(let done, let total): make(.extracting, done, total)
        case .pulled: make(.pullComplete)
        case .alreadyHere: make(.alreadyExists)
        case .uploading(let done, let total): make(.pushing, done, total)
        case .pushed: make(.pushed)
        case .alreadyThere: make(.layerAlreadyExists)
        case .mounted(let source): make(.mounted, nil, 0, "from \(source)")
        case .skipped: make(.skipped, nil, 0, "it is not to be distributed")
        }
    }
}

extension LayerLimits {
    /// What `SWCOMPOSE_LAYER_LIMIT` says one layer may unpack to, in bytes.
    /// - Throws: ``Failure``.
    static func configured(_ environment: [String: String]) throws -> LayerLimits {
        var limits = LayerLimits()
        guard let text = environment["SWCOMPOSE_LAYER_LIMIT"], !text.isEmpty else { return limits }
        guard let bytes = Int64(text), bytes > 0 else {
            throw Failure("SWCOMPOSE_LAYER_LIMIT must be a number of bytes (found: \"\(text)\")")
        }
        limits.bytes = bytes
        return limits
    }
}
