/// Makes the ``Project`` out of a checked, canonical tree.
struct ProjectDecoder {
    let name: String
    let directory: String
    let files: [String]
    let environment: [String: String]
    let reporter: Reporter

    func decode(_ selection: Selection) -> Project {
        var project = Project()
        project.name = name
        project.workingDirectory = directory
        project.composeFiles = files
        for entry in selection.services { project.services[entry.key] = service(entry) }
        for entry in selection.disabled { project.disabledServices[entry.key] = service(entry) }
        each("networks", selection) { project.networks[$0] = network($0, $1) }
        each("volumes", selection) { project.volumes[$0] = volume($0, $1) }
        each("secrets", selection) { project.secrets[$0] = object($0, $1) }
        each("configs", selection) { project.configs[$0] = object($0, $1) }
        project.unsupported = UnsupportedFinder(reporter: reporter).find(in: selection.tree)
        return project
    }

    private func service(_ entry: Mapping.Entry) -> Service {
        ServiceDecoder(name: entry.key).decode(entry.value.mapping ?? Mapping())
    }

    private func each(_ section: String, _ selection: Selection, _ body: (String, FieldReader) -> Void) {
        for entry in selection.tree[section]?.mapping ?? Mapping() { body(entry.key, FieldReader(entry.value)) }
    }

    private func network(_ key: String, _ fields: FieldReader) -> Network {
        var network = Network()
        network.key = key
        network.name = fields.text("name") ?? key
        network.driver = fields.text("driver")
        network.driverOptions = fields.pairs("driver_opts")
        network.external = fields.flag("external") ?? false
        network.isInternal = fields.flag("internal") ?? false
        network.attachable = fields.flag("attachable") ?? false
        network.enableIPv4 = fields.flag("enable_ipv4")
        network.enableIPv6 = fields.flag("enable_ipv6")
        network.labels = fields.pairs("labels")
        let ipam = fields.inner("ipam")
        network.ipamDriver = ipam.text("driver")
        network.subnets = ipam.nodes("config").map { pool($0, path: "networks.\(key).ipam.config") }
        return network
    }

    private func pool(_ node: Node, path: String) -> Network.IPAMPool {
        let fields = FieldReader(node)
        var pool = Network.IPAMPool()
        pool.subnet = fields.text("subnet")
        pool.ipRange = fields.text("ip_range")
        pool.gateway = fields.text("gateway")
        pool.auxAddresses = fields.pairs("aux_addresses")
        return pool
    }

    private func volume(_ key: String, _ fields: FieldReader) -> Volume {
        var volume = Volume()
        volume.key = key
        volume.name = fields.text("name") ?? key
        volume.driver = fields.text("driver")
        volume.driverOptions = fields.pairs("driver_opts")
        volume.external = fields.flag("external") ?? false
        volume.labels = fields.pairs("labels")
        return volume
    }

    private func object(_ key: String, _ fields: FieldReader) -> FileObject {
        var object = FileObject()
        object.key = key
        object.name = fields.text("name") ?? key
        object.labels = fields.pairs("labels")
        if fields.flag("external") == true {
            object.source = .external
        } else if let path = fields.text("file") {
            object.source = .file(path)
        } else if let variable = fields.text("environment") {
            object.source = .environment(name: variable, value: environment[variable])
        } else {
            object.source = .content(fields.text("content") ?? "")
        }
        return object
    }
}
