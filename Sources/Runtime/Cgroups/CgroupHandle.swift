internal import CLinux
internal import LinuxSystem
public import OCI

/// A container's cgroup: one directory in every hierarchy. All calls block.
public struct CgroupHandle: Sendable {
    public let id: String
    /// From the top of each hierarchy; `/swcompose/<id>`.
    public let path: String
    /// Limits of the creation that could not be had on this host.
    public internal(set) var warnings: [CgroupWarning] = []

    let own: String
    let layout: CgroupLayout

    init(id: String, path: String, own: String, layout: CgroupLayout) {
        self.id = id
        self.path = path
        self.own = own
        self.layout = layout
    }

    // MARK: Places

    /// The `cgroup.procs` into which a process is to be written so that it is in all of this. With v2 alone, better
    /// use ``unifiedDirectory`` with `CLONE_INTO_CGROUP`, which does not wait for others.
    public var processFiles: [String] { directories.map { "\($0)/cgroup.procs" } }

    /// v1's part of ``processFiles``: what remains to be written for a process started with `CLONE_INTO_CGROUP`.
    public var legacyProcessFiles: [String] { layout.legacy.map { "\($0.mountPoint)\(path)/cgroup.procs" } }

    /// The v2 directory, for `CLONE_INTO_CGROUP`; nil where only v1 is mounted.
    public var unifiedDirectory: String? { layout.unified.map { $0 + path } }

    /// The file with a line `oom_kill <count>`, alike in v1 (`memory.oom_control`) and v2 (`memory.events`).
    public var oomFile: String? {
        if let memory = legacyDirectory("memory") { return "\(memory)/memory.oom_control" }
        return layout.mode == .unified ? unifiedDirectory.map { "\($0)/memory.events" } : nil
    }

    var directories: [String] {
        layout.legacy.map { $0.mountPoint + path } + (unifiedDirectory.map { [$0] } ?? [])
    }

    func legacyDirectory(_ controller: String) -> String? {
        layout.legacy.first { $0.controllers.contains(controller) }.map { $0.mountPoint + path }
    }

    public var exists: Bool { directories.contains { Files.exists($0) } }

    // MARK: Members and limits

    /// Moves a process here, in all hierarchies.
    /// - Throws: ``CgroupError/failed(_:)``.
    public func add(_ process: Int32) throws {
        for file in processFiles {
            do { try ControlFile.write(file, "\(process)") } catch let error as SystemError {
                throw CgroupError.failed("moving process \(process) into cgroup \(path): \(error)")
            }
        }
    }

    /// Process ids here and in the cgroups below, ascending, as seen from the caller's pid namespace.
    /// - Throws: ``SystemError``.
    public func processes() throws -> [Int32] {
        guard let directory = unifiedDirectory ?? legacyDirectory("pids") ?? directories.first else { return [] }
        return try CgroupTree.processes(directory).sorted()
    }

    /// Changes limits in place; what `resources` does not mention stays.
    /// - Returns: what this host cannot set.
    /// - Throws: ``CgroupError``.
    public func update(_ resources: RuntimeSpec.Resources) throws -> [CgroupWarning] {
        try apply(CgroupPlan(resources, unifiedOnly: layout.mode == .unified))
    }

    func apply(_ plan: CgroupPlan) throws -> [CgroupWarning] {
        var warnings: [CgroupWarning] = []
        if layout.mode == .unified {
            let directory = unifiedDirectory!
            try write(plan.unified, &warnings) { _ in directory }
        } else {
            // Where v1 lacks a controller, v2's mount may have it.
            let lacking = Set(plan.unified.map(\.controller).filter { legacyDirectory(Self.legacyName($0)) == nil })
            let unified = lacking.isEmpty ? [] : plan.unified.filter { lacking.contains($0.controller) }
            let lackingLegacy = Set(lacking.map(Self.legacyName))
            try write(
                plan.legacy.filter { !lackingLegacy.contains($0.controller) && $0.controller != "devices" }, &warnings
            ) {
                legacyDirectory($0)
            }
            try write(unified, &warnings) { _ in unifiedDirectory }
        }
        if let program = plan.deviceProgram {
            if legacyDirectory("devices") != nil {
                try write(plan.legacy.filter { $0.controller == "devices" }, &warnings) { legacyDirectory($0) }
            } else if let directory = unifiedDirectory {
                do { try CgroupDevices.replaceFilter(of: directory, with: program) } catch let error as SystemError {
                    throw CgroupError.failed("limiting the devices of cgroup \(path): \(error)")
                }
            } else {
                warnings.append(CgroupWarning(setting: "device rules", reason: "the devices controller is not mounted"))
            }
        }
        return warnings
    }

    private static func legacyName(_ controller: String) -> String { controller == "io" ? "blkio" : controller }

    private func write(
        _ writes: [ControlWrite], _ warnings: inout [CgroupWarning], in directory: (String) -> String?
    ) throws {
        var postponed: ControlWrite?
        for write in writes {
            guard let place = directory(write.controller) else {
                if write.isImplied { continue }
                warnings.append(
                    CgroupWarning(
                        setting: write.setting, reason: "no \(write.controller) controller is mounted on this host"))
                continue
            }
            if !(try self.write(write, in: place, mayPostpone: write.dependsOnNext, &warnings)) {
                postponed = write
                continue
            }
            if let late = postponed {
                _ = try self.write(late, in: place, mayPostpone: false, &warnings)
                postponed = nil
            }
        }
        // The next write had nowhere to go: now the kernel's refusal is the answer.
        if let late = postponed, let place = directory(late.controller) {
            _ = try self.write(late, in: place, mayPostpone: false, &warnings)
        }
    }

    /// - Returns: false where the write has to wait for the next.
    private func write(
        _ write: ControlWrite, in place: String, mayPostpone: Bool, _ warnings: inout [CgroupWarning]
    ) throws -> Bool {
        for file in write.files {
            do {
                try ControlFile.write("\(place)/\(file)", write.values)
                return true
            } catch let error as SystemError {
                switch error.code {
                case ENOENT: continue
                case EINVAL where mayPostpone: return false
                case EBUSY where write.controller == "memory":
                    throw CgroupError.failed(
                        "\(write.setting) \(write.values[0]) of cgroup \(path): more than that is in use")
                default:
                    throw CgroupError.failed(
                        "\(write.setting) \(write.values.joined(separator: "; ")) of cgroup \(path): \(error)")
                }
            }
        }
        guard Files.exists(place) else { throw CgroupError.failed("cgroup \(path) does not exist") }
        if write.isImplied { return true }
        warnings.append(
            CgroupWarning(
                setting: write.setting, reason: "this kernel has no \(write.files.joined(separator: " or ")) here"))
        return true
    }

    // MARK: The end

    /// Removes this with all cgroups below, and our own directory when it was the last. Processes that have been
    /// killed need a moment to go: that long it waits.
    /// - Parameter timeout: seconds.
    /// - Throws: ``CgroupError/populated(path:processes:)`` where processes remain.
    public func remove(timeout: Double = 2) throws {
        var failure: SystemError?
        var left = directories
        _ = try Waiting.until(seconds: timeout) {
            failure = nil
            var busy: [String] = []
            for directory in left {
                do { try CgroupTree.remove(directory) } catch let error as SystemError {
                    guard error.code == EBUSY else { throw CgroupError.failed("cgroup \(path): \(error)") }
                    failure = error
                    busy.append(directory)
                }
            }
            left = busy
            return left.isEmpty
        }
        if let failure {
            let processes = (try? processes()) ?? []
            if processes.isEmpty { throw CgroupError.failed("cgroup \(path): \(failure)") }
            throw CgroupError.populated(path: path, processes: processes)
        }
        removeEmptyParents()
    }

    /// Only what is ours. rmdir does nothing where there is another container, and one just being made there starts
    /// again when its parent is gone.
    private func removeEmptyParents() {
        let ours = CgroupTree.ancestors(of: path).filter { $0 == "/\(own)" || $0.hasPrefix("/\(own)/") }
        for mount in layout.legacy.map(\.mountPoint) + (layout.unified.map { [$0] } ?? []) {
            for parent in ours.reversed() { try? Directory.remove(mount + parent) }
        }
    }
}
