import OCI
import Testing

@Suite struct ImageReferenceTests {
    private static let hex = String(repeating: "0123456789abcdef", count: 4)

    @Test(arguments: [
        ("nginx", "docker.io/library/nginx:latest", "nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27", "nginx:1.27"),
        ("bitnami/redis", "docker.io/bitnami/redis:latest", "bitnami/redis:latest"),
        ("docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest"),
        ("index.docker.io/a/b", "docker.io/a/b:latest", "a/b:latest"),
        ("localhost/app", "localhost/app:latest", "localhost/app:latest"),
        ("localhost:5000/app:v1", "localhost:5000/app:v1", "localhost:5000/app:v1"),
        (
            "registry.example.com/team/app__x", "registry.example.com/team/app__x:latest",
            "registry.example.com/team/app__x:latest"
        ),
        ("[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest"),
        ("nginx@sha256:\(hex)", "docker.io/library/nginx@sha256:\(hex)", "nginx@sha256:\(hex)"),
        ("nginx:1@sha256:\(hex)", "docker.io/library/nginx:1@sha256:\(hex)", "nginx:1@sha256:\(hex)"),
    ])
    func completes(_ text: String, _ complete: String, _ familiar: String) throws {
        let reference = try ImageReference(text)
        #expect(reference.description == complete)
        #expect(reference.familiar == familiar)
        #expect(try ImageReference(complete) == reference)
    }

    @Test(arguments: [
        "", "Nginx", "nginx:", "nginx:-a", "a//b", "/a", "a/", "a_-b", "a___b", "nginx@sha256:12", "nginx@md5:\(hex)",
        hex,
        "host:99999/a", "a b", ".a/b", "nginx:\(String(repeating: "t", count: 129))", "-a/b",
    ])
    func refuses(_ text: String) {
        #expect(throws: ImageReferenceError.self) { try ImageReference(text) }
    }

    @Test func saysThatNamesAreLowerCase() {
        #expect {
            try ImageReference("library/Nginx")
        } throws: { "\($0)".contains("repository name (library/Nginx) must be lowercase") }
    }
}
