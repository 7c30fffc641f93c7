extension ServiceDecoder {
    /// Mounts, secrets and configs.
    func data(_ service: inout Service, _ fields: FieldReader) {
        service.volumes = fields.nodes("volumes").map(mount)
        service.tmpfs = fields.list("tmpfs")
        service.volumesFrom = fields.list("volumes_from")
        service.configs = fields.nodes("configs").map { reference($0, directory: "/") }
        service.secrets = fields.nodes("secrets").map { reference($0, directory: "/run/secrets") }
    }

    private func mount(_ node: Node) -> Mount {
        let fields = FieldReader(node)
        var mount = Mount()
        mount.kind = fields.text("type").flatMap(Mount.Kind.init) ?? .volume
        mount.source = fields.text("source")
        mount.target = fields.text("target") ?? ""
        mount.readOnly = fields.flag("read_only") ?? false
        let bind = fields.inner("bind")
        mount.propagation = bind.text("propagation")
        // Without settings of its own a bind creates the host's path, as its short form does.
        mount.createHostPath = fields.has("bind") ? bind.flag("create_host_path") ?? true : true
        mount.recursive = bind.text("recursive")
        mount.selinux = bind.text("selinux")
        let volume = fields.inner("volume")
        mount.noCopy = volume.flag("nocopy") ?? false
        mount.subpath = volume.text("subpath") ?? fields.inner("image").text("subpath")
        mount.labels = volume.pairs("labels")
        let tmpfs = fields.inner("tmpfs")
        mount.tmpfsSize = tmpfs.amount("size")
        mount.tmpfsMode = tmpfs.int("mode").flatMap { UInt32(exactly: $0) }
        return mount
    }

    private func reference(_ node: Node, directory: String) -> FileReference {
        let fields = FieldReader(node)
        var reference = FileReference()
        reference.source = fields.text("source") ?? ""
        reference.target = Paths.join(directory, fields.text("target") ?? reference.source)
        reference.uid = fields.text("uid")
        reference.gid = fields.text("gid")
        reference.mode = fields.int("mode").flatMap { UInt32(exactly: $0) }
        return reference
    }
}
