internal import CLinux
internal import ComposeFile
internal import Images
internal import LinuxSystem
internal import OCI
internal import Orchestration
internal import SystemPackage
internal import Volumes

/// A container's mounts as host paths: makes and fills volumes, checks and makes bind sources.
struct MountPlanner {
    let volumes: VolumeStore
    let directory: ContainerDirectory
    let container: StoredContainer
    /// The container's own root: its layer over the image's.
    let rootLayers: [String]

    /// - Throws: ``EngineError/startFailed(container:reason:code:)`` naming the mount.
    func mounts(volumesFrom: [(StoredContainer, readOnly: Bool)]) throws -> [RuntimeSpec.Mount] {
        var result: [RuntimeSpec.Mount] = []
        for (other, readOnly) in volumesFrom {
            for mount in other.spec.mounts where !Self.isTmpfs(mount) {
                var mount = mount
                mount.readOnly = mount.readOnly || readOnly
                result.append(try resolve(mount, anonymous: other.anonymousVolumes))
            }
        }
        for mount in container.spec.mounts {
            let resolved = try resolve(mount, anonymous: container.anonymousVolumes)
            result.removeAll { $0.destination == resolved.destination }
            result.append(resolved)
        }
        return result + etcFiles(except: Set(result.map(\.destination))) + (try hostFiles())
    }

    private static func isTmpfs(_ mount: ContainerSpec.MountSpec) -> Bool {
        if case .tmpfs = mount.source { true } else { false }
    }

    private func resolve(_ mount: ContainerSpec.MountSpec, anonymous: [String: String]) throws -> RuntimeSpec.Mount {
        switch mount.source {
        case .bind(let source): return try bind(source, mount)
        case .volume(let name): return try volume(name, mount)
        case .anonymous:
            guard let name = anonymous[mount.target] else {
                throw failure("the anonymous volume for \(mount.target) has no name")
            }
            return try volume(name, mount)
        case .tmpfs: return tmpfs(mount)
        }
    }

    private func bind(_ source: String, _ mount: ContainerSpec.MountSpec) throws -> RuntimeSpec.Mount {
        if !Files.exists(source) {
            guard mount.createHostPath else {
                throw failure("bind source path does not exist: \(source)")
            }
            try Files.makeDirectories(source)
        }
        return RuntimeSpec.Mount(
            destination: mount.target, type: "bind", source: source, options: bindOptions(mount))
    }

    private func bindOptions(_ mount: ContainerSpec.MountSpec) -> [String] {
        [
            mount.recursive == "disabled" ? "bind" : "rbind", mount.readOnly ? "ro" : "rw",
            mount.propagation ?? "rprivate",
        ]
    }

    private func volume(_ name: String, _ mount: ContainerSpec.MountSpec) throws -> RuntimeSpec.Mount {
        guard try volumes.get(name) != nil else { throw failure("no such volume: \(name)") }
        let root = try volumes.mountPoint(name)
        if !mount.noCopy, mount.subpath == nil { try fill(name, from: mount.target) }
        var source = root
        if let subpath = mount.subpath {
            let base = try OwnedDescriptor.open(root, O_PATH | O_DIRECTORY)
            do { _ = try base.openInRoot(subpath, O_PATH) } catch let error as SystemError {
                throw failure("volume \(name) has no subpath \"\(subpath)\": \(error.errno)")
            }
            source = "\(root)/\(subpath)"
        }
        return RuntimeSpec.Mount(
            destination: mount.target, type: "bind", source: source, options: bindOptions(mount))
    }

    /// What the image has at the volume's place goes into a volume that is still empty.
    private func fill(_ name: String, from target: String) throws {
        let root = try DetachedMount.overlay(lower: rootLayers)
        do {
            let content = try root.openInRoot(target, O_RDONLY | O_DIRECTORY)
            try volumes.populate(name, from: content)
        } catch let error as SystemError where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory {}
    }

    private func tmpfs(_ mount: ContainerSpec.MountSpec) -> RuntimeSpec.Mount {
        // Docker's defaults for a tmpfs, which options given later override.
        var options = ["noexec", "nosuid", "nodev"]
        options += mount.tmpfsOptions
        if mount.readOnly { options.append("ro") }
        if let size = mount.tmpfsSize { options.append("size=\(size)") }
        if let mode = mount.tmpfsMode { options.append("mode=\(String(mode, radix: 8))") }
        return RuntimeSpec.Mount(destination: mount.target, type: "tmpfs", source: "tmpfs", options: options)
    }

    private func etcFiles(except taken: Set<String>) -> [RuntimeSpec.Mount] {
        [
            ("/etc/resolv.conf", directory.resolvConf), ("/etc/hostname", directory.hostname),
            ("/etc/hosts", directory.hosts),
        ]
        .filter { !taken.contains($0.0) && Files.exists($0.1) }
        .map { RuntimeSpec.Mount(destination: $0.0, type: "bind", source: $0.1, options: ["rbind", "rw", "rprivate"]) }
    }

    /// Secrets and configs that are files on the host; those with content of their own are injected (see Launcher).
    private func hostFiles() throws -> [RuntimeSpec.Mount] {
        try container.spec.files.compactMap { file in
            guard case .hostFile(let path) = file.source else { return nil }
            guard Files.exists(path) else { throw failure("bind source path does not exist: \(path)") }
            return RuntimeSpec.Mount(
                destination: file.target, type: "bind", source: path, options: ["rbind", "ro", "rprivate"])
        }
    }

    private func failure(_ reason: String) -> EngineError {
        .startFailed(container: container.spec.name, reason: reason, code: 128)
    }
}
