internal import CLinux

/// The bytes of an IP address, to compare with a range of them.
struct NetworkAddress: Equatable {
    let bytes: [UInt8]

    /// nil for what is no address. Brackets around an IPv6 address are allowed.
    init?(_ text: some StringProtocol) {
        let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : String(text)
        var storage = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, bare, &storage) == 1 {
            bytes = Array(storage[..<4])
        } else if inet_pton(AF_INET6, bare, &storage) == 1 {
            bytes = storage
        } else {
            return nil
        }
    }

    var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes == Array(repeating: 0, count: 15) + [1]
    }
}

/// A range of addresses such as `10.0.0.0/8`.
struct NetworkRange: Equatable {
    private let base: [UInt8]
    private let length: Int

    init?(_ text: some StringProtocol) {
        guard let slash = text.lastIndex(of: "/"), let length = Int(text[text.index(after: slash)...]),
            let address = NetworkAddress(text[..<slash]), (0...(address.bytes.count * 8)).contains(length)
        else { return nil }
        base = address.bytes
        self.length = length
    }

    func contains(_ address: NetworkAddress) -> Bool {
        guard address.bytes.count == base.count else { return false }
        return (0..<length).allSatisfy { bit in
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            return base[bit / 8] & mask == address.bytes[bit / 8] & mask
        }
    }
}

/// What a host's name says about where it is.
enum HostName {
    /// Whether it is this machine: `localhost` or an address of its loopback interface.
    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host.hasSuffix(".localhost") || NetworkAddress(host)?.isLoopback ?? false
    }
}
