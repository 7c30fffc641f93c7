import OCI
import Orchestration
import Testing

@testable import LocalEngine

@Suite struct ProcessResolutionTests {
    private func image(entrypoint: [String]? = nil, command: [String]? = nil, environment: [String] = [])
        -> ImageConfiguration.Defaults
    {
        var image = ImageConfiguration.Defaults()
        image.entrypoint = entrypoint
        image.command = command
        image.environment = environment
        return image
    }

    @Test(
        arguments: [
            // service's entry point, command → what is executed of an image with ENTRYPOINT [e] and CMD [c]
            (nil, nil, ["e", "c"]),
            (nil, ["x"], ["e", "x"]),
            (nil, [], ["e"]),
            (["n"], nil, ["n"]),
            (["n"], ["x"], ["n", "x"]),
            ([], ["x"], ["x"]),
        ] as [([String]?, [String]?, [String])])
    func entryPointAndCommand(entrypoint: [String]?, command: [String]?, expected: [String]) throws {
        var spec = ContainerSpec()
        spec.entrypoint = entrypoint
        spec.command = command
        #expect(try ProcessResolution.arguments(spec, image: image(entrypoint: ["e"], command: ["c"])) == expected)
    }

    @Test func nothingToExecuteIsAnError() {
        #expect(throws: EngineError.self) {
            _ = try ProcessResolution.arguments(ContainerSpec(), image: image())
        }
    }

    @Test func serviceOverridesAndRemovesTheImagesVariables() {
        var spec = ContainerSpec()
        spec.environment = ["KEPT": "new", "GONE": nil, "ADDED": "a=b"]
        let result = ProcessResolution.environment(
            spec, image: image(environment: ["KEPT=old", "GONE=x", "PATH=/own", "BARE"]), hostname: "h", home: "/root")
        #expect(result == ["PATH=/own", "HOSTNAME=h", "KEPT=new", "BARE=", "ADDED=a=b", "HOME=/root"])
    }

    @Test func terminalSetsTERMAndAnUnsetHomeStaysUnset() {
        var spec = ContainerSpec()
        spec.tty = true
        spec.environment = ["HOME": String?.none]
        let result = ProcessResolution.environment(spec, image: image(), hostname: "h", home: "/root")
        #expect(result == ["PATH=\(ProcessResolution.defaultPath)", "HOSTNAME=h", "TERM=xterm"])
    }
}
