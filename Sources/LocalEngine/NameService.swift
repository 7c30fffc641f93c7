internal import LinuxSystem
internal import Networking
internal import NIOCore
internal import Orchestration

/// Which names the containers of this project have, and who may ask for them.
struct NameService: Sendable {
    private let server: DNSServer

    init(group: any EventLoopGroup) { server = DNSServer(group: group) }

    /// Makes a container's names known on its networks.
    func announce(_ container: StoredContainer, interfaces: [AttachedInterface]) {
        for interface in interfaces {
            guard let attachment = container.spec.networks.first(where: { $0.network == interface.network }) else {
                continue
            }
            let others = attachment.aliases.filter { $0 != container.spec.name }
            server.set(
                container: container.id.value, network: interface.network, names: [container.spec.name] + others,
                addresses: [interface.ipv4, interface.ipv6].compactMap { $0 })
        }
    }

    /// Answers a container's questions from now on.
    /// - Parameter networks: The records of the networks that it is on.
    func serve(_ container: StoredContainer, networks: [NetworkRecord], _ sockets: DNSSockets) async throws {
        let spec = container.spec
        let view = DNSView(
            networks: spec.networks.map(\.network), links: spec.links, searchDomains: spec.dnsSearch,
            upstreams: spec.dns, forwards: networks.contains { !$0.isInternal },
            forwardsSingleLabels: !spec.dnsOptions.contains { $0.hasPrefix("ndots:") && $0 != "ndots:0" })
        try await server.serve(container: container.id.value, view: view, udp: sockets.udp, tcp: sockets.tcp)
    }

    func stop(_ container: StoredContainer) async {
        server.remove(container: container.id.value)
        await server.stop(container: container.id.value)
    }
}
