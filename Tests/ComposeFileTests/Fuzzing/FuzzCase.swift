#if !FUZZER
    @testable import ComposeFile
#endif

/// One input of the fuzzers: what stage it is for, and the files it consists of. The first byte says the stage; in
/// inputs for the whole loader, zero bytes part the files. Shared by the unit tests and `make fuzz`.
struct FuzzCase {
    enum Stage: UInt8, CaseIterable { case loader, yaml, interpolation, dotenv, rawenv, printing }

    let stage: Stage
    let parts: [[UInt8]]

    /// Where the parts of an input for the loader go. The first is the file that is loaded.
    static let names = ["/p/compose.yaml", "/p/.env", "/p/base.yaml", "/p/sub/compose.yaml", "/p/web.env"]

    init(_ bytes: some Collection<UInt8>) {
        stage = Stage(rawValue: (bytes.first ?? 0) % UInt8(Stage.allCases.count)) ?? .loader
        parts = bytes.dropFirst().split(separator: 0, maxSplits: Self.names.count - 1, omittingEmptySubsequences: false)
            .map { Array($0) }
    }

    /// Runs the stage. A file that is refused is as good as one that is not: what counts is to come back.
    func run() {
        let input = parts.first ?? []
        let reporter = Reporter()
        switch stage {
        case .loader: load(noInterpolate: false)
        case .printing: load(noInterpolate: true)
        case .yaml: _ = try? DocumentComposer.documents(of: input, name: "input", reporter: reporter)
        case .interpolation:
            let text = String(decoding: input, as: UTF8.self)
            Template.variables(in: text) { _ in }
            _ = Interpolator(environment: ["A": "1", "EMPTY": ""], reporter: reporter)
                .substitute(text, at: Mark(file: 0, line: 1, column: 1), path: [])
        case .dotenv: _ = try? DotEnvParser.parse(input, lookup: { $0 == "A" ? "1" : nil })
        case .rawenv: _ = try? RawEnvParser.parse(input) { $0 == "A" ? "1" : nil }
        }
    }

    private func load(noInterpolate: Bool) {
        var files = MemoryFiles()
        for (name, part) in zip(Self.names, parts) { files.files[name] = part }
        var options = LoadOptions(environment: ["A": "1", "HOME": "/root"], workingDirectory: "/p")
        options.reader = files
        options.files = ["compose.yaml"]
        options.profiles = ["*"]
        options.noInterpolate = noInterpolate
        do throws(ComposeFileError) {
            let loaded = try ProjectLoader.load(options)
            _ = loaded.document.yaml()
            _ = try? loaded.document.json()
            _ = loaded.variables
            _ = loaded.warnings.map(\.rendered)
        } catch {
            precondition(!error.diagnostics.isEmpty, "an error that says nothing")
            _ = error.description
        }
    }
}
