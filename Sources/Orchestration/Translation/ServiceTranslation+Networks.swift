import ComposeFile

extension ServiceTranslation {
    /// Fills in what concerns the network and returns the user's aliases by network name.
    static func translateNetworks(
        of service: Service, project: Project, into spec: inout ContainerSpec,
        references: inout [ContainerBlueprint.Reference]
    ) throws -> [String: [String]] {
        spec.networkMode = service.networkMode
        spec.ports = service.ports
        spec.expose = service.expose
        spec.extraHosts = service.extraHosts
        spec.dns = service.dns
        spec.dnsOptions = service.dnsOptions
        spec.dnsSearch = service.dnsSearch
        if let mode = service.networkMode {
            if mode == "bridge" {
                throw Failure(
                    "service \"\(service.name)\": network_mode \"bridge\" is not done yet; without network_mode it gets "
                        + "the project's default network, which is a bridge")
            }
            if let target = serviceReference(mode) { references.append(.init(.network, service: target)) }
            return [:]
        }
        var aliases: [String: [String]] = [:]
        let ordered = service.networks.sorted {
            $0.value.priority == $1.value.priority ? $0.key < $1.key : $0.value.priority > $1.value.priority
        }
        for (key, attachment) in ordered {
            guard let network = project.networks[key] else {
                throw Failure("service \"\(service.name)\" refers to undefined network \(key)")
            }
            var result = ContainerSpec.Attachment()
            result.network = network.name
            result.ipv4Address = attachment.ipv4Address
            result.ipv6Address = attachment.ipv6Address
            result.macAddress = attachment.macAddress
            result.interfaceName = attachment.interfaceName
            result.gatewayPriority = attachment.gatewayPriority
            spec.networks.append(result)
            aliases[network.name] = attachment.aliases
        }
        if let address = service.macAddress, !spec.networks.isEmpty, spec.networks[0].macAddress == nil {
            spec.networks[0].macAddress = address
        }
        return aliases
    }
}
