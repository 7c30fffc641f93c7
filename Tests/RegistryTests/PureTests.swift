import Testing

@testable import Registry

@Suite struct ChallengeTests {
    @Test func readsBearerChallenges() {
        let parsed = Challenge.parse([
            #"Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="repository:a/b:pull,push""#
        ])
        #expect(parsed.map(\.scheme) == ["bearer"])
        #expect(
            parsed[0].parameters == [
                "realm": "https://auth.example.com/token", "service": "registry.example.com",
                "scope": "repository:a/b:pull,push",
            ])
    }

    @Test func readsSeveralChallenges() {
        #expect(
            Challenge.parse([#"Negotiate, Basic realm="a \"b\"" , Bearer Realm = x, error=y"#, "basic"]) == [
                Challenge(scheme: "negotiate", parameters: [:]),
                Challenge(scheme: "basic", parameters: ["realm": #"a "b""#]),
                Challenge(scheme: "bearer", parameters: ["realm": "x", "error": "y"]),
                Challenge(scheme: "basic", parameters: [:]),
            ])
    }

    @Test(arguments: ["", ",,,", "=", "\"", "Basic realm=\"open", "é=1"]) func survivesNonsense(_ text: String) {
        #expect(Challenge.parse([text]).count <= 1)
    }
}

@Suite struct WebAddressTests {
    @Test func keepsWhatItWasGiven() throws {
        let address = try #require(WebAddress("HTTPS://Example.com:443/v2/?_state=a%2Fb%3D=="))
        #expect(address.description == "https://example.com/v2/?_state=a%2Fb%3D==")
        #expect(try #require(WebAddress("http://[::1]:5000")).description == "http://[::1]:5000/")
        #expect(
            address.adding([("digest", "sha256:a b")]).target == "/v2/?_state=a%2Fb%3D==&digest=sha256%3Aa%20b")
    }

    @Test(arguments: ["ftp://x/", "x", "http://", "http://a:b/", "http://u@h/", "http://h/a b", "http://[::1"])
    func refuses(_ text: String) { #expect(WebAddress(text) == nil) }

    @Test(arguments: [
        ("/v2/x", "http://h:5000/v2/x"), ("http://o/y?z", "http://o/y?z"), ("//o/y", "http://o/y"),
        ("../c", "http://h:5000/a/c"), ("?q=1", "http://h:5000/a/b/x?q=1"), ("y/./z/..", "http://h:5000/a/b/y/"),
    ]) func resolves(_ location: String, _ expected: String) throws {
        let base = try #require(WebAddress("http://h:5000/a/b/x?old=1"))
        #expect(base.resolving(location)?.description == expected)
    }
}

@Suite struct RetryTests {
    @Test func delaysGrow() {
        let policy = RetryPolicy()
        #expect(policy.delay(after: 1, asked: nil, jitter: 1) == .milliseconds(250))
        #expect(policy.delay(after: 3, asked: nil, jitter: 1) == .seconds(1))
        #expect(policy.delay(after: 3, asked: nil, jitter: 0) == .milliseconds(500))
        #expect(policy.delay(after: 6, asked: nil, jitter: 1) == nil)
    }

    @Test func obeysRegistriesThatAskForLittle() {
        #expect(RetryPolicy().delay(after: 1, asked: .seconds(3), jitter: 0) == .seconds(3))
        #expect(RetryPolicy().delay(after: 1, asked: .seconds(3600), jitter: 0) == nil)
    }

    @Test func readsRetryAfter() {
        #expect(RetryAfter.parse("120", now: 0) == .seconds(120))
        // 1994-11-06 08:49:37 UTC
        #expect(RetryAfter.parse("Sun, 06 Nov 1994 08:49:37 GMT", now: 784_111_767) == .seconds(10))
        #expect(RetryAfter.parse("Sun, 06 Nov 1994 08:49:37 GMT", now: 2_000_000_000) == .zero)
        #expect(RetryAfter.parse("soon", now: 0) == nil)
    }
}

@Suite struct ProxyTests {
    private func proxy(_ address: String, _ environment: [String: String]) throws -> String? {
        let settings = try ProxySettings(environment: environment)
        return settings.proxy(for: try #require(WebAddress(address))).map { "\($0.kind) \($0.host):\($0.port)" }
    }

    @Test func choosesByScheme() throws {
        let environment = ["HTTPS_PROXY": "http://u:p%40@proxy:3128", "http_proxy": "other"]
        #expect(try proxy("https://example.com/", environment) == "http proxy:3128")
        #expect(try proxy("http://example.com/", environment) == "http other:80")
        #expect(try proxy("https://localhost:5000/", environment) == nil)
        #expect(try proxy("https://127.3.2.1/", environment) == nil)
        let settings = try ProxySettings(environment: environment)
        #expect(settings.proxy(for: try #require(WebAddress("https://x/")))?.password == "p@")
    }

    @Test(arguments: [
        ("example.com", "https://example.com/", false), ("example.com", "https://a.example.com/", false),
        ("example.com", "https://notexample.com/", true), (".example.com", "https://example.com/", true),
        (".example.com", "https://a.example.com/", false), ("10.0.0.0/8", "https://10.1.2.3/", false),
        ("10.0.0.0/8", "https://11.1.2.3/", true), ("10.1.2.3", "https://10.1.2.3:444/", false),
        ("example.com:444", "https://example.com/", true), ("example.com:444", "https://example.com:444/", false),
        ("*", "https://anything/", false), ("fe80::/10", "https://[fe80::1]/", false), (" , a ,", "https://b/", true),
    ]) func knowsExceptions(_ exceptions: String, _ address: String, _ isProxied: Bool) throws {
        let found = try proxy(address, ["HTTPS_PROXY": "socks5://p", "NO_PROXY": exceptions])
        #expect(found == (isProxied ? "socks p:1080" : nil))
    }

    @Test func refusesUnknownKinds() {
        #expect(throws: RegistryError.self) { try ProxySettings(environment: ["HTTPS_PROXY": "https://p:1"]) }
    }
}
