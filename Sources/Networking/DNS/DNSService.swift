internal import NIOCore
internal import Synchronization

/// One container that asks.
final class DNSAsker: Sendable {
    struct State: Sendable {
        var resolver: NameResolver
        var upstreams: [SocketAddress]
    }
    let container: String
    private let state: Mutex<State>

    init(_ container: String, _ state: State) {
        self.container = container
        self.state = Mutex(state)
    }

    var current: State {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// What all askers share: the names, and the way to the upstream servers.
final class DNSService: Sendable {
    enum Reply {
        case none
        case now([UInt8])
        case later(EventLoopFuture<[UInt8]>)
    }

    let table = Mutex(NameTable())
    private let hostResolvers: HostResolvers
    private let upstream: UpstreamClient

    init(hostResolvers: HostResolvers, upstream: UpstreamClient) {
        self.hostResolvers = hostResolvers
        self.upstream = upstream
    }

    /// - Parameter loop: The asker's, on which a later reply arrives.
    func reply(to bytes: [UInt8], from asker: DNSAsker, overTCP: Bool, on loop: any EventLoop) -> Reply {
        let query: DNSQuery
        switch DNSQuery.parse(bytes) {
        case .drop: return .none
        case .refused(let answer): return .now(answer)
        case .query(let parsed): query = parsed
        }
        let limit = overTCP ? Int(UInt16.max) : query.udpLimit
        let current = asker.current
        switch table.withLock({ current.resolver.decide(query, &$0) }) {
        case .answer(let answer): return .now(DNSWire.fitting(answer, limit: limit))
        case .forward(let fallback):
            let servers = current.upstreams.isEmpty ? hostResolvers.current() : current.upstreams
            let answer = upstream.resolve(
                query.bytes, overTCP: overTCP, servers: servers, asker: asker.container, on: loop)
            return .later(
                answer.map { answer in
                    let code = answer.map { DNSWire.flags(of: $0).responseCode }
                    if let fallback, code != DNSResponseCode.noError.rawValue {
                        return DNSWire.fitting(fallback, limit: limit)
                    }
                    return DNSWire.fitting(answer ?? query.response(.serverFailure), limit: limit)
                })
        }
    }
}
