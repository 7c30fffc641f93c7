import ComposeFile

extension ServiceTranslation {
    static func mounts(
        of service: Service, project: Project, image: ImageSummary
    ) throws -> [ContainerSpec.MountSpec] {
        var mounts = try service.volumes.map { try mount($0, of: service, project: project) }
        mounts += service.tmpfs.map(tmpfs)
        var taken = Set(mounts.map(\.target))
        for target in image.volumes.sorted() where taken.insert(target).inserted {
            var anonymous = ContainerSpec.MountSpec()
            anonymous.source = .anonymous(carriedOver: nil)
            anonymous.target = target
            mounts.append(anonymous)
        }
        return mounts
    }

    private static func mount(
        _ mount: Mount, of service: Service, project: Project
    ) throws -> ContainerSpec.MountSpec {
        var result = ContainerSpec.MountSpec()
        result.target = mount.target
        result.readOnly = mount.readOnly
        switch mount.kind {
        case .bind:
            guard let source = mount.source else {
                throw Failure("service \"\(service.name)\": bind mount at \(mount.target) has no source")
            }
            result.source = .bind(source)
            result.propagation = mount.propagation
            result.createHostPath = mount.createHostPath
            result.recursive = mount.recursive
        case .volume:
            result.noCopy = mount.noCopy
            result.subpath = mount.subpath
            if let key = mount.source {
                guard let volume = project.volumes[key] else {
                    throw Failure("service \"\(service.name)\" refers to undefined volume \(key)")
                }
                result.source = .volume(volume.name)
            } else {
                result.source = .anonymous(carriedOver: nil)
                result.volumeLabels = mount.labels
            }
        case .tmpfs:
            result.source = .tmpfs
            result.tmpfsSize = mount.tmpfsSize
            result.tmpfsMode = mount.tmpfsMode
        case .image, .npipe, .cluster:
            throw Failure(
                "service \"\(service.name)\": volume type \"\(mount.kind.rawValue)\" at \(mount.target) "
                    + "is not supported; use bind, volume or tmpfs")
        }
        return result
    }

    /// `path[:option,option…]`
    private static func tmpfs(_ entry: String) -> ContainerSpec.MountSpec {
        var result = ContainerSpec.MountSpec()
        let parts = entry.split(separator: ":", maxSplits: 1).map(String.init)
        result.target = parts.first ?? entry
        if parts.count == 2 { result.tmpfsOptions = parts[1].split(separator: ",").map(String.init) }
        return result
    }

    static func files(of service: Service, project: Project) throws -> [ContainerSpec.FileSpec] {
        let secrets = try service.secrets.map {
            try file($0, project.secrets[$0.source], kind: "secret", of: service)
        }
        let configs = try service.configs.map {
            try file($0, project.configs[$0.source], kind: "config", of: service)
        }
        return secrets + configs
    }

    private static func file(
        _ reference: FileReference, _ object: FileObject?, kind: String, of service: Service
    ) throws -> ContainerSpec.FileSpec {
        guard let object else {
            throw Failure("service \"\(service.name)\" refers to undefined \(kind) \(reference.source)")
        }
        var result = ContainerSpec.FileSpec()
        result.target = reference.target
        result.uid = reference.uid
        result.gid = reference.gid
        result.mode = reference.mode
        switch object.source {
        case .file(let path): result.source = .hostFile(path)
        case .content(let text): result.source = .content(text)
        case .environment(_, let value?): result.source = .content(value)
        case .environment(let name, nil):
            throw Failure("environment variable \"\(name)\" required by \(kind) \"\(object.key)\" is not set")
        case .external: throw Failure("unsupported external \(kind) \(object.key)")
        }
        return result
    }

    /// `SERVICE[:ro|rw]` or `container:NAME[:ro|rw]`; literal containers come before those of services.
    static func translateVolumesFrom(
        of service: Service, into spec: inout ContainerSpec, references: inout [ContainerBlueprint.Reference]
    ) {
        for entry in service.volumesFrom {
            var parts = entry.split(separator: ":").map(String.init)
            let readOnly = parts.last == "ro"
            if parts.count > 1, readOnly || parts.last == "rw" { parts.removeLast() }
            if parts.count == 2, parts[0] == "container" {
                spec.volumesFrom.append(.init(container: ContainerID(parts[1]), readOnly: readOnly))
            } else if let target = parts.first {
                references.append(.init(.volumes(readOnly: readOnly), service: target))
            }
        }
    }
}
