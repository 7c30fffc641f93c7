internal import CLinux
internal import LinuxSystem
public import NIOCore
internal import Synchronization

/// A host port that is held, from ``PortHolder/hold(_:target:)`` to ``PortHolder/release(_:)``.
public final class HeldPort: Sendable {
    public let transport: PortProtocol
    public let port: UInt16
    /// What it is bound on: one address, or `0.0.0.0` and, where the host has IPv6, `::`.
    public let addresses: [IPAddress]
    fileprivate let relay: PortRelay
    fileprivate let channels: [any Channel]
    private let ownerName: Mutex<String>

    fileprivate init(
        _ sockets: [PortSocket], _ transport: PortProtocol, _ relay: PortRelay, _ channels: [any Channel], owner: String
    ) {
        self.transport = transport
        port = sockets[0].port
        addresses = sockets.map(\.address)
        self.relay = relay
        self.channels = channels
        ownerName = Mutex(owner)
    }

    public var target: PortTarget? { relay.target }
    /// As others are told who want the port.
    public var owner: String { ownerName.withLock { $0 } }

    /// Leads the port elsewhere, without a moment in which it is free. Connections to the old target are cut.
    /// - Parameters:
    ///   - target: nil while there is none: connections are closed as they come, datagrams dropped.
    ///   - owner: Where the port goes to another container.
    public func retarget(_ target: PortTarget?, owner: String? = nil) {
        if let owner { ownerName.withLock { $0 = owner } }
        relay.retarget(target)
    }
}

/// Holds the published ports of this host, so that a taken one is an error and not traffic that silently goes
/// elsewhere; and relays what reaches them past the kernel's address translation, as connections to `[::1]` do.
public final class PortHolder: Sendable {
    private let group: any EventLoopGroup
    private let describe: @Sendable (Int32) -> String?
    private let udpIdleTime: TimeAmount
    private let held = Mutex<[ObjectIdentifier: HeldPort]>([:])

    /// - Parameters:
    ///   - group: Of NIOPosix.
    ///   - describe: What to call another process that holds a port, where its name and pid say too little: the
    ///     project of another supervisor. It may block.
    public convenience init(
        group: any EventLoopGroup, describe: @escaping @Sendable (_ pid: Int32) -> String? = { _ in nil }
    ) {
        self.init(group: group, udpIdleTime: DatagramRelay.idleTime, describe: describe)
    }

    init(
        group: any EventLoopGroup, udpIdleTime: TimeAmount, describe: @escaping @Sendable (_ pid: Int32) -> String?
    ) {
        self.group = group
        self.udpIdleTime = udpIdleTime
        self.describe = describe
    }

    /// Binds the port and, for TCP, listens.
    /// - Parameter target: nil: not yet known, see ``HeldPort/retarget(_:owner:)``.
    /// - Throws: ``PortError``, ``SystemError`` or an error of NIO.
    public func hold(_ request: PortRequest, target: PortTarget? = nil) async throws -> HeldPort {
        let sockets = try await open(request)
        let relay = PortRelay(target)
        var channels: [any Channel] = []
        do {
            for socket in sockets {
                let descriptor = try check("dup") { swc_fcntl_int(socket.descriptor.raw, F_DUPFD_CLOEXEC, 3) }
                let loop = group.next()
                switch request.transport {
                case .tcp: channels.append(try await StreamRelay.serve(descriptor, relay, on: loop).get())
                case .udp:
                    let channel = DatagramRelay.serve(
                        descriptor, isOnAllAddresses: socket.address.isUnspecified, relay, idleTime: udpIdleTime,
                        on: loop)
                    channels.append(try await channel.get())
                }
            }
        } catch {
            for channel in channels { try? await channel.close() }
            throw error
        }
        let port = HeldPort(sockets, request.transport, relay, channels, owner: request.owner)
        held.withLock { $0[ObjectIdentifier(port)] = port }
        return port
    }

    /// Frees the port and cuts what it relays. Nothing where it has been released.
    public func release(_ port: HeldPort) async {
        guard held.withLock({ $0.removeValue(forKey: ObjectIdentifier(port)) }) != nil else { return }
        port.relay.retarget(nil)
        for channel in port.channels { try? await channel.close() }
    }

    public func releaseAll() async {
        for port in held.withLock({ Array($0.values) }) { await release(port) }
    }

    private func open(_ request: PortRequest) async throws -> [PortSocket] {
        do { return try PortSocket.open(request) } catch PortError.taken(let address, _) {
            throw PortError.taken(address: address, holder: try await holder(of: request))
        }
    }

    /// Who is in the way of the (first) port of a request.
    private func holder(of request: PortRequest) async throws -> String? {
        let wanted = try request.addresses()
        guard let port = request.ports?.lowerBound else { return nil }
        let own = held.withLock { held in
            held.values.first { other in
                other.transport == request.transport && other.port == port
                    && other.addresses.contains { address in
                        wanted.contains {
                            $0.family == address.family && ($0 == address || $0.isUnspecified || address.isUnspecified)
                        }
                    }
            }
        }
        if let own { return own.owner }
        let describe = describe
        return try await BlockingPool.shared.run {
            let process = wanted.lazy.compactMap { PortOwner.find(request.transport, $0, port) }.first
            return process.map { describe($0.pid) ?? "\($0.name) (pid \($0.pid))" }
        }
    }
}
