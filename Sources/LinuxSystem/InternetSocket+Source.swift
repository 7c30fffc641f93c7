internal import CLinux

extension InternetSocket {
    /// Sends a datagram from one of the host's addresses, which a socket bound to all of them otherwise leaves to the
    /// routing table. Dropped, as the network might, where it cannot be sent now.
    /// - Parameters:
    ///   - destination: 4 or 16 bytes in network order, as the socket's family has them.
    ///   - source: Likewise.
    public static func send(
        _ payload: [UInt8], over descriptor: Int32, to destination: [UInt8], port: UInt16, from source: [UInt8]
    ) {
        let isIPv6 = destination.count == 16
        guard source.count == destination.count, isIPv6 || destination.count == 4 else { return }
        var name = sockaddr_in6()
        withUnsafeMutableBytes(of: &name) { bytes in
            // Family and port are at the same place in both kinds; the address is not.
            bytes.storeBytes(of: sa_family_t(isIPv6 ? AF_INET6 : AF_INET), as: sa_family_t.self)
            bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            UnsafeMutableRawBufferPointer(rebasing: bytes[(isIPv6 ? 8 : 4)...]).copyBytes(from: destination)
        }
        // One control message: header of 16 bytes, then in_pktinfo (interface, source, unused) or in6_pktinfo
        // (source, interface).
        var control = [UInt8](repeating: 0, count: isIPv6 ? 40 : 32)
        control.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: isIPv6 ? 36 : 28, as: Int.self)
            bytes.storeBytes(of: CInt(isIPv6 ? IPPROTO_IPV6 : IPPROTO_IP), toByteOffset: 8, as: CInt.self)
            bytes.storeBytes(of: isIPv6 ? IPV6_PKTINFO : IP_PKTINFO, toByteOffset: 12, as: CInt.self)
            UnsafeMutableRawBufferPointer(rebasing: bytes[(isIPv6 ? 16 : 20)...]).copyBytes(from: source)
        }
        let nameSize = socklen_t(isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        var payload = payload
        let count = payload.count
        withUnsafeMutableBytes(of: &name) { name in
            control.withUnsafeMutableBytes { control in
                payload.withUnsafeMutableBytes { payload in
                    var vector = iovec(iov_base: payload.baseAddress, iov_len: count)
                    withUnsafeMutablePointer(to: &vector) { vector in
                        var message = msghdr()
                        message.msg_name = name.baseAddress
                        message.msg_namelen = nameSize
                        message.msg_iov = vector
                        message.msg_iovlen = 1
                        message.msg_control = control.baseAddress
                        message.msg_controllen = control.count
                        _ = sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
                    }
                }
            }
        }
    }
}
