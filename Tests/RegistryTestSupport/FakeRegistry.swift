import OCI
import Synchronization

/// A registry that keeps everything in memory, and fails as it is told.
public final class FakeRegistry: Sendable {
    /// Something that goes wrong, for as many requests as are given.
    public struct Fault: Sendable {
        public enum Kind: Sendable {
            /// This answer in place of the right one.
            case answer(FakeAnswer)
            /// The right answer, cut off after so many bytes of its body.
            case cut(after: Int)
            /// The right answer, one bit of whose body is wrong.
            case corrupt
        }
        var method: String
        var part: String
        var kind: Kind
        var times: Int

        /// - Parameter part: what the request's path must contain.
        public init(_ method: String, _ part: String, _ kind: Kind, times: Int = 1) {
            self.method = method
            self.part = part
            self.kind = kind
            self.times = times
        }
    }

    /// Who may do anything, and how they show it.
    public enum Access: Sendable {
        case everybody
        case basic(user: String, password: String)
        /// With tokens of its own server, which is at `/token`.
        case bearer(user: String, password: String)
    }

    private struct State {
        var blobs: [String: [UInt8]] = [:]
        /// By `repository:version`.
        var manifests: [String: (bytes: [UInt8], type: String)] = [:]
        var uploads: [String: [UInt8]] = [:]
        var faults: [Fault] = []
        var access = Access.everybody
        var honoursRanges = true
    }
    private let state = Mutex(State())
    private let listener: Mutex<FakeServer?> = Mutex(nil)

    public init() throws {
        let server = try FakeServer { [weak self] request in self?.answer(request) ?? FakeAnswer(503) }
        listener.withLock { $0 = server }
    }

    deinit { server.stop() }

    public var server: FakeServer { listener.withLock { $0! } }
    /// `127.0.0.1:PORT`
    public var host: String { "127.0.0.1:\(server.port)" }
    /// Requests so far, as `GET /v2/…`.
    public var lines: [String] { server.log.map(\.line) }

    public func fail(_ fault: Fault) { state.withLock { $0.faults.append(fault) } }
    public func set(access: Access) { state.withLock { $0.access = access } }
    public func ignoreRanges() { state.withLock { $0.honoursRanges = false } }

    @discardableResult
    public func add(blob: [UInt8]) -> String {
        let digest = ContentDigest.of(blob)
        state.withLock { $0.blobs[digest] = blob }
        return digest
    }

    /// - Returns: the manifest's digest.
    @discardableResult
    public func add(manifest: [UInt8], type: String, to repository: String, tag: String) -> String {
        let digest = ContentDigest.of(manifest)
        state.withLock { state in
            state.manifests["\(repository):\(tag)"] = (manifest, type)
            state.manifests["\(repository):\(digest)"] = (manifest, type)
        }
        return digest
    }

    public func blob(_ digest: String) -> [UInt8]? { state.withLock { $0.blobs[digest] } }
    public func manifest(_ repository: String, _ version: String) -> [UInt8]? {
        state.withLock { $0.manifests["\(repository):\(version)"]?.bytes }
    }

    private func answer(_ request: FakeRequest) -> FakeAnswer {
        let fault = state.withLock { state -> Fault.Kind? in
            guard
                let index = state.faults.firstIndex(where: {
                    $0.times > 0 && $0.method == request.method && request.path.contains($0.part)
                })
            else { return nil }
            state.faults[index].times -= 1
            return state.faults[index].kind
        }
        if case .answer(let answer)? = fault { return answer }
        var answer = authorised(request) ?? route(request)
        switch fault {
        case .cut(let bytes)?: answer.cutAfter = bytes
        case .corrupt?: if !answer.body.isEmpty { answer.body[answer.body.count / 2] ^= 1 }
        default: break
        }
        return answer
    }

    // MARK: Access

    /// nil where the request may be answered.
    private func authorised(_ request: FakeRequest) -> FakeAnswer? {
        let header = request.headers["authorization"]
        switch state.withLock({ $0.access }) {
        case .everybody: return nil
        case .basic(let user, let password):
            if header == "Basic \(Self.base64("\(user):\(password)"))" { return nil }
            return FakeAnswer(401, headers: [("WWW-Authenticate", "Basic realm=\"fake\"")])
        case .bearer(let user, let password):
            if request.path == "/token" { return token(request, user, password) }
            if let header, header.hasPrefix("Bearer token-") { return nil }
            return FakeAnswer(
                401,
                headers: [("WWW-Authenticate", "Bearer realm=\"http://\(host)/token\",service=\"fake\"")])
        }
    }

    private func token(_ request: FakeRequest, _ user: String, _ password: String) -> FakeAnswer {
        let form = String(decoding: request.body, as: UTF8.self)
        let isRefresh = request.method == "POST" && form.contains("refresh_token=refresh-1")
        guard isRefresh || request.headers["authorization"] == "Basic \(Self.base64("\(user):\(password)"))" else {
            return FakeAnswer(401, body: Array(#"{"details":"incorrect username or password"}"#.utf8))
        }
        let refresh = request.query["offline_token"] == "true" ? #","refresh_token":"refresh-1""# : ""
        return FakeAnswer(200, body: Array(#"{"token":"token-1","expires_in":300\#(refresh)}"#.utf8))
    }

    private static func base64(_ text: String) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let bytes = Array(text.utf8)
        var result = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = Array(bytes[start..<min(start + 3, bytes.count)])
            let value = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0..<4 {
                result.append(index <= group.count ? digits[value >> (18 - 6 * index) & 63] : "=")
            }
        }
        return result
    }

    // MARK: The interface

    private func route(_ request: FakeRequest) -> FakeAnswer {
        if request.path == "/v2/" { return FakeAnswer(200, body: Array("{}".utf8)) }
        let path = String(request.path.dropFirst("/v2/".count))
        for (marker, handler) in [
            ("/manifests/", manifests), ("/blobs/uploads/", uploads), ("/blobs/", blobs),
        ] as [(String, (FakeRequest, String, String) -> FakeAnswer)] {
            guard let range = path.firstRange(of: marker) else { continue }
            return handler(request, String(path[..<range.lowerBound]), String(path[range.upperBound...]))
        }
        return Self.unknown("NAME_UNKNOWN")
    }

    private static func unknown(_ code: String) -> FakeAnswer {
        FakeAnswer(
            404, headers: [("Content-Type", "application/json")],
            body: Array(#"{"errors":[{"code":"\#(code)","message":"\#(code.lowercased())"}]}"#.utf8))
    }

    private func manifests(_ request: FakeRequest, _ repository: String, _ version: String) -> FakeAnswer {
        if request.method == "PUT" {
            let digest = add(
                manifest: request.body, type: request.headers["content-type"] ?? "", to: repository, tag: version)
            return FakeAnswer(201, headers: [("Docker-Content-Digest", digest)])
        }
        guard let found = state.withLock({ $0.manifests["\(repository):\(version)"] }) else {
            return Self.unknown("MANIFEST_UNKNOWN")
        }
        return FakeAnswer(
            200,
            headers: [("Content-Type", found.type), ("Docker-Content-Digest", ContentDigest.of(found.bytes))],
            body: found.bytes)
    }

    private func blobs(_ request: FakeRequest, _ repository: String, _ digest: String) -> FakeAnswer {
        guard let bytes = blob(digest) else { return Self.unknown("BLOB_UNKNOWN") }
        let honours = state.withLock { $0.honoursRanges }
        if honours, let range = request.headers["range"], range.hasPrefix("bytes="),
            let start = Int(range.dropFirst("bytes=".count).prefix { $0 != "-" })
        {
            guard start < bytes.count else { return FakeAnswer(416) }
            return FakeAnswer(
                206, headers: [("Content-Range", "bytes \(start)-\(bytes.count - 1)/\(bytes.count)")],
                body: Array(bytes[start...]))
        }
        return FakeAnswer(200, body: bytes)
    }

    private func uploads(_ request: FakeRequest, _ repository: String, _ id: String) -> FakeAnswer {
        func accepted(_ id: String, _ size: Int) -> FakeAnswer {
            FakeAnswer(
                request.method == "GET" ? 204 : 202,
                headers: [
                    // Relative, and with a state that must come back.
                    ("Location", "/v2/\(repository)/blobs/uploads/\(id)?state=a%2Fb%3D"),
                    ("Range", "0-\(max(size - 1, 0))"),
                ])
        }
        switch request.method {
        case "POST":
            if let digest = request.query["mount"], blob(digest) != nil { return FakeAnswer(201) }
            let id = "upload-\(state.withLock { $0.uploads.count })"
            state.withLock { $0.uploads[id] = [] }
            return accepted(id, 0)
        case "PATCH":
            let size = state.withLock { state in
                state.uploads[id, default: []] += request.body
                return state.uploads[id]!.count
            }
            return accepted(id, size)
        case "GET": return accepted(id, state.withLock { $0.uploads[id]?.count ?? 0 })
        default:
            guard request.line.contains("state=a%2Fb%3D") else { return FakeAnswer(400) }
            let bytes = state.withLock { ($0.uploads[id] ?? []) + request.body }
            guard ContentDigest.of(bytes) == request.query["digest"] else {
                return FakeAnswer(400, body: Array(#"{"errors":[{"code":"DIGEST_INVALID"}]}"#.utf8))
            }
            add(blob: bytes)
            return FakeAnswer(201)
        }
    }
}
