internal import AsyncHTTPClient
internal import LinuxSystem
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Sends requests, through whatever proxies are configured. What it opens is closed by ``shutdown()``, which must be
/// called before the object goes.
final class HTTPTransport: Sendable {
    let retry: RetryPolicy
    private let proxies: ProxySettings
    private let timeouts: HTTPClient.Configuration.Timeout
    private let agent: String
    /// One client for each proxy, and one for none; made when first needed.
    private let clients = Mutex<[ProxySettings.Proxy?: HTTPClient]>([:])

    /// - Parameter idle: how long an answer may make no progress.
    init(proxies: ProxySettings, retry: RetryPolicy, agent: String, connect: Duration, idle: Duration) {
        self.proxies = proxies
        self.retry = retry
        self.agent = agent
        timeouts = .init(connect: TimeAmount(connect), read: TimeAmount(idle), write: TimeAmount(idle))
    }

    func shutdown() async {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in all { try? await client.shutdown() }
    }

    private func client(for address: WebAddress) -> HTTPClient {
        let proxy = proxies.proxy(for: address)
        return clients.withLock { clients in
            if let client = clients[proxy] { return client }
            var configuration = HTTPClient.Configuration(
                redirectConfiguration: .disallow, timeout: timeouts, decompression: .disabled)
            configuration.httpVersion = .http1Only
            // Tries are counted in one place, which is not there.
            configuration.connectionPool.retryConnectionEstablishment = false
            switch proxy?.kind {
            case .http?:
                let user = proxy?.user
                configuration.proxy = .server(
                    host: proxy!.host, port: proxy!.port,
                    authorization: user.map { .basic(username: $0, password: proxy?.password ?? "") })
            case .socks?: configuration.proxy = .socksServer(host: proxy!.host, port: proxy!.port)
            case nil: break
            }
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            clients[proxy] = client
            return client
        }
    }

    /// One request, one answer of whatever status.
    /// - Throws: ``HTTPFailure``; `CancellationError`.
    func send(_ request: HTTPRequest) async throws -> HTTPAnswer {
        var message = HTTPClientRequest(url: request.address.description)
        message.method = request.method
        message.tlsConfiguration = request.tls
        message.headers.add(name: "User-Agent", value: agent)
        for (name, value) in request.headers { message.headers.add(name: name, value: value) }
        switch request.body {
        case .none:
            if request.method == .POST || request.method == .PUT || request.method == .PATCH {
                message.headers.replaceOrAdd(name: "Content-Length", value: "0")
            }
        case .bytes(let bytes): message.body = .bytes(ByteBuffer(bytes: bytes))
        case .file(let range): message.body = .stream(range, length: .known(range.length))
        }
        do {
            // The idle time-outs bound it; a layer may take hours.
            let response = try await client(for: request.address).execute(message, deadline: .distantFuture)
            return HTTPAnswer(
                address: request.address, status: Int(response.status.code), headers: response.headers,
                body: response.body)
        } catch let error as SystemError {
            throw error
        } catch {
            throw HTTPFailure.wrapping(error, request.address)
        }
    }

    /// Sends a request again while there is hope, without looking at more of the answer than its status.
    /// - Throws: ``RegistryError``; `CancellationError`.
    func sendPatiently(_ request: HTTPRequest) async throws -> HTTPAnswer {
        var attempt = 0
        while true {
            attempt += 1
            do {
                let answer = try await send(request)
                guard RetryPolicy.isTransient(answer.status), let delay = delay(after: attempt, answer) else {
                    return answer
                }
                await answer.discard()
                try await Task.sleep(for: delay)
            } catch let failure as HTTPFailure {
                guard let delay = delay(after: attempt, failure) else { throw failure.registryError }
                try await Task.sleep(for: delay)
            }
        }
    }

    /// How long to wait before the next attempt; nil: there is to be none.
    func delay(after attempt: Int, _ answer: HTTPAnswer? = nil) -> Duration? {
        let asked = answer?.headers.first(name: "Retry-After").flatMap {
            RetryAfter.parse($0, now: WallClock.seconds())
        }
        return retry.delay(after: attempt, asked: asked, jitter: .random(in: 0...1))
    }

    /// The same after a request that got no answer.
    func delay(after attempt: Int, _ failure: HTTPFailure) -> Duration? {
        guard failure.isTransient else { return nil }
        return retry.delay(
            after: attempt, asked: nil, jitter: .random(in: 0...1), connected: failure.isConnected)
    }

    /// Waits as long as a registry asks that refused for now, where that is not too long.
    func pause(after answer: HTTPAnswer) async throws {
        if let delay = delay(after: 1, answer) { try await Task.sleep(for: delay) }
    }
}
