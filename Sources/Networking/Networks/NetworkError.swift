/// Why a network, or a place on one, cannot be had.
public enum NetworkError: Error, Sendable, Equatable, CustomStringConvertible {
    case notFound(String)
    /// `remove` of a network that containers are on.
    case inUse(network: String, containers: [String])
    /// A network of this name was made otherwise. `difference` names what differs.
    case differs(network: String, difference: String)
    case invalid(network: String, reason: String)
    case overlap(network: String, subnet: IPPrefix, with: IPPrefix, holder: String)
    case noFreePool(network: String)
    case noFreeAddress(network: String, range: IPPrefix)
    case addressInUse(IPAddress, network: String, holder: String)
    case addressOutside(IPAddress, network: String, subnet: IPPrefix)
    case reservedAddress(IPAddress, network: String, reason: String)
    /// `Firewall.publish` before `apply`.
    case firewallNotApplied(table: String)
    case dnsPortsTaken(pid: Int32)

    public var description: String {
        switch self {
        case .notFound(let name): "network \(name) not found"
        case .inUse(let network, let containers):
            "network \(network) has active endpoints: \(containers.joined(separator: ", "))"
        case .differs(let network, let difference):
            "network \(network) exists with another configuration (\(difference)); remove it to have it made anew"
        case .invalid(let network, let reason): "network \(network): \(reason)"
        case .overlap(let network, let subnet, let other, let holder):
            "network \(network): subnet \(subnet) overlaps with \(other) of \(holder)"
        case .noFreePool(let network):
            "network \(network): all predefined address pools have been fully subnetted; give it a subnet under ipam.config"
        case .noFreeAddress(let network, let range): "network \(network): no free address left in \(range)"
        case .addressInUse(let address, let network, let holder):
            "address \(address) on network \(network) is in use by container \(holder)"
        case .addressOutside(let address, let network, let subnet):
            "address \(address) is not in subnet \(subnet) of network \(network)"
        case .reservedAddress(let address, let network, let reason):
            "address \(address) on network \(network) cannot be given to a container: it is \(reason)"
        case .firewallNotApplied(let table): "packet filter table \(table) is not set up yet"
        case .dnsPortsTaken(let pid): "no free port for DNS at 127.0.0.11 in the network namespace of process \(pid)"
        }
    }
}
