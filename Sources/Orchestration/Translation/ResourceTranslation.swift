public import ComposeFile

/// Turns a project's networks and volumes into what an engine makes.
public enum ResourceTranslation {
    public static func network(_ network: Network, project: Project, version: String) -> NetworkSpec {
        var spec = NetworkSpec()
        spec.name = network.name
        spec.driver = network.driver ?? "bridge"
        spec.driverOptions = network.driverOptions
        spec.subnets = network.subnets
        spec.isInternal = network.isInternal
        spec.enableIPv6 = network.enableIPv6 ?? false
        spec.labels = network.labels
        spec.labels[Label.project] = project.name
        spec.labels[Label.network] = network.key
        spec.labels[Label.version] = version
        spec.labels[Label.configHash] = digest(network)
        return spec
    }

    public static func volume(_ volume: Volume, project: Project, version: String) -> VolumeSpec {
        var spec = VolumeSpec()
        spec.name = volume.name
        spec.driver = volume.driver ?? "local"
        spec.driverOptions = volume.driverOptions
        spec.labels = volume.labels
        spec.labels[Label.project] = project.name
        spec.labels[Label.volume] = volume.key
        spec.labels[Label.version] = version
        var digest = ConfigDigest()
        digest.add(spec.driver)
        digest.add(volume.driverOptions)
        digest.add(volume.labels)
        spec.labels[Label.configHash] = digest.hexadecimal
        return spec
    }

    private static func digest(_ network: Network) -> String {
        var digest = ConfigDigest()
        digest.add(network.driver ?? "bridge")
        digest.add(network.driverOptions)
        digest.add(network.ipamDriver ?? "default")
        for pool in network.subnets {
            digest.add(pool.subnet ?? "")
            digest.add(pool.ipRange ?? "")
            digest.add(pool.gateway ?? "")
            digest.add(pool.auxAddresses)
        }
        digest.add("\(network.isInternal) \(network.enableIPv4 ?? true) \(network.enableIPv6 ?? false)")
        digest.add(network.labels)
        return digest.hexadecimal
    }
}
