import OCI
import Testing

@testable import Images

@Suite struct ImageChangesTests {
    @Test func appliesInstructions() throws {
        let result = try ImageChanges.apply(
            [
                "CMD [\"nginx\", \"-g\", \"daemon off;\"]", "ENTRYPOINT exec /start", "ENV A=1 B=\"two words\"",
                "ENV A 3",
                "USER 1000:1000", "WORKDIR /srv", "WORKDIR ../var/./www", "EXPOSE 80 53/udp 8000-8001",
                "VOLUME /data /logs",
                "LABEL one=1 \"two\"='x y'", "STOPSIGNAL SIGQUIT",
                "HEALTHCHECK --interval=1m30s --timeout=500ms --retries=4 CMD curl -f localhost", "ONBUILD RUN make",
            ], to: .init())
        #expect(result.command == ["nginx", "-g", "daemon off;"])
        #expect(result.entrypoint == ["/bin/sh", "-c", "exec /start"])
        #expect(result.environment == ["B=two words", "A=3"])
        #expect(result.user == "1000:1000")
        #expect(result.workingDirectory == "/var/www")
        #expect(result.exposedPorts?.names == ["53/udp", "80/tcp", "8000/tcp", "8001/tcp"])
        #expect(result.volumes?.names == ["/data", "/logs"])
        #expect(result.labels == ["one": "1", "two": "x y"])
        #expect(result.stopSignal == "SIGQUIT")
        #expect(result.healthcheck?.test == ["CMD-SHELL", "curl -f localhost"])
        #expect(result.healthcheck?.interval == 90_000_000_000)
        #expect(result.healthcheck?.timeout == 500_000_000)
        #expect(result.healthcheck?.retries == 4)
        #expect(result.onBuild == ["RUN make"])
    }

    @Test(arguments: [
        "", "RUN make", "ENV", "ENV lonely", "EXPOSE 99999", "EXPOSE 9-1", "VOLUME data", "HEALTHCHECK",
        "HEALTHCHECK --interval=x CMD a", "SHELL /bin/sh", "LABEL a=\"b",
    ])
    func refuses(_ change: String) {
        #expect(throws: ImageError.self) { try ImageChanges.apply([change], to: .init()) }
    }

    @Test(arguments: [
        ("2023-11-14T22:13:20Z", 1_700_000_000.0), ("2023-11-14T22:13:20.25Z", 1_700_000_000.25),
        ("2023-11-15T00:13:20+02:00", 1_700_000_000.0),
    ])
    func readsTimes(_ text: String, _ seconds: Double) {
        #expect(Timestamp.seconds(text) == seconds)
        #expect(Timestamp.seconds("yesterday") == nil)
    }
}
