internal import CLinux
internal import LinuxSystem
internal import NIOCore
internal import OCI
internal import Registry

/// One layer of a pull: its blob downloaded and, while it comes, unpacked.
struct LayerPull: Sendable {
    let layout: ImageLayout
    let layerStore: LayerStore
    let repository: RegistryRepository
    let descriptor: ImageDescriptor
    let diffID: String
    let chainID: String
    let report: @Sendable (TransferEvent) -> Void

    private func report(_ phase: TransferEvent.Phase) { report(TransferEvent(descriptor.digest, phase)) }

    /// A layer that is unpacked and verified, but not in the store yet. Whoever has it is alone in making it.
    final class Prepared: @unchecked Sendable {
        let ingest: Ingest
        let lock: FileLock
        /// nil: only the blob was missing.
        let target: (path: String, descriptor: OwnedDescriptor)?
        let implied: [TreePath]

        init(
            _ ingest: Ingest, _ lock: FileLock, target: (path: String, descriptor: OwnedDescriptor)?,
            implied: [TreePath]
        ) {
            self.ingest = ingest
            self.lock = lock
            self.target = target
            self.implied = implied
        }
    }

    private var isComplete: Bool {
        layout.hasBlob(descriptor.digest) && Files.exists(layerStore.path(chainID))
    }

    /// - Returns: nil where the layer is in the store.
    /// - Throws: ``RegistryError``, ``ImageError``, ``SystemError``, `CancellationError`.
    func prepare() async throws -> Prepared? {
        if isComplete {
            report(.alreadyHere)
            return nil
        }
        report(.waiting)
        // Another process, or another image of this pull, may be at it: its work is ours, too.
        let lock = try await Self.lock { try layerStore.tryLock(chainID) }
        if isComplete {
            report(.pulled)
            return nil
        }
        let blobLock = try await Self.lock { try layerStore.tryLock(blob: descriptor.digest) }
        defer { withExtendedLifetime(blobLock) {} }
        let ingest = try await OwnThread.run { try Ingest(layout, layerStore) }
        let isUnpacked = Files.exists(layerStore.path(chainID))
        if layout.hasBlob(descriptor.digest) {
            return try await unpack(ingest, lock, from: nil)
        }
        do {
            return try await download(ingest, lock, isUnpacked: isUnpacked)
        } catch let error as ImageError {
            // What an earlier pull left may have been damaged since: nothing of it is used a second time.
            guard case .digestMismatch(_, descriptor.digest, _) = error, wasResumed.value else { throw error }
            return try await download(ingest, lock, isUnpacked: isUnpacked)
        }
    }

    private let wasResumed = Flag()

    private final class Flag: @unchecked Sendable {
        var value = false
    }

    init(
        layout: ImageLayout, layerStore: LayerStore, repository: RegistryRepository, descriptor: ImageDescriptor,
        diffID: String, chainID: String, report: @escaping @Sendable (TransferEvent) -> Void
    ) {
        self.layout = layout
        self.layerStore = layerStore
        self.repository = repository
        self.descriptor = descriptor
        self.diffID = diffID
        self.chainID = chainID
        self.report = report
    }

    private func download(_ ingest: Ingest, _ lock: FileLock, isUnpacked: Bool) async throws -> Prepared {
        let path = "\(layout.downloads)/\(descriptor.digest.dropFirst("sha256:".count))"
        let (layout, descriptor) = (layout, descriptor)
        let partial = try await OwnThread.run {
            try layout.create()
            return try PartialBlob(path, descriptor)
        }
        wasResumed.value = partial.size > 0
        async let unpacked = unpack(ingest, lock, from: partial.growing, isNeeded: !isUnpacked)
        do {
            try await fetch(into: partial)
            partial.growing.finish(.success(()))
        } catch {
            partial.growing.finish(.failure(error))
            _ = try? await unpacked
            throw error
        }
        let blob: IngestedBlob
        do { blob = try await OwnThread.run { try partial.verify() } } catch {
            // What the unpacker made of it does not matter then.
            _ = try? await unpacked
            throw error
        }
        let prepared = try await unpacked
        ingest.add(blob)
        return prepared
    }

    private func fetch(into partial: PartialBlob) async throws {
        let total = descriptor.size
        report(.downloading(done: partial.size, total: total))
        let pace = Pace()
        try await repository.blob(descriptor, from: partial.size) { piece in
            try await BlockingPool.shared.run {
                try piece.withUnsafeReadableBytes { try partial.append($0) }
            }
            if pace.isTime() { report(.downloading(done: partial.size, total: total)) }
        }
        report(.downloading(done: total, total: total))
    }

    /// - Parameter growing: the blob while it is downloaded; nil: it is in the store.
    private func unpack(
        _ ingest: Ingest, _ lock: FileLock, from growing: GrowingFile?, isNeeded: Bool = true
    ) async throws -> Prepared {
        guard isNeeded else { return Prepared(ingest, lock, target: nil, implied: []) }
        let (total, report, digest) = (descriptor.size, report, descriptor.digest)
        let pace = Pace()
        let extracted: @Sendable (Int64) -> Void = { done in
            // While it is downloaded that is what there is to be seen.
            guard growing?.isFinished ?? true, pace.isTime() else { return }
            report(TransferEvent(digest, .extracting(done: done, total: total)))
        }
        return try await OwnThread.run {
            let target = try ingest.makeLayerDirectory()
            let source: any ByteSource
            if let growing {
                source = growing.source(progress: extracted)
            } else {
                let blob = layout.blobPath(digest)
                source = DescriptorSource(try OwnedDescriptor.open(blob, O_RDONLY), subject: blob)
            }
            let implied = try layerStore.unpack(source, diffID: diffID, into: target.descriptor)
            return Prepared(ingest, lock, target: target, implied: implied)
        }
    }

    /// Puts the layer and its blob into the store, when all below it are there.
    /// - Parameter lower: chain IDs of the layers below, base first.
    func publish(_ prepared: Prepared, lower: [String]) async throws {
        try await OwnThread.run {
            if let target = prepared.target {
                try layerStore.inheritAttributes(
                    of: prepared.implied, in: target.descriptor, lower: lower.reversed().map(layerStore.path))
                prepared.ingest.addLayer(chainID, at: target.path)
            }
            try prepared.ingest.publish()
        }
        withExtendedLifetime(prepared.lock) {}
        report(.pulled)
    }

    /// Waits for a lock without keeping a thread.
    private static func lock(_ attempt: @Sendable () throws -> FileLock?) async throws -> FileLock {
        while true {
            if let lock = try attempt() { return lock }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
