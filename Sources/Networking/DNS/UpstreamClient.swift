internal import NIOCore
internal import Synchronization

/// Asks other servers: one after the other until one answers, over UDP and, where the answer was cut, over TCP. Each
/// UDP question has a random id and a socket, and so a random port, of its own.
final class UpstreamClient: Sendable {
    struct Limits: Sendable {
        /// How long one server has to answer.
        var timeout = TimeAmount.seconds(2)
        /// How often each server is asked.
        var rounds = 2
        /// How long a server that did not answer is asked after the others only.
        var penalty = TimeAmount.seconds(30)
        /// Questions under way, altogether and of one asker: more fail at once.
        var inFlight = 512
        var inFlightPerAsker = 64
    }

    /// The largest UDP answer we read; questions are changed to say so.
    static let udpSize: UInt16 = 4096

    private struct State {
        var total = 0
        var perAsker: [String: Int] = [:]
        /// When servers that did not answer are to be trusted again.
        var penalties: [SocketAddress: NIODeadline] = [:]
    }
    private let limits: Limits
    private let state = Mutex(State())

    init(limits: Limits = Limits()) { self.limits = limits }

    /// What a server answered, under the query's id; of several answers that are errors, the first. nil where none
    /// answered, there is no server, or too much is under way.
    func resolve(
        _ query: [UInt8], overTCP: Bool, servers: [SocketAddress], asker: String, on loop: any EventLoop
    ) -> EventLoopFuture<[UInt8]?> {
        guard !servers.isEmpty, admit(asker) else { return loop.makeSucceededFuture(nil) }
        let outgoing = DNSWire.limitingUDPSize(Self.udpSize, query)
        let ordered = byTrust(servers)
        let sequence = Array(repeating: ordered, count: limits.rounds).flatMap(\.self)
        let id = DNSWire.id(of: query)
        return attempt(outgoing, overTCP: overTCP, sequence[...], best: nil, on: loop)
            .map { answer in
                self.leave(asker)
                return answer.map { DNSWire.withID(id, $0) }
            }
    }

    private func attempt(
        _ query: [UInt8], overTCP: Bool, _ servers: ArraySlice<SocketAddress>, best: [UInt8]?, on loop: any EventLoop
    ) -> EventLoopFuture<[UInt8]?> {
        guard let server = servers.first else { return loop.makeSucceededFuture(best) }
        return exchange(query, overTCP: overTCP, server, on: loop)
            .map { answer -> [UInt8]? in
                self.settle(server, answered: true)
                return answer
            }
            .flatMapErrorThrowing { _ in
                self.settle(server, answered: false)
                return nil
            }
            .flatMap { answer in
                guard let answer else {
                    return self.attempt(query, overTCP: overTCP, servers.dropFirst(), best: best, on: loop)
                }
                switch DNSResponseCode(rawValue: DNSWire.flags(of: answer).responseCode) {
                case .serverFailure, .refused, .notImplemented, .formatError:
                    // Another server may know; this one would say the same again.
                    let others = servers.dropFirst().filter { $0 != server }
                    return self.attempt(query, overTCP: overTCP, others[...], best: best ?? answer, on: loop)
                default: return loop.makeSucceededFuture(answer)
                }
            }
    }

    private func exchange(
        _ query: [UInt8], overTCP: Bool, _ server: SocketAddress, on loop: any EventLoop
    ) -> EventLoopFuture<[UInt8]> {
        let query = DNSWire.withID(.random(in: 0 ... .max), query)
        if overTCP { return UpstreamExchange.tcp(query, to: server, timeout: limits.timeout, on: loop) }
        return UpstreamExchange.udp(query, to: server, timeout: limits.timeout, on: loop).flatMap { answer in
            guard DNSWire.flags(of: answer).contains(.truncated) else { return loop.makeSucceededFuture(answer) }
            // A part of the answer is better than none, where the server cannot be had over TCP.
            return UpstreamExchange.tcp(query, to: server, timeout: self.limits.timeout, on: loop)
                .flatMapErrorThrowing { _ in answer }
        }
    }

    private func admit(_ asker: String) -> Bool {
        state.withLock { state in
            guard state.total < limits.inFlight, state.perAsker[asker, default: 0] < limits.inFlightPerAsker else {
                return false
            }
            state.total += 1
            state.perAsker[asker, default: 0] += 1
            return true
        }
    }

    private func leave(_ asker: String) {
        state.withLock { state in
            state.total -= 1
            let left = state.perAsker[asker, default: 1] - 1
            state.perAsker[asker] = left == 0 ? nil : left
        }
    }

    private func byTrust(_ servers: [SocketAddress]) -> [SocketAddress] {
        state.withLock { state in
            if state.penalties.isEmpty { return servers }
            let now = NIODeadline.now()
            state.penalties = state.penalties.filter { $0.value > now }
            return servers.filter { state.penalties[$0] == nil } + servers.filter { state.penalties[$0] != nil }
        }
    }

    private func settle(_ server: SocketAddress, answered: Bool) {
        state.withLock { state in
            state.penalties[server] = answered ? nil : .now() + limits.penalty
        }
    }
}
