internal import CLinux
internal import LinuxSystem
public import OCI

/// Makes and finds the cgroups of containers. In every hierarchy all of them are below one directory of our own;
/// what others have there is neither moved nor limited nor remounted. All calls block.
public struct CgroupManager: Sendable {
    public let layout: CgroupLayout
    /// Name of our own directory.
    public let own: String

    /// - Parameter own: name of the directory at the top of each hierarchy. Tests use one of their own.
    public init(layout: CgroupLayout, own: String = "swcompose") {
        self.layout = layout
        self.own = own
    }

    /// - Throws: ``CgroupError/notMounted(kernelHasUnified:)``.
    public static func detect(own: String = "swcompose") throws -> CgroupManager {
        CgroupManager(layout: try .detect(), own: own)
    }

    /// Makes a container's cgroup in every hierarchy and limits it. Nothing is left behind where it throws.
    /// - Parameters:
    ///   - id: unique on the host; becomes the directory's name.
    ///   - parent: a path below our own directory, or, with a leading `/`, from the top of each hierarchy; made where
    ///     missing. nil: our own directory.
    /// - Returns: the cgroup; ``CgroupHandle/warnings`` has limits that this host cannot set.
    /// - Throws: ``CgroupError``. A cgroup of this name left by a crash is replaced if no process is in it.
    public func create(_ id: String, resources: RuntimeSpec.Resources, parent: String? = nil) throws -> CgroupHandle {
        var handle = try self.handle(id, parent: parent)
        // Checked before anything is made.
        let plan = try CgroupPlan(resources, unifiedOnly: layout.mode == .unified)
        do {
            for hierarchy in layout.legacy { try make(handle.path, in: hierarchy.mountPoint, legacy: hierarchy) }
            if let unified = layout.unified { try make(handle.path, in: unified, legacy: nil) }
            handle.warnings = try handle.apply(plan)
        } catch {
            try? handle.remove(timeout: 0)
            throw error
        }
        return handle
    }

    /// The cgroup of a container, whether or not it exists. Asks the kernel nothing.
    /// - Throws: ``CgroupError/invalid(_:)`` for an id or a parent that is no path.
    public func handle(_ id: String, parent: String? = nil) throws -> CgroupHandle {
        guard Self.isName(id[...]) else { throw CgroupError.invalid("\"\(id)\" cannot be the name of a cgroup") }
        var path = "/\(own)"
        if let parent, !parent.isEmpty {
            let components = parent.split(separator: "/")
            for component in components where !Self.isName(component) {
                throw CgroupError.invalid(
                    "cgroup parent \"\(parent)\": \"\(component)\" cannot be the name of a cgroup")
            }
            guard !components.isEmpty else {
                throw CgroupError.invalid("cgroup parent \"\(parent)\" names no cgroup")
            }
            path = (parent.hasPrefix("/") ? "/" : path + "/") + components.joined(separator: "/")
        }
        return CgroupHandle(id: id, path: "\(path)/\(id)", own: own, layout: layout)
    }

    /// Ids of the containers that have a cgroup directly below our own directory.
    /// - Throws: ``SystemError``.
    public func containers() throws -> [String] {
        var names: Set<String> = []
        for mount in layout.legacy.map(\.mountPoint) + (layout.unified.map { [$0] } ?? []) {
            names.formUnion(try Directory.subdirectories("\(mount)/\(own)"))
        }
        return names.sorted()
    }

    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && text != "." && text != ".." && text.utf8.count <= 255
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
    }

    // MARK: Making directories

    /// How often our own directory may go away under us, as another process removes its last container's cgroup,
    /// before that is taken for an error.
    private static let attempts = 200

    private func make(_ path: String, in mount: String, legacy: CgroupLayout.Hierarchy?) throws {
        for attempt in 1... {
            do {
                try makeOnce(path, in: mount, legacy: legacy)
                return
            } catch let error as SystemError {
                // Writing into a directory just removed is ENODEV.
                guard error.code == ENOENT || error.code == ENODEV, attempt < Self.attempts else {
                    throw CgroupError.failed("cgroup \(path): \(error)")
                }
            }
        }
    }

    private func makeOnce(_ path: String, in mount: String, legacy: CgroupLayout.Hierarchy?) throws {
        let directory = mount + path
        let hasCpuset = legacy?.controllers.contains("cpuset") ?? false
        if legacy == nil, layout.mode == .unified { try prepareUnified(path, mount) }
        do { try Directory.make(directory) } catch let error as SystemError {
            switch error.code {
            case ENOENT:
                try makeParents(path, in: mount, hasCpuset: hasCpuset)
                try Directory.make(directory)
            case EEXIST:
                let processes = try CgroupTree.processes(directory)
                guard processes.isEmpty else { throw CgroupError.populated(path: path, processes: processes) }
                try CgroupTree.remove(directory)
                try Directory.make(directory)
            default: throw error
            }
        }
        if hasCpuset { try Self.fillCpuset(directory, mount) }
    }

    private func makeParents(_ path: String, in mount: String, hasCpuset: Bool) throws {
        for parent in CgroupTree.ancestors(of: path) {
            do { try Directory.make(mount + parent) } catch let error as SystemError {
                guard error.code == EEXIST else { throw error }
                continue
            }
            // Children of ours get its processors and memory nodes without a write each.
            if hasCpuset { try ControlFile.write("\(mount)\(parent)/cgroup.clone_children", "1") }
        }
    }

    /// A v1 cpuset takes no process until it has processors and memory nodes; it is made without.
    private static func fillCpuset(_ directory: String, _ mount: String) throws {
        for file in ["cpuset.cpus", "cpuset.mems"] {
            guard try ControlFile.read("\(directory)/\(file)").isEmpty else { continue }
            let parent = String(directory[..<directory.lastIndex(of: "/")!])
            var value = try ControlFile.read("\(parent)/\(file)")
            if value.isEmpty, parent != mount {
                try fillCpuset(parent, mount)
                value = try ControlFile.read("\(parent)/\(file)")
            }
            try ControlFile.write("\(directory)/\(file)", value)
        }
    }

    /// v2 gives a directory those controllers that its parent passes on, from the top down.
    private func prepareUnified(_ path: String, _ mount: String) throws {
        try Self.enableControllers(mount)
        for parent in CgroupTree.ancestors(of: path) {
            do { try Directory.make(mount + parent) } catch let error as SystemError {
                guard error.code == EEXIST else { throw error }
            }
            try Self.enableControllers(mount + parent)
        }
    }

    private static let wantedControllers = ["cpu", "cpuset", "io", "memory", "pids"]

    /// Those that cannot be passed on (a top directory with processes, as inside a container, or one that is not
    /// ours to change) are left: the limit's file is then missing, and that is warned of.
    private static func enableControllers(_ directory: String) throws {
        let enabled = Set(try ControlFile.read("\(directory)/cgroup.subtree_control").split(separator: " "))
        if wantedControllers.allSatisfy({ enabled.contains($0[...]) }) { return }
        let available = Set(try ControlFile.read("\(directory)/cgroup.controllers").split(separator: " "))
        let missing = wantedControllers.filter { available.contains($0[...]) && !enabled.contains($0[...]) }
        if missing.isEmpty { return }
        let file = "\(directory)/cgroup.subtree_control"
        do {
            try ControlFile.write(file, missing.map { "+\($0)" }.joined(separator: " "))
        } catch let error as SystemError {
            if error.code == ENOENT || error.code == ENODEV { throw error }
            for controller in missing { try? ControlFile.write(file, "+\(controller)") }
        }
    }
}

/// Resources as what has to be written, checked before anything is made.
struct CgroupPlan {
    var legacy: [ControlWrite]
    var unified: [ControlWrite]
    /// eBPF, where the devices controller of v1 is not to be had.
    var deviceProgram: [UInt64]?

    /// - Throws: ``CgroupError/invalid(_:)``.
    init(_ resources: RuntimeSpec.Resources, unifiedOnly: Bool) throws {
        legacy = unifiedOnly ? [] : try LegacyWrites.all(resources)
        unified = try UnifiedWrites.all(resources)
        if let rules = resources.devices, !rules.isEmpty {
            deviceProgram = try DeviceProgram.instructions(rules)
        }
    }
}
