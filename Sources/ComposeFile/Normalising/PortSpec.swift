/// The short form of a port: `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, each a number or a range.
enum PortSpec {
    struct Failure: Error, Equatable {
        var text: String
        var hint: String?
    }

    struct Entry: Equatable {
        var hostIP = ""
        var published = ""
        var target: Int
        var `protocol`: String
    }

    static func parse(_ spec: String) throws(Failure) -> [Entry] {
        var rest = spec
        var protocolName = "tcp"
        if let slash = rest.firstIndex(of: "/") {
            let name = String(rest[rest.index(after: slash)...])
            rest = String(rest[..<slash])
            if !name.isEmpty { protocolName = name.lowercased() }
        }
        guard ["tcp", "udp", "sctp"].contains(protocolName) else {
            throw Failure(text: "invalid proto: \(protocolName)", hint: "one of tcp, udp and sctp is wanted")
        }
        var (hostIP, host, container) = split(rest)
        if hostIP.hasPrefix("["), hostIP.hasSuffix("]") { hostIP = String(hostIP.dropFirst().dropLast()) }
        if !hostIP.isEmpty, !IPAddress.isValid(hostIP) {
            throw Failure(
                text: "invalid IP address: \(hostIP)",
                hint: hostIP == "localhost" ? "write 127.0.0.1 for localhost" : nil)
        }
        guard !container.isEmpty else { throw Failure(text: "no port specified: \(spec)<empty>") }
        guard let targets = range(container) else { throw Failure(text: "invalid containerPort: \(container)") }
        guard targets.lowerBound > 0 else { throw Failure(text: "invalid containerPort: 0") }
        guard !host.isEmpty else {
            return sorted(targets.map { Entry(hostIP: hostIP, target: $0, protocol: protocolName) })
        }
        guard let published = range(host) else { throw Failure(text: "invalid hostPort: \(host)") }
        if published.count == targets.count {
            return sorted(
                zip(published, targets).map {
                    Entry(hostIP: hostIP, published: String($0), target: $1, protocol: protocolName)
                })
        }
        guard targets.count == 1 else {
            throw Failure(
                text: "invalid ranges specified for container and host Ports: \(container) and \(host)",
                hint: "both ranges must have the same length")
        }
        // A range of host ports for one container port: one of them is chosen when the container starts.
        let choice = "\(published.lowerBound)-\(published.upperBound)"
        return [Entry(hostIP: hostIP, published: choice, target: targets.lowerBound, protocol: protocolName)]
    }

    /// The reference orders the ports of a range by their text.
    private static func sorted(_ entries: [Entry]) -> [Entry] {
        if entries.count < 2 { return entries }
        let keyed = entries.map { (key: "\($0.target)/\($0.protocol)", entry: $0) }
        return keyed.sorted { $0.key < $1.key }.map(\.entry)
    }

    private static func split(_ text: String) -> (ip: String, host: String, container: String) {
        guard let last = text.lastIndex(of: ":") else { return ("", "", text) }
        let container = String(text[text.index(after: last)...])
        let front = text[..<last]
        guard let middle = front.lastIndex(of: ":") else { return ("", String(front), container) }
        return (String(front[..<middle]), String(front[front.index(after: middle)...]), container)
    }

    private static func range(_ text: String) -> ClosedRange<Int>? {
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = port(ends[0]) else { return nil }
        guard ends.count == 2 else { return first...first }
        guard let last = port(ends[1]), last >= first else { return nil }
        return first...last
    }

    private static func port(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return UInt16(text).map(Int.init)
    }
}
