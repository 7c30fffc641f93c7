import OCI
import Testing

@testable import Images

@Suite struct PlatformTests {
    @Test(arguments: [
        ("linux/amd64", "linux/amd64"), ("Linux/x86_64", "linux/amd64"), ("arm64", "linux/arm64"),
        ("linux/aarch64/v8", "linux/arm64"), ("linux/arm", "linux/arm/v7"), ("linux/armhf", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"), ("linux/amd64/v1", "linux/amd64"), ("linux/i386", "linux/386"),
        ("linux/riscv64", "linux/riscv64"),
    ]) func reads(_ text: String, _ expected: String) throws {
        #expect(try ImagePlatform(parsing: text).description == expected)
    }

    @Test(arguments: ["", "/", "linux/", "linux/amd64/v1/x", "li nux/amd64"]) func refuses(_ text: String) {
        #expect(throws: ImagePlatformError.self) { try ImagePlatform(parsing: text) }
    }

    @Test func oldProgramsRunOnNewProcessors() throws {
        func rank(_ wanted: String, _ other: String) throws -> Int? {
            try ImagePlatform(parsing: wanted).rank(of: ImagePlatform(parsing: other))
        }
        #expect(try rank("linux/amd64", "linux/amd64") == 0)
        #expect(try rank("linux/amd64", "linux/386") == 1)
        #expect(try rank("linux/amd64", "linux/amd64/v3") == nil)
        #expect(try rank("linux/amd64/v3", "linux/amd64/v2") == 1)
        #expect(try rank("linux/arm64", "linux/arm/v7") == 2)
        #expect(try rank("linux/arm/v6", "linux/arm/v7") == nil)
        #expect(try rank("linux/amd64", "windows/amd64") == nil)
    }

    @Test func choosesTheNearest() throws {
        func entry(_ digit: String, _ platform: ImagePlatform?) -> ImageDescriptor {
            ImageDescriptor(
                mediaType: MediaType.manifest, digest: "sha256:\(String(repeating: digit, count: 64))", size: 1,
                platform: platform)
        }
        let index = ImageIndex(manifests: [
            entry("0", .init(architecture: "unknown", os: "unknown")), entry("1", nil),
            entry("2", .init(architecture: "arm", os: "linux", variant: "v6")),
            entry("3", .init(architecture: "arm", os: "linux", variant: "v7")),
        ])
        func choice(_ platform: String) throws -> Character? {
            try ImageLayout.choose(from: index, for: .init(parsing: platform), subject: "x").digest.last
        }
        #expect(try choice("linux/arm") == "3")
        #expect(try choice("linux/arm/v6") == "2")
        #expect(try choice("linux/s390x") == "1")
    }
}
