internal import AsyncHTTPClient
internal import CLinux
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// One request, which can be sent as often as needed.
struct HTTPRequest: Sendable {
    enum Body: Sendable {
        case none
        case bytes([UInt8])
        case file(FileRange)
    }
    var method: HTTPMethod
    var address: WebAddress
    var headers: [(String, String)] = []
    var body = Body.none
    /// nil: the system's authorities.
    var tls: TLSConfiguration?

    init(_ method: HTTPMethod, _ address: WebAddress, tls: TLSConfiguration?) {
        self.method = method
        self.address = address
        self.tls = tls
    }
}

/// The beginning of an answer; its body is still to come.
struct HTTPAnswer: Sendable {
    /// What was asked last, after all redirections.
    var address: WebAddress
    var status: Int
    var headers: HTTPHeaders
    var body: HTTPClientResponse.Body

    /// The body of an answer that should be small.
    /// - Throws: ``RegistryError/malformed(subject:reason:)`` beyond `limit` bytes; ``HTTPFailure``.
    func collect(limit: Int = 1 << 20) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await piece in body {
                guard bytes.count + piece.readableBytes <= limit else {
                    throw RegistryError.malformed(
                        subject: "\(address)", reason: "its answer is longer than \(limit) bytes")
                }
                bytes.append(contentsOf: piece.readableBytesView)
            }
        } catch let error as RegistryError {
            throw error
        } catch {
            throw HTTPFailure.wrapping(error, address)
        }
        return bytes
    }

    /// Reads what is left of a body that nobody wants, so that its connection can be used again.
    func discard() async { _ = try? await collect(limit: 64 << 10) }
}

/// A request that got no answer, or lost it on the way.
struct HTTPFailure: Error, CustomStringConvertible {
    let address: WebAddress
    let reason: String
    /// Whether another try may be luckier.
    let isTransient: Bool
    /// Whether there was a connection at all.
    var isConnected = true
    /// The other side does not speak TLS as it should, or speaks plain HTTP.
    let isTLS: Bool

    var description: String { reason }

    /// What the user is told of it.
    var registryError: RegistryError { .unreachable(host: address.authority, reason: reason) }

    /// Cancellation stays what it is.
    static func wrapping(_ error: any Error, _ address: WebAddress) -> any Error {
        switch error {
        case is CancellationError, is HTTPFailure, is RegistryError: return error
        case let error as HTTPClientError:
            if error == .cancelled, Task.isCancelled { return CancellationError() }
            return HTTPFailure(address: address, reason: text(error), isTransient: isTransient(error), isTLS: false)
        case let error as NIOSSLError: return tls(error, address)
        case let error as NIOSSLExtraError:
            return HTTPFailure(
                address: address, reason: "its certificate is not for this host (\(error))", isTransient: false,
                isTLS: true)
        case let error as BoringSSLError: return tls(error, address)
        case let error as NIOConnectionError:
            let causes = error.connectionErrors.map(\.error) + [error.dnsAError, error.dnsAAAAError].compactMap { $0 }
            return HTTPFailure(
                address: address, reason: causes.first.map(plain) ?? "no address could be connected to",
                isTransient: true, isConnected: false, isTLS: false)
        default:
            return HTTPFailure(address: address, reason: plain(error), isTransient: true, isTLS: false)
        }
    }

    private static func tls(_ error: any Error, _ address: WebAddress) -> HTTPFailure {
        let text = "\(error)"
        let reason =
            text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("unableToValidateCertificate")
            ? "its certificate is signed by nobody known here (put its authority into "
                + "/etc/swcompose/certs.d/\(address.authority)/ca.crt)"
            : text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST")
                ? "it does not speak TLS (list it under \"insecure-registries\" if that is as it should be)"
                : "no TLS connection: \(text)"
        return HTTPFailure(address: address, reason: reason, isTransient: false, isTLS: true)
    }

    private static func text(_ error: HTTPClientError) -> String {
        switch error {
        case .remoteConnectionClosed: "the connection was closed before the answer was complete"
        case .readTimeout: "no answer in time"
        case .connectTimeout, .getConnectionFromPoolTimeout: "no connection in time"
        case .tlsHandshakeTimeout: "no TLS connection in time"
        case .proxyAuthenticationRequired: "the proxy wants a user name and password"
        case .invalidProxyResponse: "the proxy refuses to connect"
        default: error.shortDescription
        }
    }

    private static func isTransient(_ error: HTTPClientError) -> Bool {
        error != .proxyAuthenticationRequired && error != .invalidURL
    }

    /// What a failed system call was is no matter for the user; its error is.
    private static func plain(_ error: any Error) -> String {
        guard let failed = error as? IOError else { return String("\(error)".prefix(200)) }
        return String(cString: strerror(failed.errnoCode))
    }
}
