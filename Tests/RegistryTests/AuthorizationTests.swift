import OCI
import RegistryTestSupport
import Testing

@testable import Registry

@Suite struct AuthorizationTests {
    private let right = RegistryCredential(user: "me", password: "secret")

    private func registry(_ access: FakeRegistry.Access) throws -> FakeRegistry {
        let registry = try FakeRegistry()
        registry.add(manifest: Array("{}".utf8), type: MediaType.manifest, to: "team/app", tag: "1")
        registry.set(access: access)
        return registry
    }

    @Test func answersBasicChallenges() async throws {
        let registry = try registry(.basic(user: "me", password: "secret"))
        try await withClient(credential: right) { client in
            let repository = client.repository(try ImageReference("\(registry.host)/team/app:1"))
            _ = try await repository.manifest("1")
            _ = try await repository.manifest("1")
        }
        let asked = registry.server.log.filter { $0.path.contains("/manifests/") }.map {
            $0.headers["authorization"] != nil
        }
        #expect(asked == [false, true, true])
    }

    @Test(arguments: [true, false]) func tellsWhoIsNotLetIn(_ hasCredential: Bool) async throws {
        let registry = try registry(.bearer(user: "me", password: "secret"))
        let wrong = hasCredential ? RegistryCredential(user: "me", password: "wrong") : nil
        try await withClient(credential: wrong) { client in
            let error = await #expect(throws: RegistryError.self) {
                try await client.repository(try ImageReference("\(registry.host)/team/app:1")).manifest("1")
            }
            #expect(error?.description.contains("incorrect username or password") ?? false)
        }
    }

    @Test func getsOneTokenForEachScope() async throws {
        let registry = try registry(.bearer(user: "me", password: "secret"))
        let digest = registry.add(blob: [1, 2, 3])
        try await withClient(credential: right) { client in
            let repository = client.repository(try ImageReference("\(registry.host)/team/app:1"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { _ = try await repository.manifest("1") } }
                try await group.waitForAll()
            }
            #expect(try await repository.hasBlob(digest))
        }
        let tokens = registry.server.log.filter { $0.path == "/token" }
        #expect(
            tokens.map { $0.query["scope"] } == ["repository:team/app:pull", "repository:team/app:pull,push"])
        #expect(tokens.allSatisfy { $0.query["service"] == "fake" && $0.query["account"] == "me" })
    }

    @Test func exchangesIdentityTokens() async throws {
        let registry = try registry(.bearer(user: "me", password: "secret"))
        let kept = try await withClient { try await $0.login(registry.host, as: right) }
        #expect(kept == RegistryCredential(user: "me", identityToken: "refresh-1"))
        try await withClient(credential: kept) { client in
            _ = try await client.repository(try ImageReference("\(registry.host)/team/app:1")).manifest("1")
        }
        let last = try #require(registry.server.log.last { $0.path == "/token" })
        #expect(last.method == "POST")
        #expect(String(decoding: last.body, as: UTF8.self).contains("scope=repository%3Ateam%2Fapp%3Apull"))
    }

    @Test func loginTriesThePassword() async throws {
        let registry = try registry(.basic(user: "me", password: "secret"))
        #expect(try await withClient { try await $0.login(registry.host, as: right) } == right)
        await #expect(throws: RegistryError.self) {
            try await withClient {
                try await $0.login(registry.host, as: RegistryCredential(user: "me", password: "no"))
            }
        }
    }
}
