internal import NIOCore
internal import Synchronization

/// Where a held port leads, and what is being relayed there.
final class PortRelay: Sendable {
    /// Connections, or UDP clients, of one port.
    static let maximumFlows = 4096

    private struct State {
        var target: PortTarget?
        var flows: [ObjectIdentifier: any Channel] = [:]
    }
    private let state: Mutex<State>

    init(_ target: PortTarget?) { state = Mutex(State(target: target)) }

    var target: PortTarget? { state.withLock { $0.target } }

    /// Cuts what leads elsewhere: the container that it led to has gone, and nobody would say so to its clients.
    func retarget(_ target: PortTarget?) {
        let cut = state.withLock { state -> [any Channel] in
            if state.target == target { return [] }
            state.target = target
            defer { state.flows = [:] }
            return Array(state.flows.values)
        }
        for flow in cut { flow.close(promise: nil) }
    }

    /// The target for one more flow; nil: it is to be refused.
    func admit() -> (address: SocketAddress, target: PortTarget)? {
        guard
            let target = state.withLock({ $0.flows.count < Self.maximumFlows ? $0.target : nil }),
            let address = try? SocketAddress(ipAddress: target.address.description, port: Int(target.port))
        else { return nil }
        return (address, target)
    }

    /// Keeps the channel to the target until it closes. False where the target has changed since ``admit()``.
    func register(_ flow: any Channel, to target: PortTarget) -> Bool {
        let key = ObjectIdentifier(flow)
        let isCurrent = state.withLock { state in
            guard state.target == target else { return false }
            state.flows[key] = flow
            return true
        }
        if isCurrent {
            flow.closeFuture.whenComplete { _ in self.state.withLock { _ = $0.flows.removeValue(forKey: key) } }
        }
        return isCurrent
    }
}
