internal import CLinux
public import LinuxSystem
public import NIOCore
internal import NIOPosix
internal import Synchronization

/// The name server of all containers: each asks through sockets that are open in its own network namespace, and is
/// known by them. Costs a container two sockets and some kilobytes, and no thread.
public final class DNSServer: Sendable {
    private struct Serving {
        let asker: DNSAsker
        let channels: [any Channel]
    }
    private let group: any EventLoopGroup
    private let service: DNSService
    private let upstreamPort: Int
    private let serving = Mutex<[String: Serving]>([:])

    /// - Parameters:
    ///   - group: Of NIOPosix. One loop is plenty.
    ///   - resolvConf: Where the host's own servers are written.
    public convenience init(group: any EventLoopGroup, resolvConf: String = "/etc/resolv.conf") {
        self.init(group: group, resolvConf: resolvConf, upstreamPort: 53, limits: .init())
    }

    init(group: any EventLoopGroup, resolvConf: String, upstreamPort: Int, limits: UpstreamClient.Limits) {
        self.group = group
        self.upstreamPort = upstreamPort
        service = DNSService(
            hostResolvers: HostResolvers(path: resolvConf, port: upstreamPort), upstream: UpstreamClient(limits: limits)
        )
    }

    /// Answers on two bound sockets until ``stop(container:)``, in the place of those served for this container
    /// before. The descriptors are duplicated and stay the caller's.
    /// - Parameter tcp: May, but need not be listening yet.
    /// - Throws: ``DNSServerError``, ``SystemError`` or an error of NIO.
    public func serve(container: String, view: DNSView, udp: OwnedDescriptor, tcp: OwnedDescriptor) async throws {
        let asker = DNSAsker(container, try state(view))
        let loop = group.next()
        try check("listen") { listen(tcp.raw, 64) }
        let datagrams = try await DatagramBootstrap(group: loop)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 2048))
            .channelInitializer { [service] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DNSDatagramHandler(service, asker))
                }
            }
            .withBoundSocket(try Self.duplicate(udp)).get()
        let stream: any Channel
        do { stream = try await bindStream(tcp, asker, loop) } catch {
            try? await datagrams.close()
            throw error
        }
        let old = serving.withLock {
            $0.updateValue(Serving(asker: asker, channels: [datagrams, stream]), forKey: container)
        }
        await Self.close(old)
    }

    /// Changes what a container that is being served sees. Nothing where it is not served.
    /// - Throws: ``DNSServerError``.
    public func update(container: String, view: DNSView) throws {
        let state = try state(view)
        serving.withLock { $0[container]?.asker }?.current = state
    }

    public func stop(container: String) async {
        await Self.close(serving.withLock { $0.removeValue(forKey: container) })
    }

    public func stopAll() async {
        let all = serving.withLock { serving in
            defer { serving = [:] }
            return Array(serving.values)
        }
        for one in all { await Self.close(one) }
    }

    /// Replaces all names, by network.
    public func setRecords(_ records: [String: [NameRecord]]) {
        var table = NameTable()
        for (network, records) in records {
            for record in records {
                table.set(
                    container: record.container, network: network, names: record.names, addresses: record.addresses)
            }
        }
        service.table.withLock { $0 = table }
    }

    /// Replaces what `container` has on `network`. The first name is what its addresses resolve to; the twelve
    /// digits that its id is shortened to are added.
    public func set(container: String, network: String, names: [String], addresses: [IPAddress]) {
        service.table.withLock {
            $0.set(container: container, network: network, names: names, addresses: addresses)
        }
    }

    /// Forgets the names of a container: on one network, or on all.
    public func remove(container: String, network: String? = nil) {
        service.table.withLock { table in
            if let network {
                table.remove(container: container, network: network)
            } else {
                table.remove(container: container)
            }
        }
    }

    private func state(_ view: DNSView) throws -> DNSAsker.State {
        let upstreams = try view.upstreams.map { text in
            guard let address = HostResolvers.serverAddress(text, port: upstreamPort) else {
                throw DNSServerError.badServer(text)
            }
            return address
        }
        return DNSAsker.State(resolver: NameResolver(view), upstreams: upstreams)
    }

    private func bindStream(
        _ tcp: OwnedDescriptor, _ asker: DNSAsker, _ loop: any EventLoop
    ) async throws -> any Channel {
        try await ServerBootstrap(group: loop)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ConnectionLimit(64))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 2048))
            .childChannelInitializer { [service] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        IdleStateHandler(allTimeout: .seconds(20)), DNSStreamFraming(),
                        DNSStreamHandler(service, asker))
                }
            }
            .withBoundSocket(try Self.duplicate(tcp)).get()
    }

    /// For NIO, which closes what it is given.
    private static func duplicate(_ descriptor: OwnedDescriptor) throws -> CInt {
        try check("dup") { swc_fcntl_int(descriptor.raw, F_DUPFD_CLOEXEC, 3) }
    }

    private static func close(_ serving: Serving?) async {
        for channel in serving?.channels ?? [] { try? await channel.close() }
    }
}

public enum DNSServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Of a container's `dns` entries.
    case badServer(String)

    public var description: String {
        switch self {
        case .badServer(let text): "bad dns server \"\(text)\": expected an IPv4 or IPv6 address"
        }
    }
}
