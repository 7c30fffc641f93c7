internal import ComposeFile
internal import LinuxSystem
internal import Networking
internal import Orchestration

/// A published port of a container: held on the host, and where it leads.
struct PortBinding: Sendable {
    let port: HeldPort
    let target: UInt16

    /// What the kernel is to translate, for a container with these interfaces.
    func published(_ interfaces: [AttachedInterface]) -> [PublishedPort] {
        guard let interface = Self.primary(interfaces) else { return [] }
        return port.addresses.compactMap { address in
            let container = address.family == .v4 ? interface.ipv4 : interface.ipv6
            guard let container else { return nil }
            return PublishedPort(
                hostIP: address, port: port.port, transport: port.transport == .udp ? .udp : .tcp,
                containerIP: container, containerPort: target)
        }
    }

    /// Leads what the kernel does not translate to the container.
    func lead(to interfaces: [AttachedInterface]) {
        let interface = Self.primary(interfaces)
        port.retarget((interface?.ipv4 ?? interface?.ipv6).map { PortTarget(address: $0, port: target) })
    }

    func matches(_ published: PublishedPort) -> Bool {
        published.port == port.port && published.containerPort == target
            && (published.transport == .udp) == (port.transport == .udp)
            && published.hostIP.map(port.addresses.contains) ?? true
    }

    var publishers: [Publisher] {
        port.addresses.map {
            Publisher(
                hostIP: $0.description, published: port.port, target: target, protocol: port.transport.rawValue)
        }
    }

    /// What to call a process that holds a port, where it is another project's supervisor.
    static func supervisedProject(by pid: Int32) -> String? {
        guard let bytes = try? Files.read("/proc/\(pid)/cmdline") else { return nil }
        let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 4, words[1] == "supervise", words[2] == "--project" else { return nil }
        return "project \"\(words[3])\" of swcompose"
    }

    /// The one with a way out; of internal networks only, the first.
    private static func primary(_ interfaces: [AttachedInterface]) -> AttachedInterface? {
        interfaces.first { $0.ipv4Gateway != nil || $0.ipv6Gateway != nil } ?? interfaces.first
    }
}

extension PortRequest {
    /// - Throws: ``EngineError`` for what cannot be published.
    init(_ port: Port, container: String) throws {
        guard let transport = PortProtocol(rawValue: port.protocol) else {
            throw EngineError.unsupported("port \(port.target)/\(port.protocol): only tcp and udp can be published yet")
        }
        var range: ClosedRange<UInt16>?
        if !port.published.isEmpty, port.published != "0" {
            let bounds = port.published.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
            guard let first = bounds.first ?? nil, let last = bounds.last ?? nil, bounds.count <= 2, first > 0,
                first <= last
            else {
                throw EngineError.failed("published port \"\(port.published)\" is neither a port nor a range of ports")
            }
            range = first...last
        }
        self.init(hostIP: port.hostIP, ports: range, transport: transport, owner: "container \(container)")
    }

    /// One that was bound before, again.
    init(_ publisher: Publisher, container: String) {
        self.init(
            hostIP: publisher.hostIP, ports: publisher.published...publisher.published,
            transport: publisher.protocol == "udp" ? .udp : .tcp, owner: "container \(container)")
    }
}
