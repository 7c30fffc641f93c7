import Testing

@testable import ComposeFile

@Suite struct FuzzTests {
    /// The seeds themselves, and some seconds of what becomes of them. A crash ends the test run; `make fuzz` goes on
    /// for longer and keeps what it finds.
    @Test(.timeLimit(.minutes(1))) func mutatedInputsComeBack() {
        for seed in FuzzSeeds.inputs { FuzzCase(seed).run() }
        var mutator = FuzzMutator(seed: 20_240_607)
        var pool = FuzzSeeds.inputs
        let clock = ContinuousClock()
        var slowest = Duration.zero
        for round in 0..<6000 {
            let input = mutator.mutate(mutator.pick(pool), tokens: FuzzSeeds.tokens, other: mutator.pick(pool))
            slowest = max(slowest, clock.measure { FuzzCase(input).run() })
            // Changes upon changes reach further than changes of the seeds alone.
            if round % 10 == 0, input.count < 4096 { pool.append(input) }
        }
        // Unoptimised, beside other tests: a limit for what hangs.
        #expect(slowest < .seconds(5))
    }

    @Test func firstSeedIsAValidProject() throws {
        let parts = FuzzCase(FuzzSeeds.inputs[0]).parts
        var files = MemoryFiles()
        for (name, part) in zip(FuzzCase.names, parts) { files.files[name] = part }
        var options = LoadOptions(environment: [:], workingDirectory: "/p")
        options.reader = files
        options.profiles = ["*"]
        let project = try ProjectLoader.load(options).project
        #expect(project.services.keys.sorted() == ["db", "inc", "web"])
        #expect(project.services["db"]?.cpus == 1.5 && project.services["web"]?.environment["E"] == "1")
    }
}
