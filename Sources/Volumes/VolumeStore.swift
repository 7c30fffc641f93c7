public import LinuxSystem
internal import CLinux
internal import FoundationEssentials
internal import SystemPackage

/// The volumes of this host, one directory each: `_data` with the content and `volume.json` with the
/// ``VolumeRecord``. Any number of processes may use it at once. All methods block.
public struct VolumeStore: Sendable {
    private let directory: String
    private let lockDirectory: String

    public init(paths: HostPaths) {
        directory = paths.volumes
        lockDirectory = "\(paths.run)/locks"
    }

    private func path(_ name: String) -> String { "\(directory)/\(name)" }
    private func dataPath(_ name: String) -> String { "\(path(name))/_data" }
    private func recordPath(_ name: String) -> String { "\(path(name))/volume.json" }
    /// Held while the volume is made, removed, mounted or filled.
    private func lock(_ name: String) throws -> FileLock { try FileLock("\(lockDirectory)/volume-\(name)") }

    /// Makes a volume, or returns the one of this name as it is, whatever its labels and options.
    /// - Parameter options: `type`, `device` and `o` for what is to be mounted as the volume's content.
    /// - Throws: ``VolumeError``, ``SystemError``.
    @discardableResult
    public func create(
        name: String, labels: [String: String] = [:], driver: String = "local", options: [String: String] = [:]
    ) throws -> VolumeRecord {
        try create(name, labels, driver, options, isAnonymous: false)
    }

    /// Makes a volume with a name of 64 hexadecimal digits.
    public func createAnonymous(labels: [String: String] = [:]) throws -> VolumeRecord {
        try create(RandomHex.digits(), labels, "local", [:], isAnonymous: true)
    }

    private func create(
        _ name: String, _ labels: [String: String], _ driver: String, _ options: [String: String], isAnonymous: Bool
    ) throws -> VolumeRecord {
        guard Self.isValid(name) else { throw VolumeError.invalidName(name) }
        guard driver.isEmpty || driver == "local" else { throw VolumeError.unsupportedDriver(driver) }
        _ = try MountOptions(options, volume: name)
        let lock = try lock(name)
        defer { withExtendedLifetime(lock) {} }
        if let existing = try get(name) { return existing }
        // Without a record it is what a crash left of making or removing a volume.
        try clear(name)
        // For root alone, as setuid programs and secrets may be in volumes; `_data` has modes of its own.
        try Files.makeDirectories(directory, mode: 0o700)
        try Files.makeDirectories(dataPath(name))
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let record = VolumeRecord(
            name: name, driver: "local", labels: labels, options: options,
            createdAt: Double(now.tv_sec) + Double(now.tv_nsec) / 1e9, isAnonymous: isAnonymous)
        try write(record, durable: true)
        return record
    }

    /// nil where there is no such volume.
    public func get(_ name: String) throws -> VolumeRecord? {
        guard Self.isValid(name) else { return nil }
        guard let bytes = try Files.readIfThere(recordPath(name)) else { return nil }
        do { return try JSONDecoder().decode(VolumeRecord.self, from: Data(bytes)) } catch let error as DecodingError {
            throw VolumeError.damaged(name, reason: "\(error)")
        }
    }

    /// Sorted by name.
    /// - Parameter labels: only volumes that have all of these; an empty value matches any.
    public func list(labels: [String: String] = [:]) throws -> [VolumeRecord] {
        try Files.list(directory).compactMap { name in
            guard let record = try get(name) else { return nil }
            let matches = labels.allSatisfy { key, value in
                record.labels[key].map { value.isEmpty || $0 == value } ?? false
            }
            return matches ? record : nil
        }
    }

    /// Unmounts and deletes a volume with its content. What is only mounted as its content stays.
    /// - Throws: ``VolumeError/notFound(_:)``; ``SystemError``, `EBUSY` where its mount is in use.
    public func remove(_ name: String) throws {
        guard Self.isValid(name) else { throw VolumeError.notFound(name) }
        let lock = try lock(name)
        defer { withExtendedLifetime(lock) { lock.removeFile() } }
        guard Files.exists(path(name)) else { throw VolumeError.notFound(name) }
        if Files.exists(dataPath(name)) { try VolumeMount.unmount(dataPath(name)) }
        // Without its record it is no volume any more, whatever happens to the rest.
        try TreeRemoval.remove(recordPath(name))
        try clear(name)
    }

    /// The directory with the volume's content. What its options ask for is mounted there first.
    /// - Throws: ``VolumeError``; ``SystemError`` of the mount.
    public func mountPoint(_ name: String) throws -> String {
        guard let record = try get(name) else { throw VolumeError.notFound(name) }
        let data = dataPath(name)
        guard let options = try MountOptions(record.options, volume: name) else { return data }
        let lock = try lock(name)
        defer { withExtendedLifetime(lock) {} }
        if try !VolumeMount.isMounted(data) { try VolumeMount.mount(options, at: data) }
        return data
    }

    /// Fills a volume with what an image has at the place where it will be mounted, if nothing is in it: the content of
    /// `source`, and its owner, mode and times. A copy that was cut off is made anew. A volume with content is left
    /// alone.
    /// - Parameter source: a directory; any descriptor of it, also of a detached mount.
    public func populate(_ name: String, from source: OwnedDescriptor) throws {
        let data = try mountPoint(name)
        let lock = try lock(name)
        defer { withExtendedLifetime(lock) {} }
        guard var record = try get(name) else { throw VolumeError.notFound(name) }
        let target = try OwnedDescriptor.open(data, O_RDONLY | O_DIRECTORY)
        if record.isPopulating == true {
            try TreeRemoval.removeContents(of: target, subject: data)
        } else if try !TreeCopy.isEmpty(target, subject: data) {
            return
        }
        record.isPopulating = true
        try write(record, durable: false)
        let copied = try TreeCopy.copy(from: source, to: target, subject: "volume \(name)")
        // The copy must not be believed whole before it is on the disk. Often there is nothing to copy.
        if copied > 0 { try check("syncfs", data) { syncfs(target.raw) } }
        record.isPopulating = nil
        try write(record, durable: false)
    }

    private func write(_ record: VolumeRecord, durable: Bool) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try Files.replace(recordPath(record.name), with: Array(try encoder.encode(record)), durable: durable)
    }

    private func clear(_ name: String) throws {
        if Files.exists(dataPath(name)) { try VolumeMount.unmount(dataPath(name)) }
        try TreeRemoval.remove(path(name))
    }

    /// Docker's rule.
    private static func isValid(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        }
        guard let first = bytes.first, isAlphanumeric(first), (2...255).contains(bytes.count) else { return false }
        return bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x5f || $0 == 0x2e || $0 == 0x2d }
    }
}
