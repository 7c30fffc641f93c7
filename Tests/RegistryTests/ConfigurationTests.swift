import LinuxSystem
import Testing

@testable import Registry

@Suite struct ConfigurationTests {
    private func configuration(_ text: String) throws -> RegistryConfiguration {
        let path = "/tmp/swcompose-registries-\(RandomHex.digits(12)).json"
        try Files.replace(path, with: Array(text.utf8))
        defer { try? Files.removeTree(path) }
        return try .standard(environment: ["SWCOMPOSE_REGISTRIES": path])
    }

    @Test func knowsWhomItNeedNotTrust() throws {
        let configuration = try configuration(
            #"{"insecure-registries": ["Reg.example:5000", "10.0.0.0/8", "http://plain/"]}"#)
        for name in ["reg.example:5000", "10.1.2.3:80", "plain", "plain:81", "localhost:5000", "127.0.0.9", "[::1]:5"] {
            #expect(configuration.isInsecure(name), "\(name)")
        }
        for name in ["reg.example", "11.1.2.3", "docker.io", "[fe80::1]:5"] {
            #expect(!configuration.isInsecure(name), "\(name)")
        }
    }

    @Test func readsMirrors() throws {
        let configuration = try configuration(#"{"registry-mirrors": ["https://m1", "http://m2:5000/"]}"#)
        #expect(configuration.mirrors.map(\.description) == ["https://m1/", "http://m2:5000/"])
    }

    @Test(arguments: [
        ("[]", "no JSON object"), (#"{"registry-mirror": []}"#, "\"registry-mirror\" is unknown"),
        (#"{"registry-mirrors": "x"}"#, "list of strings"), (#"{"registry-mirrors": ["m"]}"#, "mirror \"m\""),
        (#"{"insecure-registries": ["a:b:c"]}"#, "\"a:b:c\""),
    ]) func saysWhatIsWrong(_ text: String, _ expected: String) throws {
        let error = #expect(throws: RegistryError.self) { try configuration(text) }
        #expect(error?.description.contains(expected) ?? false, "\(String(describing: error))")
    }
}
